"""A shop's collections and what is in them, read in bulk: no other way tells of all that changes.

A webhook tells that products were put in by hand, and none that a product meets a collection's conditions
now. So all are read once a day, within a minute of a webhook, and after the hourly comparison found products
that changed; after a reading that took long there is a rest. One bulk operation reads everything, which costs
a large shop no queries.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from time import monotonic

from app.catalog.collections import Collection, record_collections
from app.connections import Connections, redis_key
from app.errors import InputError, ShopifyError, ShopifyUnavailable
from app.events.kinds import CollectionsChanged
from app.jobs import exclusive_job, request_job
from app.shops.active import note_active
from app.shops.changes import CATALOG_CHANGED, announce_change
from app.shops.store import installed_shop
from app.shops.turns import shops_by_turns, shops_to_look_at
from app.values import ShopDomain, shopify_id
from webhooks.bulk import trees_in_bulk
from webhooks.documents import BULK_COLLECTIONS
from webhooks.jsonl import Tree
from webhooks.payload import Payload

_AN_HOUR_S, _A_DAY_S = 3_600, 24 * 3_600
# As many times as long as a reading took, so that a shop whose collections change all the time is read a
# twentieth of the time at most.
RESTS = 20
_log = logging.getLogger(__name__)


async def note_collection(connections: Connections, event: CollectionsChanged) -> None:
    """Have the shop's collections read again."""
    await note_changed(connections, event.shop)


async def note_changed(connections: Connections, shop: str) -> None:
    """Have the shop's collections read again: other products may be in them."""
    await connections.redis.set(_changed_key(shop), 1, ex=_A_DAY_S)  # by then it is read anyway
    await note_active(connections.redis, [shop])


async def request_due_collections(connections: Connections) -> None:
    """Ask for the collections of each shop once a day, and of those where they have changed."""
    for shop in await shops_by_turns(connections, "collections", _A_DAY_S):
        await request_job(connections, "collections", shop.shop)
    for shop in await shops_to_look_at(connections, "changed collections"):
        if await _is_due(connections, shop.shop):
            await request_job(connections, "collections", shop.shop)


async def read_collections(connections: Connections, shop: ShopDomain) -> None:
    """Keep the shop's collections as they are now; announce it to serving where any changed.

    What Shopify refuses or gives up is logged, and asked again after an hour. Raises ShopifyUnavailable when
    it is worth trying again soon.
    """
    async with exclusive_job(connections, "collections", shop):
        known = await installed_shop(connections, shop)
        if known is None:
            return
        began = monotonic()
        await connections.redis.delete(_changed_key(shop))
        try:
            collections = [each async for each in _all(connections, shop)]
        except ShopifyUnavailable:
            raise
        except ShopifyError as error:
            _log.warning("collections not read", extra={"shop": shop, "reason": str(error)})
            await connections.redis.set(_resting_key(shop), 1, ex=_AN_HOUR_S)
            await connections.redis.set(_changed_key(shop), 1, ex=_A_DAY_S)
            return
        if await record_collections(connections, shop, collections, datetime.now(UTC)):
            await announce_change(connections.redis, shop, CATALOG_CHANGED)
        await connections.redis.set(_resting_key(shop), 1, ex=1 + int(RESTS * (monotonic() - began)))


async def _is_due(connections: Connections, shop: str) -> bool:
    redis = connections.redis
    return bool(await redis.exists(_changed_key(shop)) and not await redis.exists(_resting_key(shop)))


async def _all(connections: Connections, shop: str) -> AsyncIterator[Collection]:
    async for tree in trees_in_bulk(connections, shop, BULK_COLLECTIONS):
        try:
            yield _read(tree)
        except InputError as error:
            _log.warning("a collection can't be read", extra={"shop": shop, "reason": str(error)})


def _read(tree: Tree) -> Collection:
    node = Payload(tree.root)
    products = sorted({shopify_id(each["id"]) for each in tree.of_kind("Product")})
    return Collection(node.id("id"), node.text("handle"), node.text("title"), tuple(products))


def _changed_key(shop: str) -> str:
    return redis_key(shop, "collections", "changed")


def _resting_key(shop: str) -> str:
    return redis_key(shop, "collections", "rest")
