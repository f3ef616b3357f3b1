import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import bootstrap

from app.experiments.estimates import Estimate, cuped_means, cuped_theta, difference, lift, mean_of, ratio_of
from app.experiments.mismatch import check_srm
from app.experiments.sequential import half_width, optimal_rho, p_value

PEER = json.loads(Path(__file__).with_name("gbstats.cases.json").read_text())
CONTROL, TREATED = (
    {name: np.array(values, dtype=float) for name, values in PEER["units"][arm].items()}
    for arm in ("control", "treated")
)
DIGITS = 1e-9
ALPHA = 0.05


def ours(metric: str) -> list[Estimate]:
    if metric == "aov":
        ratios = [ratio_of(arm["revenue"], arm["orders"]) for arm in (CONTROL, TREATED)]
        return [each for each in ratios if each is not None]
    if metric == "adjusted":
        values, before = ([arm[name] for arm in (CONTROL, TREATED)] for name in ("revenue", "before"))
        return cuped_means(values, before, PEER["theta"])
    column = "bought" if metric.startswith("conversion") else metric
    return [mean_of(arm[column]) for arm in (CONTROL, TREATED)]


@pytest.mark.parametrize("metric", ["conversion", "revenue", "aov", "adjusted"])
@pytest.mark.parametrize("kind", ["absolute", "relative"])
@pytest.mark.parametrize("planned", [5_000, 10_000])
def test_a_peers_engine_comes_to_the_same(metric: str, kind: str, planned: int) -> None:
    control, treated = ours(metric)
    effect = (difference if kind == "absolute" else lift)(treated, control)
    assert effect is not None
    theirs: dict[str, Any] = PEER["results"][metric][f"{kind} {planned}"]
    rho = optimal_rho(planned, ALPHA)
    half = half_width(effect, rho, ALPHA)
    assert effect.value == pytest.approx(theirs["expected"], rel=DIGITS)
    assert [effect.value - half, effect.value + half] == pytest.approx(theirs["ci"], rel=DIGITS)
    assert p_value(effect, rho) == pytest.approx(theirs["p_value"], rel=DIGITS)


def test_a_share_differs_from_the_peers_by_one_unit_in_its_variance() -> None:
    # They divide the variance of yes and no by n, we by n - 1 as for any other value.
    control, treated = ours("conversion")
    theirs = PEER["results"]["conversion as their proportion"]["absolute 5000"]
    half = half_width(difference(treated, control), optimal_rho(5_000, ALPHA), ALPHA)
    assert half == pytest.approx((theirs["ci"][1] - theirs["ci"][0]) / 2, rel=1 / 140)


@pytest.mark.parametrize("case", PEER["srm"])
def test_a_peers_mismatch_check_comes_to_the_same(case: dict[str, Any]) -> None:
    shares = [weight / sum(case["weights"]) for weight in case["weights"]]
    assert check_srm(case["counts"], shares) == pytest.approx(case["p_value"], rel=DIGITS)


def test_the_delta_method_agrees_with_the_bootstrap() -> None:
    estimate = ratio_of(TREATED["revenue"], TREATED["orders"])
    again = bootstrap(
        (TREATED["revenue"], TREATED["orders"]),
        lambda above, below, axis: above.sum(axis=axis) / below.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=4_000,
        rng=1,
    )
    assert estimate is not None
    assert estimate.variance**0.5 == pytest.approx(again.standard_error, rel=0.05)


def test_a_ratio_over_nothing_is_none() -> None:
    assert ratio_of(np.zeros(3), np.zeros(3)) is None


def test_the_slope_is_that_of_a_regression_with_the_arms_in_it() -> None:
    values, before = ([arm[name] for arm in (CONTROL, TREATED)] for name in ("revenue", "before"))
    y, x = np.concatenate(values), np.concatenate(before)
    treated = np.repeat([0.0, 1.0], [len(each) for each in values])
    design = np.column_stack([np.ones_like(x), treated, x])
    assert cuped_theta(values, before) == pytest.approx(np.linalg.lstsq(design, y)[0][2])


def test_an_arms_effect_does_not_leak_into_the_slope() -> None:
    values, before = ([arm[name] for arm in (CONTROL, TREATED)] for name in ("revenue", "before"))
    assert cuped_theta([values[0], values[1] + 10**6], before) == pytest.approx(cuped_theta(values, before))


def test_a_past_of_nothing_has_no_slope() -> None:
    assert cuped_theta([CONTROL["revenue"]], [np.zeros(len(CONTROL["revenue"]))]) == 0


def test_the_adjustment_moves_arms_towards_each_other_by_what_their_pasts_differ() -> None:
    # Past means 1 and 3, together 2; theta 2 moves the arms by +2 and -2.
    past = [np.array([0.0, 2.0]), np.array([2.0, 4.0])]
    arms = cuped_means([2 * past[0], 2 * past[1]], past, theta=2.0)
    assert [each.value for each in arms] == [4.0, 4.0]
    assert [each.variance for each in arms] == [0.0, 0.0]
    assert [each.base for each in arms] == [2.0, 6.0]


@pytest.mark.parametrize("control", [0.0, -1.0, 0.39])
def test_nothing_is_a_share_of_a_control_that_may_be_nothing(control: float) -> None:
    # A standard error of .1: below four of them.
    assert lift(Estimate(9, 1.0, 0.01, 1.0), Estimate(9, control, 0.01, control)) is None


def test_the_interval_is_narrowest_where_it_was_tuned_to_be() -> None:
    effect = difference(*reversed(ours("revenue")))  # 300 units
    widths = {n: half_width(effect, optimal_rho(n, ALPHA), ALPHA) for n in (30, 300, 3_000, 30_000)}
    assert min(widths, key=widths.__getitem__) == 300


def test_the_p_value_is_below_alpha_exactly_when_the_interval_leaves_out_zero() -> None:
    effect, rho = difference(*reversed(ours("conversion"))), optimal_rho(300, ALPHA)
    edge = p_value(effect, rho)
    assert half_width(effect, rho, edge) == pytest.approx(abs(effect.value))
