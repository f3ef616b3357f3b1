"""How good recommendations are on a grocer's year, beside every rival: the table of docs/recommendations.md.

python -m benchmarks.recommendations [--out FOLDER] [--docs]
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

from rich.console import Console

from app.errors import InputError
from app.progress_bars import step_bars
from app.recommend.card import OURS
from app.recommend.evaluate import hold_out
from app.recommend.fit import FitParameters
from app.recommend.judge import RankingMetrics
from app.recommend.plot import write_report
from app.recommend.report import Report
from benchmarks.journey import complete_journey

DOCS = Path(__file__).parents[1] / "docs" / "recommendations.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEAD = (
    "| model | recall@10 | NDCG@10 | hit@4 | coverage | novelty | cold recall@10 | ours minus it (NDCG@10) |"
)
RULE = "|---|---|---|---|---|---|---|---|"


def main() -> None:
    """Evaluate, print, write JSON and PNG, and put the tables into the documentation when asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommendations", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("var/recommendations"), help="folder of the results")
    parser.add_argument("--docs", action="store_true", help="write the tables into docs/recommendations.md")
    asked = parser.parse_args()
    out, started = Console(), time.monotonic()
    with step_bars(out) as progress:
        report = hold_out(complete_journey(), FitParameters(), progress, beside_rivals=True)
    if report is None:
        raise InputError("the data set is too small to hold any orders out")
    out.print(*report.tables())
    write_report(report, asked.out)
    minutes = (time.monotonic() - started) / 60
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    cost = f"The whole run took {minutes:.0f} minutes and {gigabytes:.1f} GB at its peak, rivals included."
    out.print(cost)
    if asked.docs:
        before, _, rest = DOCS.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        DOCS.write_text(f"{before}{BEGIN}\n{markdown(report)}\n{cost}\n{END}{after}")


def markdown(report: Report) -> str:
    """Return the report's tables as Markdown."""
    parts = [
        _summary(report),
        _models(report.figures, report, discovery=False),
        f"Without repeat purchases, neither wanted nor recommended ({report.discoveries:,} carts):",
        _models(report.discovery, report, discovery=True),
        "With the shopper's history up to the moment of the cart, as when serving:",
        _parts(report.live),
        "Ours by rung of consent, on the carts of known shoppers, and by how many orders they had placed:",
        _parts(report.rungs | report.segments),
        *(
            f"NDCG@10 of the {name} rung minus the personal one's: "
            f"{loss.mean:+.3f} [{loss.low:+.3f}, {loss.high:+.3f}]."
            for name, loss in report.rung_losses.items()
        ),
        _substitutes(report),
    ]
    return "\n\n".join(parts) + "\n"


def _summary(report: Report) -> str:
    low, high = report.interval.low, report.interval.high
    return (
        f"{report.cases:,} later carts, {report.counts['products']:,} products, basis "
        f"`{report.recipe.basis}`. Ours is {report.lead:+.0%} NDCG@10 beside the best single baseline, "
        f"{report.best_baseline}; its own interval is [{low:.3f}, {high:.3f}]."
    )


def _substitutes(report: Report) -> str:
    ours = report.figures[OURS]
    return (
        f"Of what is recommended in the first four places {ours.same_kind:.0%} is of a type that is in the "
        f"cart already; of what is really bought beside a cart it is {report.same_kind_really:.0%}. Of the "
        f"offers of a type in the cart {ours.same_kind_bought:.1%} were really bought with it, of the others "
        f"{ours.other_kind_bought:.1%}."
    )


def _models(figures: dict[str, RankingMetrics], report: Report, *, discovery: bool) -> str:
    differences = report.discovery_differences if discovery else report.differences
    rows = []
    for name, one in figures.items():
        interval = differences.get(name)
        ahead = f"{interval.mean:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]" if interval else ""
        cold = "" if one.cold_recall_at_10 is None else f"{one.cold_recall_at_10:.3f}"
        rows.append(f"| {name} | {_numbers(one)} | {cold} | {ahead} |")
    return "\n".join([HEAD, RULE, *rows])


def _parts(figures: dict[str, RankingMetrics]) -> str:
    head = "| part | recall@10 | NDCG@10 | hit@4 | coverage | novelty |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(f"| {name} | {_numbers(one)} |" for name, one in figures.items())])


def _numbers(one: RankingMetrics) -> str:
    numbers = (one.recall_at_10, one.ndcg_at_10, one.hit_at_4, one.coverage)
    return " | ".join([*(f"{number:.3f}" for number in numbers), f"{one.novelty:.1f}"])


if __name__ == "__main__":
    main()
