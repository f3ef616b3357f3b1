"""Estimates of one arm and of the difference between two, with their sampling variances. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# A control whose mean is not this many standard errors from zero is nothing to divide by.
_SURE_OF_BASE = 4.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """An arm's figure. variance: of the estimate, not of the units. base: what lifts are relative to."""

    n: int
    value: float
    variance: float
    base: float


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference to the control and its variance. n: units of both arms."""

    n: int
    value: float
    variance: float


def mean_of(values: Floats) -> Estimate:
    """Return the mean of at least two values."""
    mean = float(values.mean())
    return Estimate(len(values), mean, float(values.var(ddof=1)) / len(values), mean)


def ratio_of(above: Floats, below: Floats) -> Estimate | None:
    """Return the ratio of two sums over at least two units; None over nothing.

    Its variance is the delta method's (Deng, Knoblich, Lu: Applying the Delta Method in Metric
    Analytics, KDD 2018): units are independent, their orders are not.
    """
    n, whole = len(below), float(below.sum())
    if whole == 0:
        return None
    # Of sums, which are exact: by means, orders of one price would seem to vary.
    ratio, under = float(above.sum()) / whole, whole / n
    # The variance of (above - ratio * below) / mean(below), which is the delta method's, multiplied out.
    return Estimate(n, ratio, float(np.var(above - ratio * below, ddof=1)) / under**2 / n, ratio)


def cuped_means(values: Sequence[Floats], before: Sequence[Floats], theta: float) -> list[Estimate]:
    """Return the arms' means less theta times how far their units' past lies from everybody's (CUPED).

    values, before: one array an arm, of at least two units each. Deng, Xu, Kohavi, Walker: Improving the
    Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data, WSDM 2013.
    """
    everybody = float(np.concatenate(before).mean())
    arms = []
    for y, x in zip(values, before, strict=True):
        plain, variance = mean_of(y), float(np.var(y - theta * x, ddof=1)) / len(y)
        arms.append(
            Estimate(len(y), plain.value - theta * (float(x.mean()) - everybody), variance, plain.value)
        )
    return arms


def cuped_theta(values: Sequence[Floats], before: Sequence[Floats]) -> float:
    """Return how much of a unit's value goes with its past: theta, pooled within arms; 0 where none does.

    Within, so that the arms' own difference is no part of it.
    """
    arms = zip(values, before, strict=True)
    together = sum(float(((x - x.mean()) * (y - y.mean())).sum()) for y, x in arms)
    spread = sum(float(np.square(x - x.mean()).sum()) for x in before)
    return together / spread if spread > 0 else 0.0


def with_pooled_variance(arm: Estimate, control: Estimate) -> tuple[Estimate, Estimate]:
    """Return both with the spread of their units together, where that makes their difference less sure.

    A small arm of skewed values that missed the large ones has too low a mean and looks too sure of it.
    """
    together = (arm.n - 1) * arm.n * arm.variance + (control.n - 1) * control.n * control.variance
    unit = together / (arm.n + control.n - 2)
    if unit / arm.n + unit / control.n <= arm.variance + control.variance:
        return arm, control
    return replace(arm, variance=unit / arm.n), replace(control, variance=unit / control.n)


def difference(arm: Estimate, control: Estimate) -> Effect:
    """Return the absolute difference to the control."""
    return Effect(arm.n + control.n, arm.value - control.value, arm.variance + control.variance)


def lift(arm: Estimate, control: Estimate) -> Effect | None:
    """Return the difference as a share of the control's figure, by the delta method; None of nothing.

    Relative to the control as it was measured, not as it was adjusted.
    """
    if control.base <= 0 or control.base**2 < _SURE_OF_BASE**2 * control.variance:
        return None
    variance = arm.variance / control.base**2 + control.variance * arm.base**2 / control.base**4
    return Effect(arm.n + control.n, (arm.value - control.value) / control.base, variance)
