from dataclasses import replace
from math import inf, nan

import pytest
from scipy.stats import norm

from app.experiments.estimates import Effect
from app.experiments.power import PowerPlan, days_needed, units_needed
from app.experiments.sequential import half_width, optimal_rho

# A third of visitors order; a tenth more orders are to be found.
PLAN = PowerPlan(mean=0.3, deviation=(0.3 * 0.7) ** 0.5, lift=0.1)


def test_one_look_needs_what_the_textbook_says() -> None:
    # n per arm = 2 * .21 * (1.96 + .8416)^2 / .03^2 = 3,662.7 -> twice that
    per_arm = 2 * 0.21 * (norm.isf(0.025) + norm.ppf(0.8)) ** 2 / 0.03**2
    assert units_needed(PLAN).fixed_units == pytest.approx(2 * per_arm, abs=1)


def test_looking_at_any_time_costs_units() -> None:
    needed = units_needed(PLAN)
    assert 1.5 < needed.units / needed.fixed_units < 2.5


@pytest.mark.parametrize(
    "harder",
    [{"lift": 0.05}, {"alpha": 0.01}, {"power": 0.9}, {"comparisons": 3}, {"deviation": 1.0},
     {"share": 0.9, "control_share": 0.05}],
)  # fmt: skip
def test_what_is_harder_to_find_needs_more(harder: dict[str, float]) -> None:
    assert units_needed(replace(PLAN, **harder)).units > units_needed(PLAN).units


@pytest.mark.parametrize(("share", "comparisons"), [(0.5, 1), (0.25, 3), (0.05, 2)])
def test_the_units_of_an_arm_and_of_the_control_alone_find_it(share: float, comparisons: int) -> None:
    # Of arms beside them nothing is in their interval, which is as wide as the reading makes it.
    units = units_needed(replace(PLAN, share=share, control_share=share, comparisons=comparisons)).units
    effect = Effect(round(2 * share * units), 0.03, 2 * 0.21 / (share * units))
    half = half_width(effect, optimal_rho(units, 0.05), 0.05 / comparisons)
    assert norm.cdf((0.03 - half) / effect.variance**0.5) == pytest.approx(0.8, abs=0.001)


def test_half_the_difference_needs_four_times_the_units() -> None:
    ratio = units_needed(replace(PLAN, lift=0.05)).units / units_needed(PLAN).units
    assert ratio == pytest.approx(4, rel=0.01)


def test_a_loss_is_found_as_a_gain_is() -> None:
    assert units_needed(replace(PLAN, lift=-0.1)) == units_needed(PLAN)


@pytest.mark.parametrize(
    "nonsense",
    [{"mean": 0}, {"mean": nan}, {"deviation": 0}, {"deviation": inf}, {"lift": 0}, {"lift": nan},
     {"lift": 1e-9}, {"alpha": 0}, {"power": 1}, {"share": 0}, {"share": 0.9}, {"comparisons": 0}],
)  # fmt: skip
def test_what_can_not_be_planned_is_refused(nonsense: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        units_needed(replace(PLAN, **nonsense))


def test_days_are_whole_weeks_and_the_last_window_has_to_end() -> None:
    # 1,000 units at 100 a day are 10 days, and 14 until the last of them is over: 24, in weeks 28.
    assert days_needed(1_000, 100, window_days=14) == 28
    assert days_needed(1_000, 100, window_days=14, ramp=0.5) == 35  # 20 + 14 = 34


@pytest.mark.parametrize(("a_day", "ramp"), [(0, 1.0), (10, 0.0)])
def test_without_visitors_no_day_is_named(a_day: float, ramp: float) -> None:
    with pytest.raises(ValueError, match="visitors"):
        days_needed(1_000, a_day, 14, ramp)
