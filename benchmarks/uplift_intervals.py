"""How often the intervals of a coupon's effect hold the true one, in made-up shops: as docs/intent.md states.

python -m benchmarks.uplift_intervals              prints the figures
python -m benchmarks.uplift_intervals --write      puts them into docs/intent.md
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from app.intent.exposures import Exposures
from app.intent.fitting import Floats
from app.intent.rates import Rate, rate
from app.intent.uplift import UpliftModel
from app.intent.uplift_training import train
from benchmarks.shop_with_truth import deciders, features

DOCS = Path(__file__).parents[1] / "docs" / "intent.md"
BEGIN, END = "<!-- figures: python -m benchmarks.uplift_intervals --write -->", "<!-- end of intervals -->"
SHOPS = 60
LATER = 40_000  # shoppers on whom a true effect is worked out
SIZES = ((2_000, 0.5), (8_000, 0.5), (4_000, 0.1), (8_000, 0.1))  # exposures, and the share held back


@dataclass(frozen=True, slots=True)
class Later:
    """Shoppers of whom the coupon's true effect is known."""

    features: Floats
    effects: Floats


def main() -> None:
    """Measure; print it, or write it into the document."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--write", action="store_true", help=f"replace the figures in {DOCS.name}")
    asked = parser.parse_args()
    found = "\n".join(table())
    print(found)
    if asked.write:
        before, _, rest = DOCS.read_text("utf-8").partition(BEGIN)
        DOCS.write_text(f"{before}{BEGIN}\n{found}\n{END}{rest.split(END)[1]}", "utf-8")


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    of = deciders(LATER, np.random.default_rng(999))
    later = Later(features(of), of.buys_with_coupon - of.buys)
    yield "| exposures | held back | average effects | hold the truth | effects of a fifth | hold the truth |"
    yield "|---|---|---|---|---|---|"
    with threadpool_limits(limits=1):
        for count, held_back in SIZES:
            told = [held(count, held_back, seed, later) for seed in range(SHOPS)]
            average, fifths = (
                rate(sum(sum(each) for each in part), sum(map(len, part))) for part in zip(*told, strict=True)
            )
            yield f"| {count:,} | {held_back:.0%} | {_said(average)} | {_said(fifths)} |"


def held(count: int, held_back: float, seed: int, later: Later) -> tuple[list[bool], list[bool]]:
    """Return whether the intervals of one shop hold the truth: of the average, and of the fifths if told."""
    random = np.random.default_rng(seed)
    of = deciders(count, random)
    shown, luck = random.random(count) >= held_back, random.random(count)
    bought = luck < np.where(shown, of.buys_with_coupon, of.buys)
    model, report = train("c", Exposures(features(of), shown, np.full(count, 1 - held_back), bought), seed)
    average = report.average
    if model is None or average is None:
        return [], []
    overall = [average.low <= float(later.effects.mean()) <= average.high]
    return overall, _fifths(model, later) if model.cuts else []


def _fifths(model: UpliftModel, later: Later) -> list[bool]:
    predicted = later.features @ np.array(model.weights) + model.bias
    fifth = np.searchsorted(np.array(model.cuts), predicted, side="right")
    truth = [float(later.effects[fifth == at].mean()) for at in range(len(model.effects))]
    return [effect.low <= true <= effect.high for effect, true in zip(model.effects, truth, strict=True)]


def _said(measured: Rate) -> str:
    if measured.share is None:
        return "0 | –"
    return f"{measured.of} | {measured.share:.1%} ({measured.low:.1%} to {measured.high:.1%})"


if __name__ == "__main__":
    main()
