"""What Shopify says yes or no to of a product, kept beside what its webhooks tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import update

from app.connections import Connections
from app.tables import ProductRow
from app.upsert import table_of

Flag = Literal["published", "requires_selling_plan"]
_PRODUCTS = table_of(ProductRow)


async def record_flag(connections: Connections, shop: str, flag: Flag, told: Mapping[int, bool]) -> bool:
    """Return whether the shop offers other products now. told: of a page of products."""
    known, changed = _PRODUCTS.c[flag], 0
    async with connections.write() as db:
        connection = await db.connection()
        for holds in (True, False):
            ids = [product_id for product_id, each in told.items() if each is holds]
            differing = (_PRODUCTS.c.shop == shop, _PRODUCTS.c.product_id.in_(ids), known.is_(not holds))
            query = update(_PRODUCTS).where(*differing).values({flag: holds})
            changed += (await connection.execute(query)).rowcount
    return changed > 0
