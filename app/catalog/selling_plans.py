"""Which products sell with a selling plan only: no webhook tells, and no offer can add one to a cart."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from app.connections import Connections
from app.tables import ProductRow
from app.upsert import table_of

_PRODUCTS = table_of(ProductRow)


async def with_plan_only(connections: Connections, shop: str, product_ids: Collection[int]) -> list[str]:
    """Return the titles of those of the products that sell with a selling plan only, in order."""
    query = select(_PRODUCTS.c.title).where(
        _PRODUCTS.c.shop == shop,
        _PRODUCTS.c.product_id.in_(product_ids),
        _PRODUCTS.c.requires_selling_plan.is_(True),
    )
    async with connections.read() as db:
        return list(await (await db.connection()).scalars(query.order_by(_PRODUCTS.c.title)))
