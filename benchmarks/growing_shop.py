"""How good recommendations are while a shop grows: 0, 10, 100, 1,000 and 10,000 orders.

python -m benchmarks.growing_shop

A shop of some households of the grocer's year. After so many orders its model is trained as it would
serve, and asked for the carts of the thousand orders that follow, beside the plain ways that know the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from rich.console import Console
from rich.table import Table

from app.recommend.baselines import by_popularity, by_repeats, by_similarity
from app.recommend.cases import make_cases
from app.recommend.dataset import Baskets, Dataset, Items
from app.recommend.fit import FitParameters
from app.recommend.judge import K, TestSet, by_case, ndcg_of, recommendations_of, test_set_of
from app.recommend.metrics import ndcg_at_k, paired_interval
from app.recommend.neighbours import CosineParameters, cosine, popularity
from app.recommend.train import train
from benchmarks.journey import complete_journey

SIZES = (0, 10, 100, 1_000, 10_000)
LATER = 1_000
SEED = 0


def main() -> None:
    """Print one line a size."""
    shop = households(complete_journey(), SIZES[-1] + LATER)
    table = Table(title=f"{len(shop.items):,} products, NDCG@10 on the {LATER:,} orders that follow")
    for column in ("orders", "basis", "ours", "popularity", "cosine", "own repeats", "ours minus the best"):
        table.add_column(column, justify="right")
    for size in SIZES:
        table.add_row(*line(shop, size))
    Console(width=120).print(table)


def line(shop: Dataset, size: int) -> tuple[str, ...]:
    """Return the figures after so many orders."""
    baskets = shop.baskets
    known, later = baskets.between(0, size), baskets.between(size, size + LATER)
    now = datetime.fromtimestamp(int(later.times[0]), UTC)
    trained = train(replace(shop, baskets=known), FitParameters(), now)
    cases = make_cases(shop, known, later, most=LATER, seed=SEED)
    test_set = test_set_of(shop.items.product_ids, trained.model.kinds, trained.model.orders, cases)
    ours = ndcg_of(trained.model, cases)
    plain = plain_ndcg(shop.items, known, test_set)
    best = max(plain.values(), key=lambda scores: float(scores.mean()))
    ahead = paired_interval(ours, best, SEED)
    return (
        f"{size:,}",
        trained.card.basis,
        f"{ours.mean():.3f}",
        *(f"{scores.mean():.3f}" for scores in plain.values()),
        f"{ahead.mean:+.3f} [{ahead.low:+.3f}, {ahead.high:+.3f}]",
    )


def plain_ndcg(items: Items, known: Baskets, test_set: TestSet) -> dict[str, np.ndarray]:
    """Return what the plain ways reach, one number a case."""
    ids, now = items.product_ids, int(known.times[-1]) if len(known) else 0
    sold = popularity(known, len(items), now, None)
    similar = cosine(known, len(items), now, CosineParameters())
    scorers = {
        "popularity": by_popularity(sold),
        "cosine": by_similarity(ids, similar),
        "own repeats": by_repeats(ids, sold),
    }
    return {
        name: by_case(ndcg_at_k, test_set.cases, recommendations_of(scorer, test_set).all, K)
        for name, scorer in scorers.items()
    }


def households(whole: Dataset, orders: int) -> Dataset:
    """Return the shop of as many households, drawn at random, as it takes for so many orders."""
    baskets = whole.baskets
    drawn = np.random.default_rng(SEED).permutation(len(whole.customer_ids))
    each = np.bincount(baskets.customers, minlength=len(drawn))
    chosen = drawn[: int(np.searchsorted(np.cumsum(each[drawn]), orders)) + 1]
    kept = np.isin(baskets.customers, chosen)
    lines = np.repeat(kept, baskets.sizes)
    sold = np.unique(baskets.items[lines])
    indptr = np.concatenate([[0], np.cumsum(baskets.sizes[kept])])
    found = Baskets(
        indptr,
        np.searchsorted(sold, baskets.items[lines]).astype(np.int32),
        baskets.times[kept],
        baskets.customers[kept],
    )
    items = whole.items
    titles = tuple(items.titles[at] for at in sold)
    few = Items(
        items.product_ids[sold], titles, items.features[sold], items.feature_names, items.created[sold]
    )
    return Dataset(few, found, whole.customer_ids, {"products": len(sold), "orders": len(found)})


if __name__ == "__main__":
    main()
