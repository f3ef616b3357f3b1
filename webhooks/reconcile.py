"""What Shopify has and we missed: a delivery can come late, or never. Looked for every hour."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, select

from app.connections import Connections, redis_key
from app.errors import InputError, ShopifyError
from app.events.kinds import OrderUpdated, ProductChanged
from app.events.log import EventLog
from app.shops.store import Shop, installed_shops
from app.shops.tokens import ask_shop
from app.tables import OrderRow, ProductRow
from app.upsert import table_of
from app.values import moment
from webhooks.documents import CHANGED_ORDERS, CHANGED_PRODUCTS
from webhooks.payload import Payload
from webhooks.read_admin import read_order, read_product

# A change can be seen in a search a while after it happened.
_OVERLAP = timedelta(minutes=15)
_log = logging.getLogger(__name__)

Change = OrderUpdated | ProductChanged


@dataclass(frozen=True, slots=True)
class Kind:
    """What is looked for. name: its field in the answer; parts: what each record is made of;
    id, updated_at: the columns where we keep it."""

    name: str
    document: str
    parts: str
    read: Callable[[Shop, Payload, Sequence[Payload]], Change]
    number: Callable[[Any], int]
    id: Column[Any]
    updated_at: Column[Any]


async def reconcile(connections: Connections) -> None:
    """Put what every installed shop changed, and we don't know, into the event log."""
    for shop in await installed_shops(connections):
        try:
            missed = await reconcile_shop(connections, shop, datetime.now(UTC))
            _log.info("reconciled", extra={"shop": shop.shop, "missed": missed})
        except ShopifyError as error:
            _log.warning("not reconciled", extra={"shop": shop.shop, "reason": str(error)})


async def reconcile_shop(connections: Connections, shop: Shop, now: datetime) -> int:
    """Return how many changes since the last time were missed; they are in the log now."""
    key = redis_key(shop.shop, "reconciled")
    last: Any = await connections.redis.get(key)
    since = (moment(last.decode()) if last else shop.installed_at) - _OVERLAP
    missed = 0
    for kind in KINDS:
        async for page in _pages(connections, shop, kind, since):
            changes = await _news(connections, shop, kind, _read(shop, kind, page))
            await EventLog(connections.redis).append(changes)
            missed += len(changes)
    await connections.redis.set(key, now.isoformat())
    return missed


async def _pages(
    connections: Connections, shop: Shop, kind: Kind, since: datetime
) -> AsyncIterator[list[Payload]]:
    """Yield the shop's records that changed since then, a page at a time."""
    variables = {"changed": f"updated_at:>='{since:%Y-%m-%dT%H:%M:%SZ}'", "after": None}
    while True:
        answer = await ask_shop(connections, shop.shop, kind.document, variables)
        page = Payload(answer).child(kind.name)
        yield page.children("nodes")
        info = page.child("pageInfo")
        if not info.flag_or_none("hasNextPage"):
            return
        variables = variables | {"after": info.text("endCursor")}


def _read(shop: Shop, kind: Kind, page: Sequence[Payload]) -> list[Change]:
    """Return the changes that could be read whole.

    A record of more parts than fit a page is left to its webhook: half of it would be worse.
    """
    changes = []
    for node in page:
        try:
            parts = node.child(kind.parts)
            if not parts.child("pageInfo").flag_or_none("hasNextPage"):
                changes.append(kind.read(shop, node, parts.children("nodes")))
        except InputError as error:
            _log.warning("a record is left out", extra={"shop": shop.shop, "reason": str(error)})
    return changes


async def _news(connections: Connections, shop: Shop, kind: Kind, changes: Sequence[Change]) -> list[Change]:
    """Return the changes that are later than what we know."""
    query = select(kind.id, kind.updated_at).where(
        kind.id.table.c.shop == shop.shop, kind.id.in_([kind.number(change) for change in changes])
    )
    async with connections.read() as db:
        known = {row[0]: row[1] for row in await (await db.connection()).execute(query)}
    return [
        change
        for change in changes
        if kind.number(change) not in known or known[kind.number(change)] < change.updated_at
    ]


_PRODUCTS, _ORDERS = table_of(ProductRow).c, table_of(OrderRow).c
KINDS = (
    Kind(
        "products", CHANGED_PRODUCTS, "variants",
        read=lambda shop, node, parts: read_product(shop.shop, node, parts, shop.currency),
        number=lambda change: int(change.product_id),
        id=_PRODUCTS.product_id, updated_at=_PRODUCTS.updated_at,
    ),
    Kind(
        "orders", CHANGED_ORDERS, "lineItems",
        read=lambda shop, node, parts: read_order(shop.shop, node, parts),
        number=lambda change: int(change.order_id),
        id=_ORDERS.order_id, updated_at=_ORDERS.updated_at,
    ),
)  # fmt: skip
