"""A shop's history, imported on install through Admin bulk operations.

Products, then customers, then orders: those of 60 days, or all where the shop grants that scope.
Of what was given back it is known which units, and how much in all.
Each step is written down, so that a process that dies here is continued where it was: the operation under
way at Shopify is found again, and a download goes on at the last object that was stored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.catalog.cost_store import record_costs
from app.catalog.store import record_levels, record_products
from app.connections import Connections, redis_key
from app.consent.barred import let_history_in, look_and_write
from app.consent.policies import try_to_read_policy
from app.errors import InputError, ShopClosed, ShopifyError, ShopifyRefused, ShopifyUnavailable
from app.events.erased import only_kept
from app.events.kinds import BulkOperationFinished
from app.jobs import exclusive_job, is_under_way, request_job, requeue_job
from app.orders.customers import record_customers
from app.orders.store import record_refunds
from app.profiles.store import keep_orders, rebuild
from app.shopify import download
from app.shops.changes import announce_change
from app.shops.store import Shop, describe, get_shop, installed_shop
from app.shops.tokens import ask_shop
from app.tables import BackfillRow
from app.upsert import insert_new
from app.values import ShopDomain
from webhooks.bulk import UNDER_WAY, BulkFailed, bulk_error, start_bulk
from webhooks.documents import BULK_CUSTOMERS, BULK_ORDERS, BULK_PRODUCTS, BULK_STATUS
from webhooks.jsonl import Tree, trees
from webhooks.locations import note_locations
from webhooks.missed_costs import missed_costs, read_costs
from webhooks.missed_refunds import imported_refunds, unknown_refunds
from webhooks.payload import Payload
from webhooks.read_admin import read_customer, read_level, read_order, read_product, uncounted

BATCH = 500
# Before an import that Shopify gave up is retried; after the last retry it is for the merchant to start.
PAUSES = tuple(timedelta(minutes=each) for each in (1, 10, 60, 360))
_ATTEMPTS_TTL = timedelta(days=7)
_FIRST_POLL_S = 0.2
_LONGEST_POLL_S = 10.0
_LONGEST_WAIT_S = 30.0  # an operation can take hours, and a job that waits for it occupies one of few slots
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is imported: how it is asked for, and how a batch of it is stored."""

    name: str
    query: str
    store: Callable[[Connections, Shop, Sequence[Tree]], Awaitable[None]]


async def run_backfill(connections: Connections, shop: ShopDomain) -> None:
    """Import what is still to be imported, then ask for a training; safe to repeat at any point.

    A kind that Shopify refuses does not hold up the others, and is raised at the end. An operation that
    Shopify gave up, or a shop that is frozen or locked, is retried after growing pauses. Raises
    ShopifyUnavailable when it is worth trying again later, other ShopifyErrors when not.
    """
    async with exclusive_job(connections, "backfill", shop):
        try:
            installed = await _refreshed_shop(connections, shop)
        except ShopClosed as closed:
            await _try_again(connections, shop, [closed])
            raise
        if installed is None:
            return
        await let_history_in(connections, shop, installed.installed_at)
        await try_to_read_policy(connections, shop)
        await _begin(connections, shop)
        refused = [error for kind in KINDS if (error := await _refusal(connections, installed, kind))]
        await rebuild(connections, shop)
    await announce_change(connections.redis, shop)
    await request_job(connections, "train", shop)
    await request_job(connections, "segment", shop)
    await request_job(connections, "collections", shop)
    if refused:
        await _try_again(connections, shop, refused)
        raise refused[0]
    await connections.redis.delete(redis_key(shop, "resting", "backfill"))


async def resume_backfill(connections: Connections, event: BulkOperationFinished) -> None:
    """Continue the import that this operation belongs to, unless a job waits for it.

    A waiting job polls by itself: a second one after it would import nothing, and still request a training.
    """
    if await is_under_way(connections, "backfill", event.shop):
        return
    async with connections.read() as db:
        rows = [await db.get(BackfillRow, (event.shop, kind.name)) for kind in KINDS]
    if any(row and row.operation_id == event.operation_id and row.status == "running" for row in rows):
        await request_job(connections, "backfill", event.shop)


