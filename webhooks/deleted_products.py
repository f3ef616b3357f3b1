"""Finds products deleted in Shopify whose webhook never came. Runs once a day.

The same answer says which can be offered, also of products that have not changed for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from app.connections import Connections, redis_key
from app.events.kinds import AnyEvent, ProductDeleted
from app.events.log import EventLog
from app.shops.store import Shop
from app.shops.tokens import ask_shop
from app.tables import ProductRow
from app.upsert import chunks, table_of
from webhooks.documents import WHICH_EXIST
from webhooks.offerable import note_offerable
from webhooks.payload import Payload

_EVERY_S = 24 * 3600
_PAGE = 250
# A new product can take a moment until it is found everywhere.
_SETTLED = timedelta(minutes=15)
_PRODUCTS = table_of(ProductRow)


async def log_deleted_products(connections: Connections, shop: Shop, now: datetime) -> int:
    """Return how many products were found deleted and logged so; 0 if looked for within a day."""
    checked = redis_key(shop.shop, "gone_looked_for")
    if await connections.redis.exists(checked):
        return 0
    deleted: list[AnyEvent] = []
    for part in chunks(await _known(connections, shop, now), _PAGE):
        deleted += [_deleted(shop, number, now) for number in await _not_found(connections, shop, part, now)]
    await EventLog(connections.redis).append(deleted)
    await connections.redis.set(checked, 1, ex=_EVERY_S)
    return len(deleted)


async def _known(connections: Connections, shop: Shop, now: datetime) -> list[int]:
    query = select(_PRODUCTS.c.product_id).where(
        _PRODUCTS.c.shop == shop.shop,
        _PRODUCTS.c.deleted_at.is_(None),
        _PRODUCTS.c.created_at < now - _SETTLED,
    )
    return await connections.scalars(query.order_by(_PRODUCTS.c.product_id))


async def _not_found(
    connections: Connections, shop: Shop, product_ids: Sequence[int], now: datetime
) -> list[int]:
    gids = [f"gid://shopify/Product/{number}" for number in product_ids]
    answer = await ask_shop(connections, shop.shop, WHICH_EXIST, {"ids": gids})
    found = [Payload(node) for node in answer["nodes"] if node is not None]
    await note_offerable(connections, shop, found, now)
    existing = {node.id("id") for node in found}
    return [number for number in product_ids if number not in existing]


def _deleted(shop: Shop, product_id: int, now: datetime) -> ProductDeleted:
    event_id = f"gone:{product_id}:{now.isoformat()}"
    return ProductDeleted(shop=shop.shop, event_id=event_id, happened_at=now, product_id=product_id)
