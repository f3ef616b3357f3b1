"""What an experiment shows so far: figures with intervals that hold at any look, or why not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np

from app.experiments.corrections import holm
from app.experiments.estimates import (
    Effect,
    Estimate,
    cuped_means,
    cuped_theta,
    difference,
    lift,
    mean_of,
    ratio_of,
    with_pooled_variance,
)
from app.experiments.metrics import METRICS, Metric
from app.experiments.mismatch import Mismatch, mismatch
from app.experiments.ready import column, insufficient_data, recognition_refusal, srm_refusal
from app.experiments.refusal import Cause, Refusal
from app.experiments.sequential import half_width, optimal_rho, p_value
from app.experiments.units import Units, winsorised


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """How a version is analysed; fixed before it starts.

    arms, shares: as planned. primary: the metric that decides; the others explain. winsor: see `winsorised`.
    """

    arms: tuple[str, ...]
    shares: tuple[float, ...]
    control: str
    primary: str = "revenue"
    alpha: float = 0.05
    planned_units: int = 10_000
    winsor: float = 0.99


class Verdict(StrEnum):
    """What the evidence says of an arm beside the control."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the bounds that hold at every look at once."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm beside the control. lift: None where the control is too near zero to divide by.

    p_value: always valid, adjusted for the other comparisons of its family. variance_kept: what the
    adjustment for earlier spend left of the variance, 1 without one. level: of the intervals.
    """

    metric: str
    arm: str
    figure: float
    control_figure: float
    difference: Interval
    lift: Interval | None
    p_value: float
    verdict: Verdict
    level: float
    variance_kept: float


@dataclass(frozen=True, slots=True)
class Reading:
    """All there is to say: the split, and for each metric its comparisons or why there are none.

    recognised: the split of those who came under a second name, None while nobody did. cut: the share of
    each arm's revenue that winsorising took, None of an arm without any.
    """

    mismatch: Mismatch | Refusal
    metrics: dict[str, tuple[Comparison, ...] | Refusal]
    recognised: Mismatch | None = None
    cut: tuple[float | None, ...] = ()


def analyse(
    units: Units, plan: AnalysisPlan, counts: Sequence[int], recognised: Sequence[int] = ()
) -> Reading:
    """Return what the units show.

    units: those whose window is over. counts: exposed units per arm, those still within theirs too;
    recognised: how many of them came under a second name.
    """
    nobody = Refusal(Cause.NOBODY, "nobody has been exposed to it yet")
    split = mismatch(counts, plan.shares) if sum(counts) else nobody
    known = mismatch(recognised, plan.shares) if sum(recognised) else None
    held = winsorised(units, plan.winsor)
    refused = _not_comparable(split, known)
    found = {name: refused or _compared(metric, held, plan) for name, metric in METRICS.items()}
    primary = {name: each for name, each in found.items() if name == plan.primary}
    others = {name: each for name, each in found.items() if name != plan.primary}
    metrics = _judged(primary, plan) | _judged(others, plan)
    return Reading(split, metrics, known, _cut(units, held, len(plan.arms)))


@dataclass(frozen=True, slots=True)
class _Pair:
    """An arm and the control, before it is judged."""

    arm: str
    treated: Estimate
    control: Estimate
    kept: float


def _not_comparable(split: Mismatch | Refusal, known: Mismatch | None) -> Refusal | None:
    """Return why no figure of one arm may be held against another's, None where it may."""
    if isinstance(split, Refusal):
        return split
    if split.found:
        return srm_refusal(split)
    return recognition_refusal(known) if known is not None and known.found else None


def _cut(units: Units, held: Units, arms: int) -> tuple[float | None, ...]:
    whole, kept = (np.bincount(each.arm, each.revenue, arms).tolist() for each in (units, held))
    return tuple(
        1 - left / all_of_it if all_of_it else None for all_of_it, left in zip(whole, kept, strict=True)
    )


def _compared(metric: Metric, units: Units, plan: AnalysisPlan) -> tuple[_Pair, ...] | Refusal:
    return insufficient_data(metric, units, plan.arms) or _estimated(metric, units, plan)


