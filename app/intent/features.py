"""What intent is read from: a visit, a cart and what the page noticed, as a row of numbers. Pure.

How far a visit got counts up to the submitted shipping details. Whoever submits the payment has decided;
to know that they will buy would be to know that they have.
"""

from __future__ import annotations

from math import log1p
from typing import NamedTuple

from app.profiles.visit import PAUSE_S, Visit

FEATURES = (
    "seen", "pages", "products", "dwell", "searches", "searches_empty", "added", "removed", "returning",
    "errors", "idle", "units", "value", "in_cart", "started", "contact", "address", "shipping",
    "idle_in_checkout", "errors_in_checkout", "coupon_failures", "steps_back", "exit_intents",
)  # fmt: skip
SEEN = FEATURES.index("seen")
PAYING = 5  # the step of a visit at which the payment is submitted
BOUGHT = 6

Features = tuple[float, ...]


class InCart(NamedTuple):
    """What is in the cart. value: in the shop's currency, major units; 0 when it is in another one."""

    units: int = 0
    value: float = 0.0


class Noticed(NamedTuple):
    """What the page itself knows. step: as a visit's, 1 for any checkout; errors: of its form."""

    step: int = 0
    errors: int = 0


NOTHING = Noticed()


def features_of(visit: Visit, cart: InCart, signals: Noticed, now: float) -> Features:
    """Return the numbers in the order of FEATURES, rounded as they are logged. now: epoch seconds.

    A visit that may not be used is an empty one; `seen` says so. A visit that has bought begins anew.
    """
    bought = visit.step >= BOUGHT
    step = 0 if bought else min(max(visit.step, signals.step), PAYING - 1)
    errors = log1p(max(visit.errors, signals.errors))
    idle = log1p(min(max(now - visit.last_at, 0), PAUSE_S)) if visit.last_at else 0.0
    in_checkout = float(step > 0)
    row = (
        float(visit.last_at > 0), log1p(visit.pages), log1p(visit.products), log1p(visit.dwell_s),
        log1p(visit.searches), log1p(visit.searches_empty), log1p(visit.added), log1p(visit.removed),
        float(visit.visits > 1), errors, idle, log1p(cart.units), log1p(max(cart.value, 0.0)),
        float(cart.units > 0), in_checkout, float(step > 1), float(step > 2), float(step > 3),
        idle * in_checkout, errors * in_checkout, log1p(visit.coupon_failures), log1p(visit.steps_back),
        log1p(visit.exit_intents),
    )  # fmt: skip
    return tuple([round(each, 4) for each in row])
