"""How well shoppers are ranked by what a coupon changes: Qini and the area under the uplift curve. Pure.

Radcliffe, "Using control groups to target on predicted lift", 2007. What is summed up are doubly robust
effects, one a shopper, so that propensities need not be equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.intent.fitting import Floats

RESAMPLES = 500


@dataclass(frozen=True, slots=True)
class Qini:
    """value: by how much more purchases a shopper are won over all depths than by a ranking at random.

    low, high: 95 % interval, shoppers resampled. auuc: the area under the curve itself, with its own.
    """

    value: float
    low: float
    high: float
    auuc: float
    auuc_low: float
    auuc_high: float


def qini(ranked_by: Floats, effects: Floats, seed: int = 0) -> Qini:
    """Return how good the ranking is. effects: doubly robust, one a shopper; the highest rank is first.

    Those that are ranked alike stand in no order: who came first is no merit of the ranking.
    """
    order = np.argsort(-ranked_by, kind="stable")
    ordered, alike = effects[order], np.unique(-ranked_by[order], return_inverse=True)[1]
    auuc, value = areas(_levelled(ordered, alike))
    random = np.random.default_rng(seed)
    places = (np.sort(random.integers(0, len(ordered), len(ordered))) for _ in range(RESAMPLES))
    again = np.array([areas(_levelled(ordered[each], alike[each])) for each in places])
    (auuc_low, low), (auuc_high, high) = np.quantile(again, [0.025, 0.975], axis=0).tolist()
    return Qini(value, low, high, auuc, auuc_low, auuc_high)


def areas(ordered: Floats) -> tuple[float, float]:
    """Return the area under the uplift curve, and what of it a random ranking does not have.

    The curve at a depth is what is won, a shopper, by treating so many of them from the top.
    """
    curve = np.concatenate([[0.0], np.cumsum(ordered)]) / len(ordered)
    auuc = float((curve[1:] + curve[:-1]).sum() / 2 / len(ordered))
    return auuc, auuc - float(curve[-1]) / 2


def _levelled(ordered: Floats, alike: NDArray[np.int64]) -> Floats:
    """Return the effects, each as the mean of those that are ranked alike."""
    means = np.bincount(alike, ordered) / np.maximum(np.bincount(alike), 1)
    levelled: Floats = means[alike]
    return levelled
