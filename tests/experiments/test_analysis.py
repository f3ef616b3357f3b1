from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.experiments.analysis import AnalysisPlan, Comparison, Reading, Verdict, analyse
from app.experiments.metrics import METRICS
from app.experiments.mismatch import Mismatch
from app.experiments.ready import LEAST_AMOUNTS, LEAST_EVENTS
from app.experiments.refusal import Cause, Refusal
from app.experiments.units import Units, winsorised
from tests.experiments.factories import EVEN, drawn, these, with_columns

NOBODY = these(drawn(size=10), slice(0))


def reading(units: Units, plan: AnalysisPlan = EVEN) -> Reading:
    return analyse(units, plan, units.counts(len(plan.arms)))


def of(found: Reading, metric: str) -> Comparison:
    told = found.metrics[metric]
    assert not isinstance(told, Refusal), told
    return told[0]


def refused(found: Reading, metric: str) -> Refusal:
    told = found.metrics[metric]
    assert isinstance(told, Refusal), told
    return told


def test_what_is_there_is_told_with_an_interval_around_it() -> None:
    units = drawn(lift=0.6, size=20_000)
    found = of(reading(units), "conversion")
    treated, control = (units.bought[units.arm == arm].mean() for arm in (1, 0))
    assert (found.figure, found.control_figure) == pytest.approx((treated, control))
    assert 0 < found.difference.low < found.difference.value < found.difference.high
    assert found.lift is not None
    assert found.lift.low < 0.6 < found.lift.high
    assert found.verdict is Verdict.BETTER


def test_fewer_orders_are_worse_and_fewer_refunds_better() -> None:
    units = drawn(lift=-0.6, size=20_000)
    assert of(reading(units), "conversion").verdict is Verdict.WORSE
    some = np.arange(len(units)) % 3 == 0
    kept = with_columns(units, given_back=units.bought * (some & (units.arm == 0)))
    assert of(reading(kept), "refunds").verdict is Verdict.BETTER


def test_where_the_arms_are_alike_nobody_wins() -> None:
    found = reading(drawn(seed=3))
    verdicts = {
        each.verdict for told in found.metrics.values() if not isinstance(told, Refusal) for each in told
    }
    assert verdicts == {Verdict.UNDECIDED}


def test_the_metric_that_decides_has_a_level_of_its_own_and_the_others_share_one() -> None:
    found = reading(drawn(), AnalysisPlan(EVEN.arms, EVEN.shares, "control", primary="conversion"))
    assert of(found, "conversion").level == pytest.approx(0.95)  # one arm beside the control
    assert of(found, "revenue").level == pytest.approx(1 - 0.05 / 5)  # five metrics of one arm


def test_what_is_too_early_to_tell_takes_no_strictness_from_the_rest() -> None:
    units = with_columns(drawn(), accepted=np.zeros(4_000))
    assert of(reading(units), "conversion").level == pytest.approx(1 - 0.05 / 5)


def test_an_experiment_that_nobody_has_seen_says_so() -> None:
    found = analyse(NOBODY, EVEN, [0, 0])
    assert isinstance(found.mismatch, Refusal)
    assert {refused(found, metric).cause for metric in METRICS} == {Cause.NOBODY}


def test_an_arm_that_nobody_has_completed_is_named() -> None:
    units = drawn(size=600)
    found = analyse(these(units, units.arm == 0), EVEN, units.counts(2))
    assert refused(found, "revenue").cause is Cause.EMPTY_ARM
    assert "treated" in refused(found, "revenue").says


def test_an_arm_that_everybody_avoids_is_a_mismatch_and_nothing_else_is_told() -> None:
    units = drawn()
    found = reading(these(units, units.arm == 0))
    assert isinstance(found.mismatch, Mismatch)
    assert found.mismatch.found
    assert {refused(found, metric).cause for metric in METRICS} == {Cause.MISMATCH}


def test_all_orders_in_one_arm_are_told_but_are_no_multiple_of_nothing() -> None:
    units = drawn(size=4_000, rate=0.1)
    one = units.arm == 1
    found = reading(with_columns(units, bought=units.bought * one, orders=units.orders * one,
                                 revenue=units.revenue * one))  # fmt: skip
    for metric in ("conversion", "revenue"):
        told = of(found, metric)
        assert (told.verdict, told.lift) == (Verdict.BETTER, None)
        assert np.isfinite([told.difference.low, told.difference.high, told.p_value]).all()
    assert refused(found, "aov").cause is Cause.NO_BASE


@pytest.mark.parametrize("everybody", [0.0, 1.0])
def test_where_nobody_or_everybody_orders_there_is_nothing_to_compare(everybody: float) -> None:
    units = drawn()
    found = reading(with_columns(units, bought=np.full(len(units), everybody)))
    assert refused(found, "conversion").cause is Cause.NOTHING_VARIES


def test_without_any_order_no_order_is_averaged() -> None:
    units, none = drawn(), np.zeros(4_000)
    found = reading(with_columns(units, orders=none, placed=none, given_back=none, revenue=none, profit=none))
    assert refused(found, "aov").cause is Cause.NO_BASE
    assert refused(found, "refunds").cause is Cause.NO_BASE
    assert refused(found, "revenue").cause is Cause.TOO_EARLY


