"""A shop's collections in the database: what each is called, and which products are in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Collection as Several
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog_tables import CollectionRow
from app.connections import Connections
from app.streamed import in_parts
from app.upsert import chunks, table_of, upsert

_COLLECTIONS = table_of(CollectionRow)
_FEW, _AT_ONCE = 5, 10_000  # collections, and products, between two checkouts that wait


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection. handle: what its page is called in the shop's addresses: no two have the same one.

    product_ids: in ascending order.
    """

    collection_id: int
    handle: str
    title: str
    product_ids: tuple[int, ...]


async def record_collections(
    connections: Connections, shop: str, told: Sequence[Collection], now: datetime
) -> bool:
    """Replace the shop's collections by these; return whether any of them changed."""
    async with connections.write() as db:
        connection = await db.connection()
        known = {each.collection_id: each async for each in _read(connection, shop)}
        changed = [each for each in told if known.get(each.collection_id) != each]
        gone = known.keys() - {each.collection_id for each in told}
        for part in chunks(sorted(gone)):
            theirs = (_COLLECTIONS.c.shop == shop, _COLLECTIONS.c.collection_id.in_(part))
            await connection.execute(delete(_COLLECTIONS).where(*theirs))
        await upsert(db, CollectionRow, [_row(shop, each, now) for each in changed])
    return bool(changed or gone)


async def collections_of(connection: AsyncConnection, shop: str) -> dict[int, tuple[str, ...]]:
    """Return the handles of the collections that each product is in, by product id.

    Products that are in the same ones share one tuple: of many products there are few different ones.
    """
    found: dict[int, tuple[str, ...]] = {}
    async for each in _read(connection, shop):
        longer: dict[tuple[str, ...], tuple[str, ...]] = {}
        for part in chunks(each.product_ids, _AT_ONCE):
            for product_id in part:
                before = found.get(product_id, ())
                if before not in longer:
                    longer[before] = (*before, each.handle)
                found[product_id] = longer[before]
            await asyncio.sleep(0)  # one can hold all that a shop sells
    return found


async def titles_of(
    connections: Connections, shop: str, handles: Several[str] | None = None
) -> Mapping[str, str]:
    """Return the titles of the shop's collections by their handles: of these, or of all that there are."""
    columns = _COLLECTIONS.c
    query = select(columns.handle, columns.title).where(columns.shop == shop)
    parts = [None] if handles is None else [*chunks(sorted(handles))]
    titles: dict[str, str] = {}
    for part in parts:
        asked = query if part is None else query.where(columns.handle.in_(part))
        titles |= {row.handle: row.title for row in await connections.rows(asked)}
    return titles


async def _read(connection: AsyncConnection, shop: str) -> AsyncIterator[Collection]:
    """Yield the shop's collections, in the order of their handles."""
    query = select(_COLLECTIONS).where(_COLLECTIONS.c.shop == shop).order_by(_COLLECTIONS.c.handle)
    async for part in in_parts(connection, query, _FEW):
        for row in part:
            yield Collection(row.collection_id, row.handle, row.title, tuple(row.product_ids))


def _row(shop: str, collection: Collection, now: datetime) -> dict[str, Any]:
    return {
        "shop": shop,
        "collection_id": collection.collection_id,
        "handle": collection.handle,
        "title": collection.title,
        "product_ids": list(collection.product_ids),
        "changed_at": now,
    }
