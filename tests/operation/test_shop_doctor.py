"""What is wrong with one shop is found by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import respx

from app.connections import Connections
from app.shop_doctor import examine_shop
from app.tables import InboxRow, OrderRow, ShopRow
from app.undelivered import silent_shops
from app.values import ShopDomain

SHOP = ShopDomain("a.myshopify.com")


@pytest.mark.parametrize(
    ("ordered_h", "delivered_h", "ok"),
    [
        (5, 4, True),
        (5, 6, False),
        (5, None, False),
        (0.5, 6, True),  # may be under way
        (30, None, True),  # older than the install
        (None, None, True),
    ],
)
async def test_an_order_that_nothing_was_delivered_of_is_found(
    connections: Connections, ordered_h: float | None, delivered_h: float | None, ok: bool
) -> None:
    now = datetime.now(UTC)
    ago = {hours: now - timedelta(hours=hours or 0) for hours in (24, ordered_h, delivered_h)}
    async with connections.write() as db:
        db.add(ShopRow(shop="a", publishable_key="a", installed_at=ago[24]))
        for order_id, at in enumerate([ago[ordered_h], now] if ordered_h else []):  # the last is under way
            db.add(OrderRow(shop="a", order_id=order_id, currency="EUR", created_at=at, updated_at=at))
        if delivered_h:
            at = ago[delivered_h]
            db.add(
                InboxRow(
                    shop="a", event_id="1", topic="carts/update", received_at=at, next_attempt_at=at, body=b""
                )
            )
    found = await examine_shop(connections, ShopDomain("a"))
    assert [each.ok for each in found if each.name == "deliveries"] == [ok]
    async with connections.read() as db:
        assert await silent_shops(await db.connection(), now) == ([] if ok else ["a"])


@pytest.mark.parametrize(("years", "says"), [(0, ""), (1, "s behind that of Shopify")])
async def test_a_clock_that_is_not_shopifys_is_found(connections: Connections, years: int, says: str) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="a", installed_at=datetime.now(UTC)))
    theirs = datetime.now(UTC) + timedelta(days=365 * years)
    with respx.mock(assert_all_mocked=True) as shopify:
        shopify.head(f"https://{SHOP}/").respond(404, headers={"Date": format_datetime(theirs, usegmt=True)})
        (found,) = [each for each in await examine_shop(connections, SHOP) if each.name == "clock"]
    assert (found.ok, says in found.says) == (not years, True)