@pytest.mark.parametrize("price_minor", [1_000, 1_999, 7_930, 123_457])
@pytest.mark.parametrize("seed", range(5))
def test_orders_that_are_all_of_one_price_do_not_vary(seed: int, price_minor: int) -> None:
    units = drawn(seed)
    found = reading(with_columns(units, revenue=units.orders * price_minor))
    assert refused(found, "aov").cause is Cause.NOTHING_VARIES


def test_one_order_of_a_million_makes_no_winner() -> None:
    units = drawn(size=4_000)
    where = int(np.flatnonzero((units.arm == 1) & (units.bought > 0))[0])
    revenue = units.revenue.copy()
    revenue[where] = 100_000_000  # 1,000,000.00
    found, before = reading(with_columns(units, revenue=revenue)), reading(units)
    assert of(found, "revenue").verdict is Verdict.UNDECIDED
    assert of(found, "revenue").difference.value == pytest.approx(
        of(before, "revenue").difference.value, abs=0.01 * of(before, "revenue").figure
    )
    assert winsorised(with_columns(units, revenue=revenue), 0.99).revenue.max() < 100_000


def test_what_the_cap_took_of_each_arm_is_told() -> None:
    units = drawn(size=4_000, spread=1.5)
    found = reading(units)
    for arm, cut in enumerate(found.cut):
        rows = units.arm == arm
        kept = winsorised(units, EVEN.winsor).revenue[rows].sum()
        assert cut == pytest.approx(1 - kept / units.revenue[rows].sum())
        assert 0.02 < cut < 0.5
    assert reading(units, replace(EVEN, winsor=1.0)).cut == (0.0, 0.0)
    assert analyse(NOBODY, EVEN, [0, 0]).cut == (None, None)


def test_the_cap_is_the_same_whichever_arm_the_values_are_in() -> None:
    units = drawn(lift=0.5)
    flipped = replace(units, arm=1 - units.arm)
    assert winsorised(units, 0.9).revenue.tolist() == winsorised(flipped, 0.9).revenue.tolist()
    assert winsorised(units, 1.0).revenue.tolist() == units.revenue.tolist()


@pytest.mark.parametrize(("metric", "least"), [("conversion", LEAST_EVENTS), ("revenue", LEAST_AMOUNTS)])
def test_figures_begin_when_the_smaller_arm_can_expect_enough_orders(metric: str, least: int) -> None:
    units = these(drawn(rate=0.05), slice(400))
    told = refused(reading(units), metric)
    assert told.cause is Cause.TOO_EARLY
    assert f"figures begin at {least}" in told.says


def test_when_figures_begin_does_not_depend_on_which_arm_is_ahead() -> None:
    for size in range(200, 1_200, 100):
        units = these(drawn(lift=0.9, rate=0.05), slice(size))
        flipped = reading(replace(units, arm=1 - units.arm))
        for metric, told in reading(units).metrics.items():
            assert isinstance(told, Refusal) == isinstance(flipped.metrics[metric], Refusal)


def test_profit_without_costs_is_refused() -> None:
    units = drawn()
    found = reading(with_columns(units, profit=np.where(units.bought > 0, np.nan, 0)))
    assert refused(found, "profit").cause is Cause.COSTS_UNKNOWN
    assert "100%" in refused(found, "profit").says
    assert not isinstance(found.metrics["revenue"], Refusal)


def test_profit_is_refused_where_one_small_arm_sells_what_nobody_knows_the_cost_of() -> None:
    units = drawn(size=8_000)
    few = (units.arm == 0) | (np.arange(8_000) % 10 == 0)
    units = these(units, few)
    buyers = np.flatnonzero((units.arm == 1) & (units.bought > 0))
    unknown = buyers[: len(buyers) // 6]
    assert len(unknown) < 0.02 * (units.bought > 0).sum()  # few of all, many of its own
    profit = units.profit.copy()
    profit[unknown] = np.nan
    uneven = replace(EVEN, shares=(10 / 11, 1 / 11))
    found = analyse(with_columns(units, profit=profit), uneven, units.counts(2))
    told = refused(found, "profit")
    assert told.cause is Cause.COSTS_UNKNOWN
    assert "16% of an arm's buyers" in told.says


def test_a_past_that_says_something_narrows_the_interval() -> None:
    units = drawn()
    after = with_columns(units, revenue=units.revenue + units.before)
    known, unknown = reading(after), reading(with_columns(after, before=np.zeros(len(units))))
    assert of(unknown, "revenue").variance_kept == 1
    assert of(known, "revenue").variance_kept < 0.8
    widths = [
        of(each, "revenue").difference.high - of(each, "revenue").difference.low for each in (known, unknown)
    ]
    assert widths[0] < 0.9 * widths[1]


def test_three_arms_are_compared_with_the_control_and_corrected_for_each_other() -> None:
    plan = AnalysisPlan(("a", "b", "c"), (0.25, 0.5, 0.25), "b")
    rng = np.random.default_rng(0)
    units = replace(drawn(), arm=rng.choice(3, size=4_000, p=plan.shares))
    told = reading(units, plan).metrics["revenue"]
    assert not isinstance(told, Refusal)
    assert [each.arm for each in told] == ["a", "c"]
    assert {each.level for each in told} == {1 - 0.05 / 2}
