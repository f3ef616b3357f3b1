"""What Shopify's privacy topics ask for: a customer's data shown or erased, a shop erased.

Every step can be repeated, so a crash half-way is finished by the next attempt.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from app.connections import Connections, redis_key
from app.events.kinds import (
    CustomerDataRequested,
    CustomerRedactionRequested,
    ShopRedactionRequested,
)
from app.events.log import EventLog
from app.profiles.store import forget
from app.shops.store import get_shop
from app.tables import CustomerRow, DecisionRow, EventRow, OrderRow
from app.upsert import table_of
from app.values import ShopDomain

# Shopify asks for a shop's erasure this long after the app was removed.
_ERASED_AFTER = timedelta(hours=48)
_CUSTOMERS, _ORDERS = table_of(CustomerRow), table_of(OrderRow)
_EVENTS, _DECISIONS = table_of(EventRow), table_of(DecisionRow)
_log = logging.getLogger(__name__)


async def note_data_request(_connections: Connections, event: CustomerDataRequested) -> None:
    """Let the merchant's operator know; the request itself is kept among the events."""
    _log.warning(
        "a customer asked for their data: answer within 30 days with `tillwise export`",
        extra={"shop": event.shop, "request": event.request_id, "customer_id": event.customer_id},
    )


async def customer_data(connections: Connections, shop: str, customer_id: int) -> dict[str, Any]:
    """Return every row held about the customer, by table, for the merchant to pass on."""
    held: dict[str, Any] = {}
    async with connections.read() as db:
        connection = await db.connection()
        for table in (_CUSTOMERS, _ORDERS, _EVENTS, _DECISIONS):
            rows = await connection.execute(select(table).where(*_is(table, shop, customer_id)))
            held[table.name] = [dict(row._mapping) for row in rows]
    return held


async def redact_customer(connections: Connections, event: CustomerRedactionRequested) -> None:
    """Erase the customer: who they are goes, the merchant's sums stay."""
    if event.customer_id is None:
        return
    async with connections.write() as db:
        connection = await db.connection()
        tokens = await _checkout_tokens(connection, event)
        clients = await _clients(connection, event.shop, event.customer_id)
        await _erase(connection, event.shop, event.customer_id, tokens)
    shop = ShopDomain(event.shop)
    await forget(connections, shop, customer_id=event.customer_id, checkout_tokens=tokens)
    for client_id in clients:
        await forget(connections, shop, client_id=client_id)


async def redact_shop(connections: Connections, event: ShopRedactionRequested) -> None:
    """Erase all that is held of the shop, unless it has come back since it left."""
    shop = await get_shop(connections, event.shop)
    returned = shop and shop.uninstalled_at is None
    if shop and returned and shop.installed_at > event.happened_at - _ERASED_AFTER:
        _log.warning("a shop that has the app again is not erased", extra={"shop": event.shop})
        return
    async with connections.write() as db:
        connection = await db.connection()
        for table in SQLModel.metadata.sorted_tables:
            if "shop" in table.c:
                await connection.execute(delete(table).where(table.c.shop == event.shop))
    async for key in connections.redis.scan_iter(match=_every_key(event.shop), count=1_000):
        await connections.redis.delete(key)
    await EventLog(connections.redis).forget(event.shop)
    models = connections.settings.data_dir / "models" / event.shop
    await asyncio.to_thread(shutil.rmtree, models, ignore_errors=True)


async def _erase(connection: AsyncConnection, shop: str, customer_id: int, tokens: Sequence[str]) -> None:
    unknown: dict[str, Any] = {"customer_id": None, "checkout_token": None}
    for table in (_CUSTOMERS, _EVENTS):
        await connection.execute(delete(table).where(*_is(table, shop, customer_id)))
    for table in (_EVENTS, _DECISIONS):
        theirs = (table.c.shop == shop, table.c.checkout_token.in_(tokens))
        if table is _EVENTS:
            await connection.execute(delete(table).where(*theirs))
        else:
            await connection.execute(update(table).where(*theirs).values(**unknown, inputs={}))
    await connection.execute(
        update(_DECISIONS).where(*_is(_DECISIONS, shop, customer_id)).values(**unknown, inputs={})
    )
    await connection.execute(update(_ORDERS).where(*_is(_ORDERS, shop, customer_id)).values(**unknown))


async def _checkout_tokens(connection: AsyncConnection, event: CustomerRedactionRequested) -> list[str]:
    """Return the checkouts of the customer's orders, the named ones included."""
    theirs = or_(_ORDERS.c.customer_id == event.customer_id, _ORDERS.c.order_id.in_(event.order_ids))
    tokens = select(_ORDERS.c.checkout_token).where(
        _ORDERS.c.shop == event.shop, _ORDERS.c.checkout_token.is_not(None), theirs
    )
    return list(await connection.scalars(tokens))


async def _clients(connection: AsyncConnection, shop: str, customer_id: int) -> list[str]:
    """Return the browsers the customer was seen with."""
    clients = select(_EVENTS.c.client_id).where(
        *_is(_EVENTS, shop, customer_id), _EVENTS.c.client_id.is_not(None)
    )
    return list(await connection.scalars(clients.distinct()))


def _is(table: Table, shop: str, customer_id: int) -> tuple[Any, Any]:
    return table.c.shop == shop, table.c.customer_id == customer_id


def _every_key(shop: str) -> str:
    return redis_key(shop, "*")
