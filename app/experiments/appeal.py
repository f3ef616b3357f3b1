"""A product's appeal: its acceptance against others in the same position, where that predicts anything. Pure.

Shoppers answer what they are shown: they take it, leave it, or say that it is not for them. A product's
appeal is what those answers add to its chance of being taken, in log odds. It is learnt on the earliest
showings, weighed on later ones and judged on the latest: where it predicts those no better than the place
alone, there is none to use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.experiments.analysis import Interval
from app.experiments.refusal import Cause, Refusal
from app.experiments.showings import Showings

Floats = NDArray[np.float64]

LEARN, WEIGH = 0.6, 0.8  # the shares of showings, by time, before which it is learnt, and weighed
LEAST_TAKEN = 50  # in each of the three parts
_Z = 1.959963984540054  # 95 %, two-sided
_RIDGE = 1e-3
_STEPS = 30


@dataclass(frozen=True, slots=True)
class Appeal:
    """What a ranking may add to products' scores, in log odds; a product that is not in it has none.

    gain: how much better the latest showings are predicted, in log likelihood a showing, with its 95 %
    interval over shoppers; all of it above 0. of_taken, of_sent_away: what a product's log ratio of being
    taken, and of being sent away, counts for; a dismissal never speaks for a product.
    """

    log_odds: Mapping[int, float]
    gain: Interval
    of_taken: float
    of_sent_away: float
    showings: int
    taken: int
    sent_away: int


def appeal(shown: Showings) -> Appeal | Refusal:
    """Return the products' appeal, or why there is none that may be used."""
    first, last = int(len(shown) * LEARN), int(len(shown) * WEIGH)
    earliest, later, latest = (
        shown.these(slice(*ends)) for ends in ((0, first), (first, last), (last, None))
    )
    fewest = min(int(part.taken.sum()) for part in (earliest, later, latest))
    if fewest < LEAST_TAKEN:
        return Refusal(
            Cause.TOO_EARLY, f"{fewest} offers were taken in a part of the showings; it takes {LEAST_TAKEN}"
        )
    learnt = _Learnt(earliest)
    alone, together = _weighed(learnt, later, use=()), _weights(learnt, later)
    gain = _gain(learnt, latest, alone, together)
    if not together[1:].any() or gain.low <= 0:
        return Refusal(
            Cause.NOTHING_VARIES, "what shoppers took and sent away predicts what they take no better"
        )
    return _appeal(_Learnt(shown), shown, together, gain)


def _appeal(learnt: _Learnt, shown: Showings, weights: Floats, gain: Interval) -> Appeal:
    sums = learnt.ratios @ weights[1:]
    return Appeal(
        log_odds=dict(zip(learnt.products.tolist(), sums.tolist(), strict=True)),
        gain=gain,
        of_taken=float(weights[1]),
        of_sent_away=float(weights[2]),
        showings=len(shown),
        taken=int(shown.taken.sum()),
        sent_away=int(shown.sent_away.sum()),
    )


class _Learnt:
    """The places' shares of taken offers, and each product's log ratios to what its places let expect."""

    def __init__(self, shown: Showings) -> None:
        self.products, which = np.unique(shown.product_id, return_inverse=True)
        self._usual = _shares(shown.spot, shown.taken)
        columns = [_log_ratios(which, shown.spot, each) for each in (shown.taken, shown.sent_away)]
        self.ratios: Floats = np.column_stack(columns)  # (products, 2)

    def offset(self, shown: Showings) -> Floats:
        """Return the log odds of being taken by place alone; of a new place, those of all places."""
        usual, everywhere = self._usual, self._usual[-1]
        known = np.where(shown.spot < len(usual) - 1, shown.spot, len(usual) - 1)
        share = np.where(np.isfinite(usual[known]), usual[known], everywhere)
        return np.asarray(np.log(share / (1 - share)))

    def features(self, shown: Showings) -> Floats:
        """Return (n, 3): one, and the log ratios of the product, 0 for one that was never shown."""
        at = np.searchsorted(self.products, shown.product_id).clip(max=len(self.products) - 1)
        known = self.products[at] == shown.product_id
        return np.column_stack([np.ones(len(shown)), self.ratios[at] * known[:, None]])


def _shares(spot: NDArray[np.int64], happened: NDArray[np.bool_]) -> Floats:
    """Return each spot's share, NaN of one without any, and behind them that of all; none is 0 or 1."""
    of, of_them = np.bincount(spot), np.bincount(spot, happened)
    usual = (happened.sum() + 0.5) / (len(happened) + 1)
    shares = np.where(of > 0, (of_them + usual) / (of + 1), np.nan)
    return np.append(shares, usual)


def _log_ratios(which: NDArray[np.int64], spot: NDArray[np.int64], happened: NDArray[np.bool_]) -> Floats:
    """Return the log of how much oftener than in its places on average it happened to each product.

    Drawn towards 0 as far as chance alone makes them differ (empirical Bayes, Poisson counts with a gamma
    prior whose variance is fitted by moments: Clayton, Kaldor, Biometrics 1987).
    """
    expected = np.bincount(which, _shares(spot, happened)[spot])
    seen = np.bincount(which, happened)
    spread = float(((seen - expected) ** 2 - expected).sum() / np.square(expected).sum())
    if spread <= 0:
        return np.zeros(len(expected))
    prior = 1 / spread
    return np.asarray(np.log((seen + prior) / (expected + prior)))


def _weights(learnt: _Learnt, shown: Showings) -> Floats:
    """Return (3,): a level, and what both ratios count for; one whose sign makes no sense counts nothing."""
    for use in ((1, 2), (1,), (2,)):
        weights = _weighed(learnt, shown, use)
        if weights[1] >= 0 >= weights[2]:
            return weights
    return _weighed(learnt, shown, use=())


def _weighed(learnt: _Learnt, shown: Showings, use: tuple[int, ...]) -> Floats:
    """Return the weights of a logistic regression on these of the features, by Newton, 0 for the others."""
    columns = [0, *use]
    features, offset = learnt.features(shown)[:, columns], learnt.offset(shown)
    weights = np.zeros(len(columns))
    for _ in range(_STEPS):
        chance = _logistic(offset + features @ weights)
        slope = features.T @ (shown.taken - chance) - _RIDGE * weights
        curve = (features * (chance * (1 - chance))[:, None]).T @ features + _RIDGE * np.eye(len(columns))
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-9:
            break
    every = np.zeros(3)
    every[columns] = weights
    return every


def _gain(learnt: _Learnt, shown: Showings, alone: Floats, together: Floats) -> Interval:
    """Return by how much better a showing is predicted with than without; shoppers are independent."""
    features, offset = learnt.features(shown), learnt.offset(shown)
    better = _likelihood(shown, offset + features @ together) - _likelihood(shown, offset + features @ alone)
    _, who = np.unique(shown.shopper, return_inverse=True)
    mean, shoppers = float(better.mean()), int(who.max()) + 1
    of_shoppers = np.bincount(who, better - mean)
    half = _Z * float(np.sqrt(np.square(of_shoppers).sum() * shoppers / max(shoppers - 1, 1))) / len(shown)
    return Interval(mean, mean - half, mean + half)


def _likelihood(shown: Showings, log_odds: Floats) -> Floats:
    return np.asarray(np.where(shown.taken, log_odds, 0.0) - np.logaddexp(0.0, log_odds))


def _logistic(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))))
