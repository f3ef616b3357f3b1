"""Small events for the tests of this area; each test varies only what matters to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from app.connections import Connections
from app.events.kinds import BrowserEvent, Line, OrderPlaced
from app.events.store import record_events
from app.profiles.store import follow_customers, keep_orders, remember_browsing

SHOP = "a.myshopify.com"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def an_order(order_id: int, products: Sequence[int] = (10,), day: float = 0, **changes: Any) -> OrderPlaced:
    """Return an order of the products, so many days after NOW."""
    at = NOW + timedelta(days=day)
    fields: dict[str, Any] = {
        "shop": SHOP, "event_id": f"e{order_id}", "happened_at": at, "order_id": order_id,
        "customer_id": 7, "checkout_token": None, "currency": "USD", "subtotal_minor": 1000,
        "discount_minor": 0, "total_minor": 1000, "paid": True, "created_at": at,
        "updated_at": at, "cancelled_at": None,
        "lines": tuple(
            Line(line_id=n, product_id=p, variant_id=None, quantity=1, price_minor=500)
            for n, p in enumerate(products, start=order_id * 1000)
        ),
    }  # fmt: skip
    return OrderPlaced(**(fields | changes))


def a_view(product_id: object, minute: float = 0, **changes: Any) -> BrowserEvent:
    """Return a consented look at a product, so many minutes after NOW."""
    at = NOW + timedelta(minutes=minute)
    fields: dict[str, Any] = {
        "shop": SHOP, "event_id": f"v{product_id}-{minute}", "happened_at": at,
        "name": "product_viewed", "client_id": "browser", "checkout_token": None,
        "customer_id": None, "permitted": ("analytics",), "data": {"product_id": product_id},
    }  # fmt: skip
    return BrowserEvent(**(fields | changes))


async def place(connections: Connections, order: OrderPlaced) -> None:
    """Let the order happen, as the worker does: into the database, then into the profile."""
    await keep_orders(connections, [order])
    await follow_customers(connections, [order])


async def browse(connections: Connections, event: BrowserEvent) -> None:
    """Let the visitor do it, as far after now as the event is after NOW."""
    now = datetime.now(UTC)
    lately = msgspec.structs.replace(event, happened_at=min(now, now + (event.happened_at - NOW)))
    stored = msgspec.structs.replace(lately, event_id=f"browser:{event.event_id}")
    await record_events(connections, [stored])
    await remember_browsing(connections, [stored])
