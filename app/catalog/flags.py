"""Yes-or-no facts of products that Shopify's webhooks do not tell, such as whether one is a gift card."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from sqlalchemy import select, update

from app.connections import Connections
from app.tables import ProductRow
from app.upsert import table_of

Flag = Literal["published", "requires_selling_plan", "gift_card"]
_PRODUCTS = table_of(ProductRow)


async def record_flag(connections: Connections, shop: str, flag: Flag, told: Mapping[int, bool]) -> bool:
    """Keep the flag of these products and return whether it changed for any.

    told: by product id, whether Shopify says that it holds.
    """
    known, changed = _PRODUCTS.c[flag], 0
    async with connections.write() as db:
        connection = await db.connection()
        for holds in (True, False):
            ids = [product_id for product_id, each in told.items() if each is holds]
            differing = (_PRODUCTS.c.shop == shop, _PRODUCTS.c.product_id.in_(ids), known.is_(not holds))
            query = update(_PRODUCTS).where(*differing).values({flag: holds})
            changed += (await connection.execute(query)).rowcount
    return changed > 0


async def titles_flagged(
    connections: Connections, shop: str, flag: Flag, product_ids: Collection[int]
) -> list[str]:
    """Return the titles of those of these products that have the flag, in alphabetical order."""
    query = select(_PRODUCTS.c.title).where(
        _PRODUCTS.c.shop == shop, _PRODUCTS.c.product_id.in_(product_ids), _PRODUCTS.c[flag].is_(True)
    )
    return await connections.scalars(query.order_by(_PRODUCTS.c.title))
