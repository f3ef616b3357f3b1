"""A shop with checkouts that go silent, written down at moments that the test says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.connections import Connections
from app.reach.abandonment import CheckoutActivity
from app.tables import CustomerRow, EventRow, OrderRow, ShopRow
from app.values import ShopDomain

SHOP = ShopDomain("a.myshopify.com")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADA, BO = 7, 8
LINES = [{"variant_id": 11, "quantity": 2, "product_id": 1, "price_minor": 2000}]


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def happened(
    name: str, at: float, *, recorded: float | None = None, event_id: str | None = None,
    client: str | None = None, customer: int | None = None, **data: Any,
) -> CheckoutActivity:  # fmt: skip
    """Return an event of so many minutes after NOW, by the sender's clock and by ours."""
    when = NOW + minutes(at)
    known = when if recorded is None else NOW + minutes(recorded)
    return CheckoutActivity(event_id or f"{name} {at}", name, when, known, client, customer, data)


def told(at: float, **more: Any) -> CheckoutActivity:
    """Return Shopify's word of a checkout with something in it."""
    facts = {"currency": "USD", "subtotal_minor": 4000, "completed": False, "lines": LINES}
    return happened("CheckoutUpdated", at, **(facts | more))


async def a_shop(connections: Connections, shop: ShopDomain = SHOP, **settings: Any) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=shop, name="Nordwand", publishable_key=f"pk_{shop}", installed_at=NOW,
                       settings=settings))  # fmt: skip


async def a_customer(connections: Connections, who: int = ADA, marketing: str = "subscribed") -> None:
    async with connections.write() as db:
        db.add(CustomerRow(shop=SHOP, customer_id=who, email_marketing=marketing, updated_at=NOW))


async def write_down(connections: Connections, token: str | None, *events: CheckoutActivity) -> None:
    async with connections.write() as db:
        for each in events:
            kind = "" if each.client_id is None else "browser:"
            db.add(EventRow(
                shop=SHOP, event_id=f"{kind}{token} {each.event_id}", name=each.name,
                happened_at=each.happened_at, recorded_at=each.recorded_at, client_id=each.client_id,
                checkout_token=token, customer_id=each.customer_id, data=each.data,
            ))  # fmt: skip


async def order(
    connections: Connections, at: float, token: str | None = None, customer: int | None = None,
    number: int = 1, renewal: bool | None = None,
) -> None:  # fmt: skip
    when = NOW + minutes(at)
    async with connections.write() as db:
        db.add(OrderRow(
            shop=SHOP, order_id=number, customer_id=customer, checkout_token=token, currency="USD",
            created_at=when, updated_at=when, renewal=renewal,
        ))  # fmt: skip
