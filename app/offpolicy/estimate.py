"""IPS, self-normalised and doubly robust estimates of another policy's value. Pure.

Every estimate weighs what came of a logged action by how much likelier the target policy would have taken it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from app.experiments.analysis import Interval
from app.experiments.refusal import Cause, Refusal
from app.intent.rates import Z

Floats = NDArray[np.float64]

LEAST_DECISIONS = 200
LEAST_EFFECTIVE = 100.0
# With fewer orders, 95 % intervals hold the truth in as few as three of four cases.
LEAST_ORDERS = 50.0
# So much of what the target policy would do must have been done at all; the rest can't be estimated.
LEAST_SUPPORT = 0.98


@dataclass(frozen=True, slots=True, eq=False)
class WeightedDecisions:
    """Logged decisions as aligned arrays, one entry each.

    weight: the importance weight, the logged action's probability under the target policy over its
    propensity. reward: as observed. predicted: the reward model's prediction of it, cross-fitted; by_target:
    the expected prediction over the target policy's actions. Weights average 1 under common support.
    """

    weight: Floats
    reward: Floats
    predicted: Floats
    by_target: Floats

    def __len__(self) -> int:
        return len(self.weight)


@dataclass(frozen=True, slots=True)
class PolicyEstimate:
    """The target policy's value a decision, by three estimators, with 95 % intervals.

    logged: what was earned. gain: the doubly robust estimate minus that, on the same decisions.
    effective: how many decisions of the target policy's own the weighted ones are worth (Kish).
    support: the average weight; 1 but for chance.
    """

    decisions: int
    effective: float
    support: float
    logged: Interval
    ips: Interval
    self_normalised: Interval
    doubly_robust: Interval
    gain: Interval


def estimate(logged: WeightedDecisions) -> PolicyEstimate | Refusal:
    """Return the estimates, or why they can't be had.

    IPS: Horvitz and Thompson, JASA 1952. Self-normalised: Swaminathan and Joachims, NeurIPS 2015. Doubly
    robust: Dudik, Langford, Li, ICML 2011. Intervals are normal, each from its estimator's influence values.
    """
    n, w = len(logged), logged.weight
    if n < LEAST_DECISIONS:
        return Refusal(Cause.TOO_EARLY, f"{n} decisions can be judged; estimates begin at {LEAST_DECISIONS}")
    effective, orders = _effective(w), _effective(w[logged.reward != 0])
    if refused := _unsupported(w, effective):
        return refused
    if orders < LEAST_ORDERS:
        return Refusal(
            Cause.TOO_EARLY,
            f"the orders after what it would do count as {int(orders)} of its own; estimates begin at "
            f"{LEAST_ORDERS:.0f}",
        )
    r, left = logged.reward, logged.reward - logged.predicted
    own = float((w * r).sum() / w.sum())
    robust = logged.by_target + w * left
    return PolicyEstimate(
        decisions=n,
        effective=effective,
        support=float(w.mean()),
        logged=_mean(r),
        ips=_mean(w * r),
        self_normalised=_around(own, w * (r - own) / w.mean()),
        doubly_robust=_mean(robust),
        gain=_mean(robust - r),
    )


def _effective(w: Floats) -> float:
    """Return how many decisions of one weight these are worth (Kish's effective size)."""
    return float(w.sum() ** 2 / np.square(w).sum()) if w.any() else 0.0


def _unsupported(w: Floats, effective: float) -> Refusal | None:
    """Return why what was done tells too little of what the target policy would do, None otherwise."""
    mean, error = float(w.mean()), float(w.std(ddof=1)) / sqrt(len(w))
    if mean + Z * error < LEAST_SUPPORT:
        return Refusal(
            Cause.NO_SUPPORT,
            f"about {1 - mean:.0%} of what it would do was never done, so nothing tells what would come of "
            "it; run it as an experiment",
        )
    if effective < LEAST_EFFECTIVE:
        return Refusal(
            Cause.NO_SUPPORT,
            f"what it would do was done so seldom that {len(w):,} decisions are worth {int(effective)} of "
            f"its own; estimates begin at {LEAST_EFFECTIVE:.0f}",
        )
    return None


def _mean(values: Floats) -> Interval:
    return _around(float(values.mean()), values - values.mean())


def _around(value: float, influence: Floats) -> Interval:
    half = Z * sqrt(float(np.square(influence).sum()) / (len(influence) - 1) / len(influence))
    return Interval(value, value - half, value + half)
