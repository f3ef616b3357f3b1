"""Whether there is enough data to report a metric; judged on all arms together. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.experiments.metrics import Metric
from app.experiments.mismatch import Mismatch
from app.experiments.refusal import Cause, Refusal
from app.experiments.units import Floats, Units

# Below these the normal approximation is no good; docs/measurement.md has what was simulated. Amounts are
# more skewed than a yes or no.
LEAST_UNITS = 100
LEAST_EVENTS = 30
LEAST_AMOUNTS = 50
# Of the units of each arm that ordered, so many must have bought nothing of unknown cost.
LEAST_COSTS = 0.98


def column(units: Units, name: str) -> Floats:
    """Return the units' column of this name."""
    values: Floats = getattr(units, name)
    return values


def srm_refusal(split: Mismatch) -> Refusal:
    """Return what is said in the place of every figure."""
    planned = " / ".join(f"{share:.1%}" for share in split.shares)
    return Refusal(
        Cause.MISMATCH,
        f"the arms have {' / '.join(map(str, split.counts))} units where {planned} were planned; that is no "
        f"chance (p = {split.always_valid_p:.1g}): something loses units of one arm",
    )


def recognition_refusal(split: Mismatch) -> Refusal:
    """Return what is said where an arm changes who is recognised, and so whose orders are found."""
    planned = " / ".join(f"{share:.1%}" for share in split.shares)
    return Refusal(
        Cause.MISMATCH,
        f"of who came under a second name, by signing in, the arms have {' / '.join(map(str, split.counts))} "
        f"where {planned} were planned; that is no chance (p = {split.always_valid_p:.1g}): an arm changes "
        "who is recognised, and so whose orders are found",
    )


def insufficient_data(metric: Metric, units: Units, arms: Sequence[str]) -> Refusal | None:
    """Return why the metric has no figures yet, None when it has."""
    counts = units.counts(len(arms))
    empty = [arm for arm, n in zip(arms, counts, strict=True) if not n]
    if empty:
        return Refusal(Cause.EMPTY_ARM, f"no unit of {' and '.join(empty)} has completed its window")
    if min(counts) < LEAST_UNITS:
        return Refusal(
            Cause.TOO_EARLY, f"an arm has {min(counts)} completed units; figures begin at {LEAST_UNITS}"
        )
    return _unknown_costs(metric, units, len(arms)) or _too_few_events(metric, units, min(counts))


def _unknown_costs(metric: Metric, units: Units, arms: int) -> Refusal | None:
    """Return that too many buyers of an arm can't be told. A product that one arm pushes is bought in it."""
    buyers = units.orders > 0
    untold = buyers & ~np.isfinite(column(units, metric.above))
    many, of = (np.bincount(units.arm[which], minlength=arms) for which in (untold, buyers))
    unknown = float((many / np.maximum(of, 1)).max())
    if unknown <= 1 - LEAST_COSTS:
        return None
    return Refusal(
        Cause.COSTS_UNKNOWN,
        f"{metric.says}: {unknown:.0%} of an arm's buyers bought something of unknown cost, at most "
        f"{1 - LEAST_COSTS:.0%} may",
    )


def _too_few_events(metric: Metric, units: Units, smallest: int) -> Refusal | None:
    above = np.nan_to_num(column(units, metric.above))
    base = column(units, metric.below) if metric.below else np.ones(len(units))
    if not base.any():
        return Refusal(Cause.NO_BASE, f"{metric.says}: there is no order yet to divide by")
    events = _events(metric, above, base)
    if not metric.money and not min(events):
        return Refusal(Cause.NOTHING_VARIES, f"{metric.says}: {'none' if not events[0] else 'all'} so far")
    expected, least = smallest / len(units) * min(events), LEAST_AMOUNTS if metric.money else LEAST_EVENTS
    if expected >= least:
        return None
    return Refusal(
        Cause.TOO_EARLY,
        f"{metric.says}: the smallest arm can expect {expected:.1f} of them; figures begin at {least}",
    )


def _events(metric: Metric, above: Floats, base: Floats) -> list[int]:
    """Return how many units tell something: those with, and for a yes or no those without as well."""
    having = int(np.count_nonzero(above))
    return [having] if metric.money else [having, int(np.count_nonzero(base > above))]
