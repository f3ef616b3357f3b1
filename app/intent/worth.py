"""Whether a coupon is worth its price: a threshold of intent by expected value. Pure.

A shopper who buys leaves the margin m; with a coupon of d it leaves m - d. With p the probability that
they buy anyway and u what the coupon adds to it, the coupon pays while

    (p + u)(m - d) > p m,   that is   p < u (m - d) / d

What the coupon wins is right of the sign, what it gives to those who would have bought is left of it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from app.experiments.assign import bucket
from app.intent.rates import Rate
from app.intent.uplift import Effect

EXPLORED = 0.05
Reason = Literal["pays", "no_margin", "no_effect", "intent_high"]


class Worth(msgspec.Struct, frozen=True, gc=False):
    """Whether to give the coupon. gained: expected profit it adds for this shopper, minor units."""

    give: bool
    reason: Reason
    gained: float
    threshold: float


def threshold(margin_minor: int, discount_minor: int, uplift: float) -> float:
    """Return up to which probability of buying anyway a coupon pays, from 0 (never) to 1 (always).

    margin_minor: what an order leaves before the discount. discount_minor: what the coupon takes of it;
    one of nothing (help, a message) pays whenever it changes anything. uplift: added probability.
    """
    left = margin_minor - discount_minor
    if uplift <= 0 or left <= 0:
        return 0.0
    return min(uplift * left / discount_minor, 1.0) if discount_minor > 0 else 1.0


def worth(margin_minor: int, discount_minor: int, chance: float, effect: Effect) -> Worth:
    """Return whether a coupon is worth it for a shopper who buys with this chance without one.

    Not without a margin left, not while its effect may be none, not where too many buy anyway.
    """
    limit = threshold(margin_minor, discount_minor, effect.mean)
    after = min(chance + effect.mean, 1.0)
    gained = after * (margin_minor - discount_minor) - chance * margin_minor
    if margin_minor - discount_minor <= 0:
        return Worth(False, "no_margin", gained, limit)
    if effect.low <= 0:
        return Worth(False, "no_effect", gained, limit)
    if chance >= limit or gained <= 0:
        return Worth(False, "intent_high", gained, limit)
    return Worth(True, "pays", gained, limit)


def is_explored(campaign: str, unit: str) -> bool:
    """Return whether the unit gets the coupon whatever it is worth, a margin provided.

    One in twenty: who is never given a coupon is never learnt of either.
    """
    return bucket(f"explored {campaign}", unit) < EXPLORED


def bought_anyway_said(measured: Rate) -> str:
    """Return the false-positive rate in a sentence: matched, held back, and bought all the same."""
    if measured.share is None:
        return "Nobody was held back yet, so nothing can be said of who would have bought anyway."
    return (
        f"Of {measured.of} shoppers who matched and were held back, {measured.happened} bought anyway: "
        f"{measured.share:.1%}, between {measured.low:.1%} and {measured.high:.1%}."
    )
