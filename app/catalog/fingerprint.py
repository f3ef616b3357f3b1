"""Whether what a shop sells has changed, without reading it all."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from app.catalog_tables import CollectionRow
from app.connections import Connections
from app.tables import ExclusionRow, ProductRow, VariantRow
from app.upsert import table_of

_PRODUCTS, _VARIANTS, _EXCLUSIONS = table_of(ProductRow), table_of(VariantRow), table_of(ExclusionRow)
_COLLECTIONS = table_of(CollectionRow)


async def catalog_fingerprint(connections: Connections, shop: str) -> tuple[Any, ...]:
    """Return counts, sums and latest times: they differ after nearly every change that matters."""
    async with connections.read() as db:
        connection = await db.connection()
        return tuple([tuple((await connection.execute(query)).one()) for query in _queries(shop)])


def _queries(shop: str) -> list[Any]:
    products, variants, exclusions, collections = _PRODUCTS.c, _VARIANTS.c, _EXCLUSIONS.c, _COLLECTIONS.c
    priced = func.sum(variants.price_minor), func.sum(variants.available)
    flags = (products.requires_selling_plan, products.gift_card, products.published)
    flagged = [func.count().filter(flag.is_(True)) for flag in flags]
    return [
        select(func.count(), func.max(products.updated_at), *flagged).where(products.shop == shop),
        select(func.count(), *priced).where(variants.shop == shop),
        select(func.count(), func.max(exclusions.excluded_at)).where(exclusions.shop == shop),
        select(func.count(), func.max(collections.changed_at)).where(collections.shop == shop),
    ]
