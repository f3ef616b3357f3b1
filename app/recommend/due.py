"""When a shop's model is due for full training or incremental resumption, by how the shop changed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

NEXT_FULL, LATEST_FULL = timedelta(hours=6), timedelta(days=7)
NEXT_RESUME = timedelta(hours=2)
# A shop that has grown by so much since is another shop.
GROWN = 0.1
NEW_PRODUCTS = 0.2
FEWEST_TO_RESUME = 50
WORTH_RESUMING = 0.005  # of the orders learnt
MOST_TO_WAIT_FOR = 500  # new orders: a large shop does not wait for half a percent


@dataclass(frozen=True, slots=True)
class Growth:
    """A shop since its last training in full. orders, products: of that training.

    unlearnt: orders since LightFM last learnt, in full or not. drifted_at: when something was first seen to
    fit no more.
    """

    full_at: datetime
    learnt_at: datetime
    orders: int
    new_orders: int
    products: int
    new_products: int
    unlearnt: int
    learns: bool = True
    drifted_at: datetime | None = None


def due(growth: Growth, now: datetime) -> Literal["train", "resume"] | None:
    """Return what is due. In full: grown by a tenth, a fifth of the products new, drifted, or a week old.

    Nothing is due for a shop that sold nothing since.
    """
    since_full = now - growth.full_at
    drifted = growth.drifted_at is not None and growth.drifted_at > growth.full_at
    if not growth.new_orders and not drifted:
        return None
    grown = growth.new_orders >= GROWN * growth.orders
    renewed = growth.new_products >= max(1.0, NEW_PRODUCTS * growth.products)
    if since_full >= NEXT_FULL and (grown or renewed or drifted or since_full >= LATEST_FULL):
        return "train"
    enough = max(FEWEST_TO_RESUME, min(WORTH_RESUMING * growth.orders, MOST_TO_WAIT_FOR))
    rested = now - growth.learnt_at >= NEXT_RESUME
    return "resume" if growth.learns and rested and growth.unlearnt >= enough else None
