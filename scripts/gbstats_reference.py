"""Writes tests/experiments/gbstats.cases.json: the same units as GrowthBook's engine sees them.

gbstats pins numpy < 2, so it has an environment of its own, outside of this folder:

    python -m venv ENV && ENV/bin/pip install gbstats==0.8.0 && ENV/bin/python scripts/gbstats_reference.py
"""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import gbstats.frequentist.tests as engine
import numpy as np
from gbstats.models.statistics import (
    ProportionStatistic,
    RatioStatistic,
    RegressionAdjustedStatistic,
    SampleMeanStatistic,
    compute_theta,
)
from gbstats.utils import check_srm

TO = Path(__file__).parents[1] / "tests" / "experiments" / "gbstats.cases.json"
SIZES = {"control": 160, "treated": 140}
TUNINGS = (5_000, 10_000)


def units(rng: np.random.Generator, size: int, lift: float) -> dict[str, list[int]]:
    """Return what the units of an arm did: some spent before, some order once or twice."""
    taste = rng.gamma(2, 0.5, size)
    orders = rng.binomial(2, np.minimum(0.3 * taste * lift, 1))
    revenue = (orders * rng.lognormal(8, 0.7, size) * taste).round()
    before = (rng.binomial(1, 0.6, size) * taste * rng.lognormal(8, 0.5, size)).round()
    return {
        "bought": (orders > 0).astype(int).tolist(),
        "orders": orders.tolist(),
        "revenue": revenue.astype(int).tolist(),
        "before": before.astype(int).tolist(),
    }


def sample(values: list[int]) -> SampleMeanStatistic:
    """Return the mean's statistic."""
    array = np.array(values, dtype=float)
    return SampleMeanStatistic(n=len(array), sum=array.sum(), sum_squares=np.square(array).sum())


def products(one: list[int], other: list[int]) -> float:
    """Return the sum of the products."""
    return float(np.dot(np.array(one, dtype=float), np.array(other, dtype=float)))


def ratio(arm: dict[str, list[int]]) -> RatioStatistic:
    """Return revenue over orders."""
    return RatioStatistic(
        n=len(arm["orders"]),
        m_statistic=sample(arm["revenue"]),
        d_statistic=sample(arm["orders"]),
        m_d_sum_of_products=products(arm["revenue"], arm["orders"]),
    )


def adjusted(arm: dict[str, list[int]], theta: float) -> RegressionAdjustedStatistic:
    """Return revenue adjusted for what was spent before."""
    return RegressionAdjustedStatistic(
        n=len(arm["revenue"]),
        post_statistic=sample(arm["revenue"]),
        pre_statistic=sample(arm["before"]),
        post_pre_sum_of_products=products(arm["revenue"], arm["before"]),
        theta=theta,
    )


def results(control: object, treated: object) -> dict[str, object]:
    """Return what the engine says of the difference and of the lift, at each tuning."""
    found = {}
    for kind in ("absolute", "relative"):
        for tuning in TUNINGS:
            config = engine.SequentialConfig(difference_type=kind, sequential_tuning_parameter=tuning)
            said = asdict(engine.SequentialTwoSidedTTest(control, treated, config).compute_result())
            found[f"{kind} {tuning}"] = {name: said[name] for name in ("expected", "ci", "p_value")}
    return found


def main() -> None:
    """Draw the units, ask the engine, write both down."""
    rng = np.random.default_rng(20_261_125)
    control, treated = units(rng, SIZES["control"], 1.0), units(rng, SIZES["treated"], 1.5)
    theta = compute_theta(adjusted(control, 0), adjusted(treated, 0))
    cases = {
        "conversion": results(sample(control["bought"]), sample(treated["bought"])),
        "conversion as their proportion": results(
            *(ProportionStatistic(n=len(arm["bought"]), sum=sum(arm["bought"])) for arm in (control, treated))
        ),
        "revenue": results(sample(control["revenue"]), sample(treated["revenue"])),
        "aov": results(ratio(control), ratio(treated)),
        "adjusted": results(adjusted(control, theta), adjusted(treated, theta)),
    }
    splits = [([480, 520], [0.5, 0.5]), ([5_300, 90_000, 4_700], [0.05, 0.9, 0.05]), ([70, 30], [2, 1])]
    srm = [{"counts": n, "weights": w, "p_value": float(check_srm(n, w))} for n, w in splits]
    document = {
        "engine": f"gbstats {version('gbstats')}",
        "units": {"control": control, "treated": treated},
        "theta": theta,
        "results": cases,
        "srm": srm,
    }
    TO.write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
