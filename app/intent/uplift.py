"""What a coupon changes for a shopper, as plain numbers. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

import msgspec

from app.intent.model import logistic


class Effect(msgspec.Struct, frozen=True, gc=False):
    """By how much more a coupon makes shoppers buy, as a share of them, with its 95 % interval."""

    mean: float
    low: float
    high: float


class UpliftModel(msgspec.Struct, frozen=True, gc=False):
    """What one campaign's coupon changes.

    basis: `average`, one effect for everyone; `by_shopper`, one for each fifth of the shoppers by what
    weights and bias foretell of them. cuts: where one fifth ends, rising; effects: one more than cuts.
    base_weights, base_bias: log-odds of a purchase without the coupon. exposures: learnt from how many.
    """

    campaign: str
    features: tuple[str, ...]
    basis: Literal["average", "by_shopper"]
    effects: tuple[Effect, ...]
    base_weights: tuple[float, ...]
    base_bias: float
    cuts: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    bias: float = 0.0
    exposures: int = 0

    def effect(self, features: Sequence[float]) -> Effect:
        """Return what the coupon changes for shoppers like this one."""
        if not self.cuts:
            return self.effects[0]
        predicted = self.bias
        for weight, value in zip(self.weights, features, strict=True):
            predicted += weight * value
        return self.effects[bisect_right(self.cuts, predicted)]

    def without(self, features: Sequence[float]) -> float:
        """Return the probability that they buy without the coupon."""
        score = self.base_bias
        for weight, value in zip(self.base_weights, features, strict=True):
            score += weight * value
        return logistic(score)