def _estimated(metric: Metric, units: Units, plan: AnalysisPlan) -> tuple[_Pair, ...] | Refusal:
    arms, kept = _arm_figures(metric, units, len(plan.arms))
    if isinstance(arms, Refusal):
        return arms
    control = plan.arms.index(plan.control)
    pairs = tuple(
        _Pair(name, *with_pooled_variance(arm, arms[control]), kept)
        for place, (name, arm) in enumerate(zip(plan.arms, arms, strict=True))
        if place != control
    )
    if any(pair.treated.variance + pair.control.variance <= 0 for pair in pairs):
        return Refusal(
            Cause.NOTHING_VARIES, f"{metric.says}: all units of an arm are alike, so chance has no measure"
        )
    return pairs


def _arm_figures(metric: Metric, units: Units, arms: int) -> tuple[list[Estimate] | Refusal, float]:
    """Return each arm's figure, and what the adjustment left of the variance."""
    values, known = column(units, metric.above), np.isfinite(column(units, metric.above))
    of = [np.flatnonzero((units.arm == arm) & known) for arm in range(arms)]
    if metric.below is not None:
        base = column(units, metric.below)
        ratios = [ratio_of(values[rows], base[rows]) for rows in of]
        found = [each for each in ratios if each is not None]
        if len(found) < arms:
            return Refusal(Cause.NO_BASE, f"{metric.says}: an arm has no order to divide by"), 1.0
        return found, 1.0
    plain = [mean_of(values[rows]) for rows in of]
    if not metric.adjusted:
        return list(plain), 1.0
    figures, past = [values[rows] for rows in of], [units.before[rows] for rows in of]
    theta = cuped_theta(figures, past)
    if theta == 0:
        return list(plain), 1.0
    adjusted = cuped_means(figures, past, theta)
    return adjusted, sum(each.variance for each in adjusted) / sum(each.variance for each in plain)


def _judged(
    family: dict[str, tuple[_Pair, ...] | Refusal], plan: AnalysisPlan
) -> dict[str, tuple[Comparison, ...] | Refusal]:
    """Return the comparisons with intervals that cover all of the family together, and Holm's p-values.

    The family is as large as planned, whatever of it can be told so far.
    """
    many = len(family) * (len(plan.arms) - 1)
    alpha = plan.alpha / many
    judge = partial(_comparison, rho=optimal_rho(plan.planned_units, plan.alpha), alpha=alpha)
    judged = {
        name: pairs if isinstance(pairs, Refusal) else tuple(judge(METRICS[name], pair) for pair in pairs)
        for name, pairs in family.items()
    }
    every = [each for found in judged.values() if not isinstance(found, Refusal) for each in found]
    p_values = [each.p_value for each in every] + [1.0] * (many - len(every))
    adjusted = dict(zip(map(id, every), holm(p_values), strict=False))
    return {
        name: found
        if isinstance(found, Refusal)
        else tuple(_with_verdict(each, adjusted[id(each)], plan.alpha) for each in found)
        for name, found in judged.items()
    }


def _comparison(metric: Metric, pair: _Pair, rho: float, alpha: float) -> Comparison:
    effect, relative = difference(pair.treated, pair.control), lift(pair.treated, pair.control)
    return Comparison(
        metric=metric.name,
        arm=pair.arm,
        figure=pair.treated.base,
        control_figure=pair.control.base,
        difference=_interval(effect, rho, alpha),
        lift=None if relative is None else _interval(relative, rho, alpha),
        p_value=p_value(effect, rho),
        verdict=Verdict.UNDECIDED,
        level=1 - alpha,
        variance_kept=pair.kept,
    )


def _interval(effect: Effect, rho: float, alpha: float) -> Interval:
    half = half_width(effect, rho, alpha)
    return Interval(effect.value, effect.value - half, effect.value + half)


def _with_verdict(found: Comparison, p: float, alpha: float) -> Comparison:
    if p > alpha:
        return replace(found, p_value=p)
    up = found.difference.value * METRICS[found.metric].better > 0
    return replace(found, p_value=p, verdict=Verdict.BETTER if up else Verdict.WORSE)
