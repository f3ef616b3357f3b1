from __future__ import annotations

import numpy as np
import pytest

from app.experiments.refusal import Cause, Refusal
from app.offpolicy.estimate import PolicyEstimate, WeightedDecisions, estimate
from benchmarks.offpolicy import logged


def test_all_three_estimates_find_what_the_other_policy_earns() -> None:
    trials, truth = logged(20_000, seed=1)
    found = estimate(trials)
    assert isinstance(found, PolicyEstimate)
    for each in (found.ips, found.self_normalised, found.doubly_robust):
        assert each.low < truth < each.high
    assert found.support == pytest.approx(1, abs=0.05)
    assert not found.logged.low < truth < found.logged.high  # what was logged is another matter


def test_the_doubly_robust_estimate_is_the_surest_and_right_even_by_a_wrong_model() -> None:
    trials, truth = logged(20_000, seed=2)
    wrong = WeightedDecisions(
        trials.weight, trials.reward, trials.predicted * 0 + 3, trials.by_target * 0 + 3
    )
    good, bad = estimate(trials), estimate(wrong)
    assert isinstance(good, PolicyEstimate)
    assert isinstance(bad, PolicyEstimate)
    assert bad.doubly_robust.low < truth < bad.doubly_robust.high
    widths = [each.high - each.low for each in (good.doubly_robust, good.ips)]
    assert widths[0] < widths[1]


def test_the_policy_that_served_is_worth_what_it_earned() -> None:
    reward = np.random.default_rng(0).exponential(10, 1_000)
    found = estimate(WeightedDecisions(np.ones(1_000), reward, reward * 0, reward * 0))
    assert isinstance(found, PolicyEstimate)
    assert found.ips == found.self_normalised == found.logged
    assert (found.effective, found.gain.value) == (1_000, 0)


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        (np.zeros(1_000), "100% of what it would do was never done"),
        (np.r_[np.ones(700), np.zeros(300)], "30% of what it would do was never done"),
        (np.r_[np.full(20, 50.0), np.zeros(980)], "are worth 20 of its own"),
        # (99 * 10 + 5)^2 / (99 * 100 + 25) = 99.7: not yet 100
        (np.r_[np.full(99, 10.0), 5.0, np.zeros(900)], "are worth 99 of its own"),
    ],
)
def test_what_was_never_or_hardly_done_is_refused(weight: np.ndarray, says: str) -> None:
    refused = estimate(WeightedDecisions(weight, np.ones(1_000), np.zeros(1_000), np.zeros(1_000)))
    assert isinstance(refused, Refusal)
    assert refused.cause == Cause.NO_SUPPORT
    assert says in refused.says


def test_few_decisions_are_too_early() -> None:
    refused = estimate(WeightedDecisions(*np.ones((4, 10))))
    assert isinstance(refused, Refusal)
    assert refused.cause == Cause.TOO_EARLY


def seldom_ordered(size: int, seed: int) -> WeightedDecisions:
    """Return decisions of which one in 20 was the other policy's, and 3 % ordered for 30 on average."""
    rng = np.random.default_rng(seed)
    reward = (rng.random(size) < 0.03) * rng.exponential(30, size)
    return WeightedDecisions((rng.random(size) < 0.05) * 20.0, reward, np.zeros(size), np.zeros(size))


def test_of_a_handful_of_orders_no_interval_is_told() -> None:
    # 4,000 decisions are worth 200 of its own, and about six of them ordered.
    refused = estimate(seldom_ordered(4_000, seed=0))
    assert isinstance(refused, Refusal)
    assert refused.cause == Cause.TOO_EARLY
    assert "estimates begin at 50" in refused.says


def test_orders_that_are_worth_almost_enough_are_not_told_as_enough() -> None:
    # 49.5^2 / 49.25 = 49.8
    weight, reward = np.r_[np.ones(49), 0.5, np.ones(950)], np.r_[np.ones(50), np.zeros(950)]
    refused = estimate(WeightedDecisions(weight, reward, np.zeros(1_000), np.zeros(1_000)))
    assert isinstance(refused, Refusal)
    assert "as 49 of its own; estimates begin at 50" in refused.says


def test_intervals_that_are_told_hold_the_truth_where_few_order() -> None:
    found = [estimate(seldom_ordered(40_000, seed)) for seed in range(200)]
    told = [each for each in found if isinstance(each, PolicyEstimate)]
    assert len(told) > 150  # about 60 orders
    held = sum(each.doubly_robust.low < 0.9 < each.doubly_robust.high for each in told)
    assert held >= 0.9 * len(told)
