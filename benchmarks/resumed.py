"""What it brings that LightFM goes on with new orders instead of waiting for the next training in full.

python -m benchmarks.resumed

The grocer's year: a training in full on the first orders, then some that are new, then those that are asked
for. Beside one another: only neighbours and best sellers brought up to date, gone on, and trained in full.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from time import process_time

from rich.console import Console
from rich.table import Table

from app.recommend.cases import make_cases
from app.recommend.duel import Champion
from app.recommend.fit import FitParameters
from app.recommend.judge import ndcg_of
from app.recommend.metrics import paired_interval
from app.recommend.recount import recounted
from app.recommend.resume import resume
from app.recommend.train import train
from benchmarks.growing_shop import households
from benchmarks.journey import complete_journey

FULL, NEW, LATER = 8_000, (400, 1_600), 1_500
SEED = 0


def main() -> None:
    """Print one line for each number of new orders."""
    shop = households(complete_journey(), FULL + NEW[-1] + LATER)
    baskets, parameters = shop.baskets, FitParameters(seed=SEED)
    first = replace(shop, baskets=baskets.between(0, FULL))
    moment = datetime.fromtimestamp(int(first.baskets.times[-1]), UTC)
    champion = train(first, parameters, moment)
    table = Table(title=f"NDCG@10 on the {LATER:,} orders that follow, after {FULL:,} learnt in full")
    for column in (
        "new orders",
        "recounted",
        "gone on",
        "in full",
        "gone on minus recounted",
        "seconds",
        "in full",
    ):
        table.add_column(column, justify="right")
    for new in NEW:
        known, later = baskets.between(0, FULL + new), baskets.between(FULL + new, FULL + new + LATER)
        now = datetime.fromtimestamp(int(known.times[-1]), UTC)
        dataset = replace(shop, baskets=known)
        cases = make_cases(shop, known, later, most=LATER, seed=SEED)
        old = ndcg_of(recounted(champion.model, champion.card, dataset), cases)
        began = process_time()
        resumed = resume(Champion(champion.card, champion.model), dataset, parameters, now)
        took = process_time() - began
        began = process_time()
        full = ndcg_of(train(dataset, parameters, now).model, cases)
        in_full = process_time() - began
        ours = old if resumed is None else ndcg_of(resumed.model, cases)
        found = paired_interval(ours, old, SEED)
        table.add_row(
            f"{new:,}", f"{old.mean():.4f}", f"{ours.mean():.4f}", f"{full.mean():.4f}",
            f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]", f"{took:.0f}", f"{in_full:.0f}",
        )  # fmt: skip
        Console(width=140).print(table)


if __name__ == "__main__":
    main()