async def _try_again(connections: Connections, shop: ShopDomain, refused: Sequence[ShopifyRefused]) -> None:
    """Requeue the import after the next of PAUSES, where what failed may succeed later."""
    if not any(isinstance(error, BulkFailed | ShopClosed) for error in refused):
        return
    key = redis_key(shop, "resting", "backfill")
    times = await connections.redis.incr(key)
    await connections.redis.expire(key, _ATTEMPTS_TTL)
    if times <= len(PAUSES):
        await requeue_job(connections, "backfill", shop, PAUSES[times - 1])


async def _refreshed_shop(connections: Connections, shop: ShopDomain) -> Shop | None:
    """Return the shop with the currency its prices are in now, None for one that does not have the app."""
    if await installed_shop(connections, shop) is None:
        return None
    await describe(connections, shop)
    await note_locations(connections, shop)
    return await get_shop(connections, shop)


async def _begin(connections: Connections, shop: str) -> None:
    now = datetime.now(UTC)
    rows = [
        {"shop": shop, "kind": kind.name, "status": "waiting", "loaded_bytes": 0, "loaded": 0}
        | {"error": "", "updated_at": now}
        for kind in KINDS
    ]
    async with connections.write() as db:
        await insert_new(db, BackfillRow, rows)


async def _refusal(connections: Connections, shop: Shop, kind: Kind) -> ShopifyRefused | None:
    """Import the kind; return why that was refused, if it was."""
    try:
        await _import(connections, shop, kind)
    except ShopifyRefused as error:
        return error
    return None


async def _import(connections: Connections, shop: Shop, kind: Kind) -> None:
    try:
        row = await _row(connections, shop.shop, kind)
        if row.status in ("waiting", "failed"):
            row = await _start(connections, shop, kind)
        if row.status == "running":
            row = await _wait(connections, shop, kind, row)
        if row.status == "loading":
            await _load(connections, shop, kind, row)
    except ShopifyUnavailable:
        raise
    except ShopifyError as error:
        await _change(connections, shop.shop, kind, status="failed", error=str(error))
        raise


async def _start(connections: Connections, shop: Shop, kind: Kind) -> BackfillRow:
    operation_id = await start_bulk(connections, shop.shop, kind.query)
    return await _change(
        connections, shop.shop, kind, status="running", operation_id=operation_id,
        url=None, loaded=0, loaded_bytes=0, total=None, error="",
    )  # fmt: skip


async def _wait(connections: Connections, shop: Shop, kind: Kind, row: BackfillRow) -> BackfillRow:
    """Return the row once the operation is complete.

    Raises ShopifyRefused when it failed, ShopifyUnavailable when it is still under way after a while.
    """
    poll_s, waited_s = _FIRST_POLL_S, 0.0
    while True:
        data = await ask_shop(connections, shop.shop, BULK_STATUS, {"id": row.operation_id})
        operation = data.get("node") or {"status": "EXPIRED"}
        if operation["status"] not in UNDER_WAY:
            break
        if waited_s >= _LONGEST_WAIT_S:
            raise ShopifyUnavailable(f"{shop.shop} bulk {kind.name}: {operation['status']}")
        await asyncio.sleep(poll_s)
        waited_s += poll_s
        poll_s = min(poll_s * 1.5, _LONGEST_POLL_S)
    if operation["status"] != "COMPLETED":
        raise bulk_error(f"{shop.shop} bulk {kind.name}", operation)
    total, url = int(operation["rootObjectCount"]), operation["url"]
    status = "loading" if url else "done"  # Shopify writes no file for nothing
    return await _change(connections, shop.shop, kind, status=status, url=url, total=total)


async def _load(connections: Connections, shop: Shop, kind: Kind, row: BackfillRow) -> None:
    assert row.url is not None
    batch: list[Tree] = []
    loaded = row.loaded
    parts = download(connections.http, row.url, row.loaded_bytes)
    try:
        async for tree in trees(parts, row.loaded_bytes):
            batch.append(tree)
            if len(batch) == BATCH:
                loaded = await _keep(connections, shop, kind, batch, loaded)
                batch = []
    except ShopifyRefused as error:  # the link lasts a week: ask for a new one
        await _change(connections, shop.shop, kind, status="waiting")
        raise ShopifyUnavailable(str(error)) from error
    loaded = await _keep(connections, shop, kind, batch, loaded)
    await _change(connections, shop.shop, kind, status="done", total=loaded, url=None)


