"""What the merchant never wants recommended."""

from __future__ import annotations

from sqlalchemy import select

from app.connections import Connections
from app.tables import ExclusionRow
from app.upsert import table_of

_EXCLUSIONS = table_of(ExclusionRow)


async def excluded_products(connections: Connections, shop: str) -> frozenset[int]:
    """Return the ids of the products that are never to be offered."""
    query = select(_EXCLUSIONS.c.product_id).where(_EXCLUSIONS.c.shop == shop)
    async with connections.read() as db:
        return frozenset(await (await db.connection()).scalars(query))
