"""Orders that Shopify delivered nothing of: the hourly reconciliation finds them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.tables import InboxRow, OrderRow, ShopRow
from app.upsert import table_of
from webhooks.inbox import KEPT_DONE

LATEST = timedelta(hours=1)  # Shopify's deliveries may be late
_CLOCKS_APART = timedelta(minutes=5)
_INBOX, _ORDERS, _SHOPS = table_of(InboxRow), table_of(OrderRow), table_of(ShopRow)


async def silent_shops(connection: AsyncConnection, now: datetime) -> list[str]:
    """Return the shops of which an order is known and no delivery since."""
    ordered = select(func.max(_ORDERS.c.created_at)).where(_ORDERS.c.shop == _SHOPS.c.shop)
    before = ordered.where(_ORDERS.c.created_at < now - LATEST).correlate(_SHOPS).scalar_subquery()
    found = select(_SHOPS.c.shop, _SHOPS.c.installed_at, before).where(_SHOPS.c.uninstalled_at.is_(None))
    rows = (await connection.execute(found.order_by(_SHOPS.c.shop))).all()
    owed = [(shop, order) for shop, installed_at, order in rows if is_owed(installed_at, order, None, now)]
    return [shop for shop, order in owed if not await _heard_since(connection, shop, order - _CLOCKS_APART)]


async def _heard_since(connection: AsyncConnection, shop: str, since: datetime) -> bool:
    """Return whether a delivery of the shop came; the first that is met ends the search."""
    found = select(_INBOX.c.id).where(_INBOX.c.shop == shop, _INBOX.c.received_at >= since)
    return await connection.scalar(found.limit(1)) is not None


def is_owed(
    installed_at: datetime, ordered_at: datetime | None, heard_at: datetime | None, now: datetime
) -> bool:
    """Return whether a delivery of the order should have come, and neither did nor any since. Pure.

    ordered_at: of the last order that is older than LATEST. heard_at: when the last delivery came.
    """
    if ordered_at is None or ordered_at <= max(installed_at, now - KEPT_DONE):
        return False
    return heard_at is None or heard_at < ordered_at - _CLOCKS_APART
