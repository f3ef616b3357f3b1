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

_LOGS = tuple(round(log1p(count), 4) for count in range(256))  # of nearly every count there is

Features = tuple[float, ...]


class InCart(NamedTuple):
    """What is in the cart. value: in the shop's currency, major units; 0 when it is in another one."""

    units: int = 0
    value: float = 0.0


class PageSignals(NamedTuple):
    """What the page itself knows. step: as a visit's, 1 for any checkout; errors: of its form."""

    step: int = 0
    errors: int = 0


NOTHING = PageSignals()


def features_of(visit: Visit, cart: InCart, signals: PageSignals, now: float) -> Features:
    """Return the numbers in the order of FEATURES, rounded as they are logged. now: epoch seconds.

    A visit that may not be used is an empty one; `seen` says so. A visit that has bought begins anew.
    """
    bought = visit.step >= BOUGHT
    step = 0 if bought else min(max(visit.step, signals.step), PAYING - 1)
    errors = _log(max(visit.errors, signals.errors))
    idle = round(log1p(min(max(now - visit.last_at, 0), PAUSE_S)), 4) if visit.last_at else 0.0
    in_checkout = float(step > 0)
    return (
        float(visit.last_at > 0), _log(visit.pages), _log(visit.products), _log(visit.dwell_s),
        _log(visit.searches), _log(visit.searches_empty), _log(visit.added), _log(visit.removed),
        float(visit.visits > 1), errors, idle, _log(cart.units), round(log1p(max(cart.value, 0.0)), 4),
        float(cart.units > 0), in_checkout, float(step > 1), float(step > 2), float(step > 3),
        idle * in_checkout, errors * in_checkout, _log(visit.coupon_failures), _log(visit.steps_back),
        _log(visit.exit_intents),
    )  # fmt: skip


def _log(count: int) -> float:
    return _LOGS[count] if 0 <= count < len(_LOGS) else round(log1p(count), 4)
