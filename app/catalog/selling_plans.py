"""Which products sell with a selling plan only: no webhook tells, and no offer can add one to a cart."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select, update

from app.connections import Connections
from app.tables import ProductRow
from app.upsert import table_of

_PRODUCTS = table_of(ProductRow)


async def record_selling_plans(connections: Connections, shop: str, told: Mapping[int, bool]) -> bool:
    """Return whether the shop offers other products now. told: of a page of products."""
    known, changed = _PRODUCTS.c.requires_selling_plan, 0
    async with connections.write() as db:
        connection = await db.connection()
        for required in (True, False):
            ids = [product_id for product_id, requires in told.items() if requires is required]
            differing = (_PRODUCTS.c.shop == shop, _PRODUCTS.c.product_id.in_(ids), known.is_(not required))
            query = update(_PRODUCTS).where(*differing).values(requires_selling_plan=required)
            changed += (await connection.execute(query)).rowcount
    return changed > 0


async def with_plan_only(connections: Connections, shop: str, product_ids: Collection[int]) -> list[str]:
    """Return the titles of those of the products that sell with a selling plan only, in order."""
    query = select(_PRODUCTS.c.title).where(
        _PRODUCTS.c.shop == shop,
        _PRODUCTS.c.product_id.in_(product_ids),
        _PRODUCTS.c.requires_selling_plan.is_(True),
    )
    async with connections.read() as db:
        return list(await (await db.connection()).scalars(query.order_by(_PRODUCTS.c.title)))
