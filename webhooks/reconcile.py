"""Reconciliation: each hour, asks Shopify for what changed and compares, as a delivery may never come.

Besides the records that changed, what only a delivery of its own tells: refunds, stock, costs, consent, and
once a day which products are gone. What Shopify refuses holds up nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Column, select

from app.connections import Connections, redis_key
from app.errors import InputError, ShopClosed, ShopifyError, ShopifyRefused
from app.events.kinds import AnyEvent, CustomerChanged, OrderUpdated, ProductChanged
from app.events.log import EventLog
from app.shops.store import Shop, describe, get_shop
from app.shops.tokens import ask_shop
from app.shops.turns import shops_by_turns
from app.tables import CustomerRow, OrderRow, ProductRow
from app.upsert import table_of
from app.values import moment
from webhooks.collections import note_changed
from webhooks.deleted_products import log_deleted_products
from webhooks.documents import (
    CHANGED_CUSTOMERS,
    CHANGED_ITEMS,
    CHANGED_ORDERS,
    CHANGED_PRODUCTS,
    ONE_CUSTOMER,
    ONE_ORDER,
    ONE_PRODUCT,
)
from webhooks.locations import note_locations
from webhooks.missed_bundles import orders_to_reread
from webhooks.missed_consent import missed_consent
from webhooks.missed_costs import missed_costs, read_costs
from webhooks.missed_refunds import missed_refunds
from webhooks.missed_stock import missed_stock
from webhooks.missed_variants import products_to_reread
from webhooks.offerable import note_offerable
from webhooks.paging import pages
from webhooks.payload import Payload
from webhooks.read_admin import read_customer, read_order, read_product

# A change can be seen in a search a while after it happened.
_OVERLAP = timedelta(minutes=15)
_AT_LEAST = timedelta(days=1)  # each shop has its turn every hour, if nothing is wrong
_log = logging.getLogger(__name__)

Change = CustomerChanged | OrderUpdated | ProductChanged
Details = Callable[[Connections, Shop, Sequence[Payload]], Awaitable[list[AnyEvent]]]
Comparison = Callable[[Connections, Shop, datetime], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Kind:
    """What is compared. changed, one: the queries of changes and of one record. parts: the record's paginated
    field, if any. id, updated_at: our columns. missed_details: finds what the record itself does not show."""

    name: str
    changed: str
    one: str
    parts: str | None
    read: Callable[[Shop, Payload, Sequence[Payload]], Change]
    id: Column[Any]
    updated_at: Column[Any]
    missed_details: Details | None = None


async def reconcile(connections: Connections) -> None:
    """Put what each shop whose turn it is changed, and we don't know, into the event log."""
    for shop in await shops_by_turns(connections, "reconcile"):
        try:
            await describe(connections, shop.shop)  # a merchant may change the currency and the time zone
            await note_locations(connections, shop.shop)
            shop = await get_shop(connections, shop.shop) or shop
            missed = await reconcile_shop(connections, shop, datetime.now(UTC))
            _log.info("reconciled", extra={"shop": shop.shop, "missed": missed})
        except (ShopifyError, InputError) as error:
            _log.warning("not reconciled", extra={"shop": shop.shop, "reason": str(error)})


async def reconcile_shop(connections: Connections, shop: Shop, now: datetime) -> int:
    """Return how many changes since the last time were missed; they are in the log now.

    What is refused, or can't be read, is left for the next time: it is looked for since its own last one.
    Raises ShopifyUnavailable, ShopClosed and TokenRevoked.
    """
    missed = [
        await _isolated(shop, name, _compare_since_last(connections, shop, name, compare, now))
        for name, compare in _COMPARISONS.items()
    ]
    return sum(missed) + await _isolated(shop, "gone", log_deleted_products(connections, shop, now))


async def _isolated(shop: Shop, name: str, comparing: Awaitable[int]) -> int:
    """Return how many changes were missed, 0 where Shopify refuses or its answer can't be read."""
    try:
        return await comparing
    except ShopClosed:
        raise
    except (ShopifyRefused, InputError) as error:
        _log.warning("not reconciled", extra={"shop": shop.shop, "kind": name, "reason": str(error)})
        return 0


async def _compare_since_last(
    connections: Connections, shop: Shop, name: str, compare: Comparison, now: datetime
) -> int:
    """Return how many changes since the last such comparison were missed."""
    key = redis_key(shop.shop, "reconciled", name)
    last: Any = await connections.redis.get(key)
    since = _since(moment(last.decode()) if last else shop.installed_at, now)
    missed = await compare(connections, shop, since)
    await connections.redis.set(key, now.isoformat())
    return missed


async def _compare_records(kind: Kind, connections: Connections, shop: Shop, since: datetime) -> int:
    missed = 0
    async for changed in _changed_pages(connections, shop, kind.changed, f"{kind.name}s", since):
        for gid in await _changed_gids(connections, shop, kind, changed):
            missed += await append_current(connections, shop, kind, gid)
        if kind.missed_details:
            missed += await _append(connections, await kind.missed_details(connections, shop, changed))
    return missed


