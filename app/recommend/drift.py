"""Drift and calibration: shifts of the model's inputs, and predicted against actual acceptance.

Two windows of logged decisions are compared, both scored by the model that serves, so that only what shops
and shoppers do can differ. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtri

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]

BINS = 10
# Siddiqi (2006): below .1 nothing, above .25 a population has shifted.
SHIFTED = 0.25
SURE = 0.001  # chance of calling one measure shifted that is not
FEWEST_VISITS = 200
FEWEST_SHOWN, FEWEST_ACCEPTED = 200, 20
OFF = 0.2  # a promise this far from what came of it is worth a word
_RIDGE = 1.0


@dataclass(frozen=True, slots=True)
class Shift:
    """A measure whose distribution moved. psi: population stability index, less what chance gives."""

    measure: str
    psi: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Offers that were promised about alike: how many, what was promised, what came of it; shares."""

    offers: int
    promised: float
    accepted: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How promises held. offers: how many were shown. error: mean distance of the bins, weighted.

    ratio: accepted over promised, with its 95 % interval; off: beyond chance and by a fifth or more.
    """

    offers: int
    accepted: int
    promised: float
    ratio: float
    low: float
    high: float
    error: float
    bins: tuple[Bin, ...]
    off: bool


@dataclass(frozen=True, slots=True, eq=False)
class ShownOffers:
    """Offers that were shown: score (n,) log share of the ranking, place (n,) from 0, accepted (n,)."""

    score: Doubles
    place: Doubles
    accepted: Bools


def psi(before: Doubles, now: Doubles) -> float:
    """Return the population stability index of two samples, in bins of the first one's quantiles.

    What two samples of the same size from one population show on average is taken off, so that 0 is
    expected without a shift. Raises ValueError for an empty sample.
    """
    raw, noise, _ = _psi(before, now)
    return max(0.0, raw - noise)


def shifts(before: Mapping[str, Doubles], now: Mapping[str, Doubles]) -> list[Shift]:
    """Return the measures that moved beyond chance and by an amount that matters, the most moved first.

    Empty too when either window holds too few visits to tell.
    """
    found: list[Shift] = []
    for name in before:
        if min(len(before[name]), len(now[name])) < FEWEST_VISITS:
            continue
        raw, noise, bins = _psi(before[name], now[name])
        # Under no shift the index is chi-squared with bins - 1 degrees, scaled by its mean per degree.
        limit = noise / max(bins - 1, 1) * float(chdtri(max(bins - 1, 1), SURE / len(before)))
        if raw > limit and raw - noise > SHIFTED:
            found.append(Shift(name, raw - noise))
    return sorted(found, key=lambda each: -each.psi)


def calibration(before: ShownOffers, now: ShownOffers) -> Calibration | None:
    """Return how what the earlier window promises held in the later one; None when too few can tell."""
    accepted = int(before.accepted.sum())
    if len(before.score) < FEWEST_SHOWN or accepted < FEWEST_ACCEPTED or len(now.score) < FEWEST_SHOWN:
        return None
    promise = _promises(_fitted(before), now)
    expected, seen = float(promise.sum()), int(now.accepted.sum())
    deviation = _deviation(promise, before)
    spread = float(ndtri(0.975)) * deviation
    low, high = (seen - spread) / expected, (seen + spread) / expected
    bins = _bins(promise, now.accepted)
    error = sum(each.offers * abs(each.promised - each.accepted) for each in bins) / len(promise)
    ratio = seen / expected
    beyond_chance = abs(seen - expected) > float(ndtri(1 - SURE / 2)) * deviation
    off = beyond_chance and abs(ratio - 1) >= OFF
    return Calibration(
        len(promise), seen, expected / len(promise), ratio, max(low, 0.0), high, error, bins, off
    )


def _deviation(promise: Doubles, before: ShownOffers) -> float:
    """Return by how much the number accepted strays from what was promised without anything being wrong.

    The later window is a sample, and so is the earlier one, whose share of acceptances the promises have.
    """
    share = float(before.accepted.mean())
    learnt = len(promise) ** 2 * share * (1 - share) / len(before.accepted)
    return float(np.sqrt((promise * (1 - promise)).sum() + learnt))


def _psi(before: Doubles, now: Doubles) -> tuple[float, float, int]:
    """Return the index, what chance alone gives, and in how many bins."""
    if not len(before) or not len(now):
        raise ValueError("nothing to compare")
    edges = np.unique(np.quantile(before, np.linspace(0, 1, BINS + 1)[1:-1]))
    # To the left of an edge and on it: a value that most have is a bin of its own.
    first, second = (
        np.bincount(np.searchsorted(edges, each), minlength=len(edges) + 1) for each in (before, now)
    )
    used = (first + second) > 0
    p, q = _shares(first[used]), _shares(second[used])
    bins = int(used.sum())
    noise = (bins - 1) * (1 / len(before) + 1 / len(now))
    return float(((q - p) * np.log(q / p)).sum()), noise, bins


def _shares(counts: NDArray[np.int64]) -> Doubles:
    """Return the shares, half a visit added to each, so that an empty bin is rare and not impossible."""
    return np.asarray((counts + 0.5) / (counts.sum() + 0.5 * len(counts)))


def _fitted(shown: ShownOffers) -> Doubles:
    """Return (4,) what makes a promise of a score and a place: Platt (1999), with a ridge, by Newton."""
    features, wanted = _features(shown), shown.accepted.astype(np.float64)
    share = wanted.mean()
    weights = np.zeros(features.shape[1])
    weights[0] = np.log(share / (1 - share)) if 0 < share < 1 else 0.0
    ridge = np.full(len(weights), _RIDGE)
    ridge[0] = 1e-6  # the mean is left free: promises add up in the window they are learnt from
    for _ in range(50):
        promise = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        gradient = features.T @ (promise - wanted) + ridge * weights
        curve = (features * (promise * (1 - promise))[:, None]).T @ features + np.diag(ridge)
        step = np.linalg.solve(curve, gradient)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _promises(weights: Doubles, shown: ShownOffers) -> Doubles:
    return np.asarray(1 / (1 + np.exp(-np.clip(_features(shown) @ weights, -30, 30))))


def _features(shown: ShownOffers) -> Doubles:
    places = [(shown.place == place).astype(np.float64) for place in (1, 2)]
    return np.column_stack([np.ones(len(shown.score)), shown.score / 10, *places])


def _bins(promise: Doubles, accepted: Bools) -> tuple[Bin, ...]:
    """Return the offers in up to ten bins of equal size, by what was promised."""
    order: Sequence[NDArray[np.intp]] = np.array_split(np.argsort(promise, kind="stable"), BINS)
    return tuple(
        Bin(len(at), float(promise[at].mean()), float(accepted[at].mean())) for at in order if len(at)
    )
