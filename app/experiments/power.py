"""How many units an experiment needs, and how long that takes, before it starts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, sqrt

from scipy.special import ndtr, ndtri

from app.experiments.estimates import Effect
from app.experiments.sequential import half_width, optimal_rho

DAYS_OF_A_WEEK = 7
_MOST_UNITS = 10**12


@dataclass(frozen=True, slots=True)
class PowerPlan:
    """What is expected, and what is to be found.

    mean, deviation: of the metric, a unit. lift: the smallest relative difference worth finding.
    share, control_share: of the experiment's units, in the arm and in the control. comparisons: arms
    beside the control.
    """

    mean: float
    deviation: float
    lift: float
    share: float = 0.5
    control_share: float = 0.5
    comparisons: int = 1
    alpha: float = 0.05
    power: float = 0.8


@dataclass(frozen=True, slots=True)
class SampleSize:
    """How many units of the whole experiment.

    units: when one may look at any time, for at least the planned power by then. fixed_units: were one to
    look once, at the end, and never before.
    """

    units: int
    fixed_units: int


def units_needed(plan: PowerPlan) -> SampleSize:
    """Return how many units to plan for. Raises ValueError for what can't be planned."""
    _check(plan)
    per_unit = _variance(plan, 1)
    wanted = abs(plan.mean * plan.lift)
    quantiles = ndtri(plan.power) - ndtri(plan.alpha / plan.comparisons / 2)
    fixed = quantiles**2 * per_unit / wanted**2
    if fixed > _MOST_UNITS:
        raise ValueError("so small a difference can't be found with any number of visitors")
    low, high = int(fixed), 2 * int(fixed) + 2
    while _power_at(plan, high) < plan.power:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power_at(plan, middle) >= plan.power else (middle, high)
    return SampleSize(high, ceil(fixed))


def days_needed(units: int, units_a_day: float, window_days: int, ramp: float = 1.0) -> int:
    """Return how many days until so many units have completed their windows, in whole weeks.

    Weekends sell otherwise than weekdays. Raises ValueError without visitors.
    """
    if units_a_day <= 0 or ramp <= 0:
        raise ValueError("without visitors it takes for ever")
    days = ceil(units / (units_a_day * ramp)) + window_days
    return ceil(days / DAYS_OF_A_WEEK) * DAYS_OF_A_WEEK


def _power_at(plan: PowerPlan, units: int) -> float:
    """Return how likely the interval leaves out zero at this number of units alone: at least that by then."""
    both = round(units * (plan.share + plan.control_share))
    effect = Effect(both, abs(plan.mean * plan.lift), _variance(plan, units))
    # As it will be analysed: tuned to this number at the whole level, read at each comparison's part of it.
    half = half_width(effect, optimal_rho(units, plan.alpha), plan.alpha / plan.comparisons)
    return float(ndtr((effect.value - half) / sqrt(effect.variance)))


def _variance(plan: PowerPlan, units: int) -> float:
    return plan.deviation**2 * (1 / plan.share + 1 / plan.control_share) / units


def _check(plan: PowerPlan) -> None:
    if not 0 < plan.mean < inf or not 0 < plan.deviation < inf:
        raise ValueError("a plan needs a mean and a deviation above zero: there must be something to change")
    if not 0 < abs(plan.lift) < inf:
        raise ValueError("the difference to find must not be zero")
    if not (0 < plan.alpha < 0.5 and 0.5 <= plan.power < 1) or plan.comparisons < 1:
        raise ValueError("alpha lies between 0 and 0.5, the power between 0.5 and 1")
    if min(plan.share, plan.control_share) <= 0 or plan.share + plan.control_share > 1 + 1e-9:
        raise ValueError("the shares of the arm and of the control lie above 0 and make at most 1")
