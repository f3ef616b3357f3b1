"""How good a ranking is, one number a case: recall, NDCG, hit; and intervals of their differences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000


def recall_at_k(ranked: Sequence[int], wanted: Collection[int], k: int) -> float:
    """Return the share of the wanted items among the first k. Raises ValueError when none is wanted."""
    if not wanted:
        raise ValueError("nothing is wanted: recall has no meaning")
    return sum(item in wanted for item in ranked[:k]) / len(wanted)


def ndcg_at_k(ranked: Sequence[int], wanted: Collection[int], k: int) -> float:
    """Return the discounted gain of the first k over the best possible (Järvelin and Kekäläinen 2002).

    Raises ValueError when nothing is wanted.
    """
    if not wanted:
        raise ValueError("nothing is wanted: NDCG has no meaning")
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gain = sum(discounts[place] for place, item in enumerate(ranked[:k]) if item in wanted)
    return float(gain / discounts[: len(wanted)].sum())


def hit_at_k(ranked: Sequence[int], wanted: Collection[int], k: int) -> float:
    """Return 1.0 when a wanted item is among the first k, else 0.0."""
    return float(any(item in wanted for item in ranked[:k]))


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean difference and the 95 % interval around it."""

    mean: float
    low: float
    high: float


def paired_interval(ours: NDArray[np.float64], theirs: NDArray[np.float64], seed: int) -> Interval:
    """Return the mean of ours - theirs with its bootstrap percentile interval (Efron 1979).

    The cases are resampled in pairs: both models met the same ones. Raises ValueError without cases.
    """
    differences = ours - theirs
    if not len(differences):
        raise ValueError("no cases to compare")
    random = np.random.default_rng(seed)
    means = [random.choice(differences, len(differences)).mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(differences.mean()), float(low), float(high))
