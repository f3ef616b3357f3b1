"""Finds orders with bundles whose product is unknown: webhooks name neither it nor the offer it came from."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from app.connections import Connections
from app.shops.store import Shop
from app.tables import OrderLineRow
from app.upsert import chunks, table_of
from webhooks.payload import Payload

_LINES = table_of(OrderLineRow)


async def orders_to_reread(connections: Connections, shop: Shop, orders: Sequence[Payload]) -> list[str]:
    """Return the GIDs of the orders to read in full: of one of their bundles only the parts are known."""
    gids = {order.id("id"): order.text("id") for order in orders}
    found: set[int] = set()
    async with connections.read() as db:
        connection = await db.connection()
        for part in chunks(sorted(gids)):
            unknown = _LINES.c.bundle_id.is_not(None), _LINES.c.bundle_product_id.is_(None)
            query = select(_LINES.c.order_id).where(_LINES.c.shop == shop.shop, _LINES.c.order_id.in_(part))
            found.update(await connection.scalars(query.where(*unknown)))
    return [gids[order_id] for order_id in sorted(found)]