async def _compare_costs(connections: Connections, shop: Shop, since: datetime) -> int:
    missed = 0
    async for changed in _changed_pages(connections, shop, CHANGED_ITEMS, "inventoryItems", since):
        missed += await _append(connections, await missed_costs(connections, shop, read_costs(shop, changed)))
    return missed


async def _append(connections: Connections, events: Sequence[AnyEvent]) -> int:
    """Return how many events there are; they are in the log now."""
    if events:
        await EventLog(connections.redis).append(events)
    return len(events)


def _since(last: datetime, now: datetime) -> datetime:
    """Return from when on to look. A last time that lies ahead was by a clock that was put back since."""
    return (last if last <= now + _OVERLAP else now - _AT_LEAST) - _OVERLAP


async def _changed_pages(
    connections: Connections, shop: Shop, query: str, field: str, since: datetime
) -> AsyncIterator[list[Payload]]:
    """Yield which of the shop's records changed since then and when, a page at a time."""
    filter_by = f"updated_at:>='{since:%Y-%m-%dT%H:%M:%SZ}'"
    async for _, nodes in pages(connections, shop.shop, query, field, changed=filter_by):
        yield nodes


async def _changed_gids(
    connections: Connections, shop: Shop, kind: Kind, changed: Sequence[Payload]
) -> list[str]:
    """Return the GIDs of the records whose change is later than what we know."""
    ids = [node.id("id") for node in changed]
    query = select(kind.id, kind.updated_at).where(kind.id.table.c.shop == shop.shop, kind.id.in_(ids))
    known = {row[0]: row[1] for row in await connections.rows(query)}
    return [
        node.text("id")
        for node, number in zip(changed, ids, strict=True)
        if number not in known or known[number] < node.time("updatedAt")
    ]


async def append_current(connections: Connections, shop: Shop, kind: Kind, gid: str) -> bool:
    """Append the record as Shopify has it now to the log; return whether it is there."""
    try:
        change = await _read(connections, shop, kind, gid)
    except InputError as error:
        facts = {"shop": shop.shop, "record": gid, "reason": str(error)}
        _log.warning("a missed change is left to its webhook", extra=facts)
        return False
    if change is None:  # deleted since
        return False
    await EventLog(connections.redis).append([change])
    return True


async def _read(connections: Connections, shop: Shop, kind: Kind, gid: str) -> Change | None:
    """Return the record with all its parts, None for one that is not there. Raises InputError."""
    record: Payload | None = None
    parts: list[Payload] = []
    if kind.parts is None:
        answer = Payload(await ask_shop(connections, shop.shop, kind.one, {"id": gid}))
        record = answer.child_or_none(kind.name)
    else:
        async for owner, page in pages(connections, shop.shop, kind.one, kind.parts, of=kind.name, id=gid):
            record, parts = owner, parts + page
    return kind.read(shop, record, parts) if record else None


async def _product_details(
    connections: Connections, shop: Shop, products: Sequence[Payload]
) -> list[AnyEvent]:
    await note_offerable(connections, shop, products, datetime.now(UTC))
    if products:
        await note_changed(connections, shop.shop)
    for gid in await products_to_reread(connections, shop, products):
        await append_current(connections, shop, PRODUCTS, gid)
    return await missed_stock(connections, shop, products)


async def _order_details(connections: Connections, shop: Shop, orders: Sequence[Payload]) -> list[AnyEvent]:
    for gid in await orders_to_reread(connections, shop, orders):
        await append_current(connections, shop, ORDERS, gid)
    return await missed_refunds(connections, shop, orders, datetime.now(UTC))


_PRODUCTS, _CUSTOMERS, _ORDERS = (table_of(row).c for row in (ProductRow, CustomerRow, OrderRow))
KINDS = (
    Kind(
        "product", CHANGED_PRODUCTS, ONE_PRODUCT, "variants",
        lambda shop, node, parts: read_product(shop.shop, node, parts, shop.currency, datetime.now(UTC)),
        _PRODUCTS.product_id, _PRODUCTS.updated_at, _product_details,
    ),
    Kind(
        "customer", CHANGED_CUSTOMERS, ONE_CUSTOMER, None,
        lambda shop, node, _: read_customer(shop.shop, node, shop.currency),
        _CUSTOMERS.customer_id, _CUSTOMERS.updated_at, missed_consent,
    ),
    Kind(
        "order", CHANGED_ORDERS, ONE_ORDER, "lineItems",
        lambda shop, node, parts: read_order(shop.shop, node, parts),
        _ORDERS.order_id, _ORDERS.updated_at, _order_details,
    ),
)  # fmt: skip
PRODUCTS, ORDERS = KINDS[0], KINDS[-1]
_COMPARISONS: dict[str, Comparison] = {
    **{kind.name: partial(_compare_records, kind) for kind in KINDS},
    "cost": _compare_costs,
}
