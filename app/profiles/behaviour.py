"""The feature vector of clustering: how a shopper browses and buys. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.wording import wording


class Behaviour(msgspec.Struct, frozen=True):
    """Counts of what a shopper did in the shop's window; none is negative.

    spent, average_order: minor units. days_since_order, days_since_visit: days. dwell_s: seconds.
    unfinished_checkouts: those that no order followed.
    """

    orders: float = 0
    spent: float = 0
    average_order: float = 0
    days_since_order: float = 0
    visits: float = 0
    days_since_visit: float = 0
    views: float = 0
    dwell_s: float = 0
    searches: float = 0
    cart_changes: float = 0
    unfinished_checkouts: float = 0
    form_errors: float = 0


FEATURES = Behaviour.__struct_fields__
# What each is called.
SAID: Mapping[str, str] = {
    "orders": wording("orders"),
    "spent": wording("spent"),
    "average_order": wording("average order"),
    "days_since_order": wording("days since order"),
    "visits": wording("visits"),
    "days_since_visit": wording("days since visit"),
    "views": wording("views"),
    "dwell_s": wording("time on pages"),
    "searches": wording("searches"),
    "cart_changes": wording("cart changes"),
    "unfinished_checkouts": wording("unfinished checkouts"),
    "form_errors": wording("form errors"),
}


def row(behaviour: Behaviour) -> list[float]:
    """Return the numbers in the order of FEATURES."""
    return [getattr(behaviour, name) for name in FEATURES]


def matrix(behaviours: Iterable[Behaviour]) -> NDArray[np.float64]:
    """Return a row a shopper, float64 of shape (shoppers, features)."""
    return np.array([row(each) for each in behaviours], dtype=np.float64).reshape(-1, len(FEATURES))