async def _keep(connections: Connections, shop: Shop, kind: Kind, batch: Sequence[Tree], loaded: int) -> int:
    """Store the batch, then how far we are; return how many objects that is."""
    if batch:
        await kind.store(connections, shop, batch)
        loaded += len(batch)
        await _change(connections, shop.shop, kind, loaded=loaded, loaded_bytes=batch[-1].ends_at)
    return loaded


async def _store_products(connections: Connections, shop: Shop, batch: Sequence[Tree]) -> None:
    now = datetime.now(UTC)

    def read(tree: Tree) -> Any:
        variants = [Payload(variant) for variant in tree.of_kind("ProductVariant")]
        product = read_product(shop.shop, Payload(tree.root), variants, shop.currency, now)
        levels = [read_level(shop.shop, Payload(level)) for level in tree.of_kind("InventoryLevel")]
        untracked = {each.inventory_item_id for each in product.variants if each.tracked is False}
        items = [variant.child("inventoryItem") for variant in variants if "inventoryItem" in variant]
        counted = [uncounted(e) if e.inventory_item_id in untracked else e for e in levels]
        return product, read_costs(shop, items), counted

    triples = _read_each(read, shop, batch)
    await record_products(connections, [product for product, _, _ in triples])
    costs = [cost for _, read, _ in triples for cost in read]
    await record_costs(connections, await missed_costs(connections, shop, costs))
    await record_levels(connections, [level for _, _, levels in triples for level in levels])


async def _store_customers(connections: Connections, shop: Shop, batch: Sequence[Tree]) -> None:
    def read(tree: Tree) -> Any:
        return read_customer(shop.shop, Payload(tree.root), shop.currency)

    customers = _read_each(read, shop, batch)
    async with look_and_write(connections, shop.shop, "import"):
        await record_customers(connections, await only_kept(connections, customers))


async def _store_orders(connections: Connections, shop: Shop, batch: Sequence[Tree]) -> None:
    def read(tree: Tree) -> Any:
        node, lines = Payload(tree.root), [Payload(line) for line in tree.children]
        order = read_order(shop.shop, node, lines)
        return order, imported_refunds(shop, node, order, lines)

    pairs = _read_each(read, shop, batch)
    async with look_and_write(connections, shop.shop, "import"):
        await keep_orders(connections, await only_kept(connections, [order for order, _ in pairs]))
        refunds = [refund for _, theirs in pairs for refund in theirs]
        await record_refunds(connections, await unknown_refunds(connections, shop, refunds))


def _read_each(read: Callable[[Tree], Any], shop: Shop, batch: Sequence[Tree]) -> list[Any]:
    """Return what could be read; one malformed object does not stop the import."""
    events = []
    for tree in batch:
        try:
            events.append(read(tree))
        except InputError as error:
            facts = {"shop": shop.shop, "object": tree.root.get("id"), "reason": str(error)}
            _log.warning("an object of the import is left out", extra=facts)
    return events


async def _row(connections: Connections, shop: str, kind: Kind) -> BackfillRow:
    async with connections.read() as db:
        row = await db.get(BackfillRow, (shop, kind.name))
    if row is None:  # uninstalled meanwhile
        raise ShopifyRefused(f"{shop} bulk {kind.name}: the shop does not have the app any more")
    return row


async def _change(connections: Connections, shop: str, kind: Kind, **values: Any) -> BackfillRow:
    """Return the row as it stands after the change."""
    async with connections.write() as db:
        row = await db.get(BackfillRow, (shop, kind.name))
        if row is None:
            raise ShopifyRefused(f"{shop} bulk {kind.name}: the shop does not have the app any more")
        for name, value in (values | {"updated_at": datetime.now(UTC)}).items():
            setattr(row, name, value)
        db.add(row)
    return row


KINDS = (
    Kind("products", BULK_PRODUCTS, _store_products),
    Kind("customers", BULK_CUSTOMERS, _store_customers),
    Kind("orders", BULK_ORDERS, _store_orders),
)
