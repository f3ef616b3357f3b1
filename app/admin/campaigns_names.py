"""What a shop has that rules can name: segments, product types, vendors, tags, collections, products."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from app.admin.segments_meanings import known_names
from app.admin.segments_settings import rules_of
from app.catalog.collections import titles_of
from app.connections import Connections
from app.profiles.segments import latest_segmentation
from app.rules.fields import Names
from app.shops.store import Shop
from app.tables import ProductRow
from app.upsert import table_of

_PRODUCTS = table_of(ProductRow)


async def names_of(
    connections: Connections, shop: Shop, wanted: Collection[Names]
) -> dict[Names, frozenset[str]]:
    """Return all the shop has of each wanted kind."""
    return {each: frozenset(await _names(connections, shop, each)) for each in wanted}


async def _names(connections: Connections, shop: Shop, kind: Names) -> Collection[str]:
    match kind:
        case "segment":
            return known_names(rules_of(shop), await latest_segmentation(connections, shop.shop))
        case "product":
            return [str(each) for each in await _column(connections, shop.shop, _PRODUCTS.c.product_id)]
        case "product_type":
            return await _column(connections, shop.shop, _PRODUCTS.c.product_type)
        case "vendor":
            return await _column(connections, shop.shop, _PRODUCTS.c.vendor)
        case "tag":
            rows = await _column(connections, shop.shop, _PRODUCTS.c.tags, distinct=False)
            return {tag for tags in rows for tag in tags or ()}
        case "collection":
            return (await titles_of(connections, shop.shop)).keys()


async def _column(connections: Connections, shop: str, column: Any, *, distinct: bool = True) -> list[Any]:
    query = select(column).where(_PRODUCTS.c.shop == shop)
    found = await connections.scalars(query.distinct() if distinct else query)
    return [each for each in found if each]
