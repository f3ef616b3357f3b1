"""Carts as the demo shop's orders have them: the first half of each, in the order they were placed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from devstore.demo import build

Cart = tuple[int, ...]


@cache
def carts() -> list[Cart]:
    """Return a year's carts, oldest first. Products are numbered from 1, what sells best first."""
    shop = build(datetime.now(UTC))
    numbers = {product_id: number for number, product_id in enumerate(shop.products, start=1)}
    placed = sorted((*shop.orders.values(), *shop.upcoming), key=lambda order: order.created_at)
    halves = (order.lines[: max(1, len(order.lines) // 2)] for order in placed)
    return [tuple(dict.fromkeys(numbers[line.product_id] for line in half)) for half in halves]
