"""How likely a purchase is, as plain numbers: no library, a few microseconds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import NamedTuple

import msgspec

from app.intent.features import SEEN
from app.profiles.trees import Sigmoid, Trees, raw_score

_SAME = Sigmoid(1.0, 0.0)


class Head(msgspec.Struct, frozen=True, gc=False):
    """One probability. Log-odds are the trees' where there are trees, else bias + weights · features.

    sigmoid: calibrates them; alone: instead of it where nothing is known of the visit.
    """

    weights: tuple[float, ...] = ()
    bias: float = 0.0
    trees: Trees | None = None
    sigmoid: Sigmoid = _SAME
    alone: Sigmoid | None = None

    def score(self, features: Sequence[float]) -> float:
        """Return the log-odds before they are calibrated."""
        if self.trees is not None:
            return raw_score(self.trees, features)
        total = self.bias
        for weight, value in zip(self.weights, features, strict=True):
            total += weight * value
        return total

    def probability(self, features: Sequence[float]) -> float:
        """Return the calibrated probability, from 0 to 1."""
        sigmoid = self.sigmoid if features[SEEN] or self.alone is None else self.alone
        return logistic(sigmoid.slope * self.score(features) + sigmoid.intercept)


class Chances(NamedTuple):
    """How likely a purchase is: within five minutes, and within the visit."""

    now: float
    visit: float


class IntentModel(msgspec.Struct, frozen=True, gc=False):
    """Predicts purchases in the current visit.

    features: the names it was trained on, in their order. soon: within five minutes; ever: within the
    visit. source: `prior` or `shop`.
    """

    features: tuple[str, ...]
    soon: Head
    ever: Head
    source: str = "shop"

    def chances(self, features: Sequence[float]) -> Chances:
        """Return both probabilities."""
        now = self.soon.probability(features)
        return Chances(now, max(self.ever.probability(features), now))

    def now(self, features: Sequence[float]) -> float:
        """Return the probability of a purchase within the next five minutes."""
        return self.soon.probability(features)

    def visit(self, features: Sequence[float]) -> float:
        """Return the probability of a purchase within the visit, never below `now`."""
        return self.chances(features).visit


def logistic(score: float) -> float:
    """Return the probability of the log-odds."""
    if score < 0:
        odds = exp(max(score, -700.0))
        return odds / (1 + odds)
    return 1 / (1 + exp(-score))
