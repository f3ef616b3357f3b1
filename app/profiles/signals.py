"""Signs of trouble in a visit, and what its cart is worth: read from its events, in their order. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from app.errors import InputError
from app.values import minor_units

COMPLETED = "checkout_completed"
STEPS = (
    "checkout_started",
    "checkout_contact_info_submitted",
    "checkout_address_info_submitted",
    "checkout_shipping_info_submitted",
    "payment_info_submitted",
    COMPLETED,
)
_CODE_REFUSED = "DISCOUNT_ERROR"
_TELLS_THE_CART = frozenset({"cart_viewed", *STEPS})


class CartValue(NamedTuple):
    """A cart's latest known value, in minor units of its currency."""

    currency: str
    minor: int


def coupon_failures(alerts: Sequence[dict[str, Any]]) -> int:
    """Return how many codes were not taken."""
    return sum(alert.get("type") == _CODE_REFUSED for alert in alerts)


def steps_back(names: Sequence[str]) -> int:
    """Return how often the checkout went on from a step before the one it had reached."""
    steps = [STEPS.index(name) for name in names if name in STEPS]
    return sum(later < earlier for earlier, later in pairwise(steps))


def cart_value(events: Sequence[tuple[str, dict[str, Any]]]) -> CartValue | None:
    """Return what the cart was worth, by name and data of the events; None when none of them tells it."""
    told = (_worth(data) for name, data in reversed(events) if name in _TELLS_THE_CART)
    return next((value for value in told if value is not None), None)


def _worth(data: dict[str, Any]) -> CartValue | None:
    amount, currency = data.get("subtotal") or data.get("total"), data.get("currency")
    if not isinstance(amount, str) or not isinstance(currency, str) or len(currency) != 3:
        return None
    try:
        return CartValue(currency, minor_units(amount, currency))
    except InputError:
        return None
