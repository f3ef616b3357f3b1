"""What Shopify's privacy topics ask for: a customer's data shown or erased, a shop erased.

Every step can be repeated, so a crash half-way is finished by the next attempt.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Table, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from app.connections import Connections, redis_key
from app.events.kinds import (
    CustomerDataRequested,
    CustomerRedactionRequested,
    ShopRedactionRequested,
)
from app.events.log import EventLog
from app.profiles.keys import customer_key
from app.profiles.store import forget
from app.profiles.visitor import VisitorProfile, unpack
from app.shops.changes import announce_change
from app.shops.store import get_shop
from app.tables import (
    CustomerRow,
    DecisionRow,
    EventRow,
    FeedbackRow,
    OrderLineRow,
    OrderRow,
    RefundRow,
)
from app.upsert import table_of
from app.values import ShopDomain

# Shopify asks for a shop's erasure this long after the app was removed.
_ERASED_AFTER = timedelta(hours=48)
_CUSTOMERS, _ORDERS = table_of(CustomerRow), table_of(OrderRow)
_LINES, _REFUNDS = table_of(OrderLineRow), table_of(RefundRow)
_EVENTS, _DECISIONS, _FEEDBACK = table_of(EventRow), table_of(DecisionRow), table_of(FeedbackRow)
_log = logging.getLogger(__name__)


async def note_data_request(_connections: Connections, event: CustomerDataRequested) -> None:
    """Let the merchant's operator know; the request itself is kept among the events."""
    _log.warning(
        "a customer asked for their data: answer within 30 days with `tillwise export`",
        extra={"shop": event.shop, "request": event.request_id, "customer_id": event.customer_id},
    )


async def customer_data(connections: Connections, shop: str, customer_id: int) -> dict[str, Any]:
    """Return everything held about the customer, for the merchant to pass on: rows by table.

    What their checkouts left is theirs too, also where it does not name them.
    """
    held: dict[str, Any] = {}
    async with connections.read() as db:
        connection = await db.connection()
        tokens = await _checkout_tokens(connection, shop, customer_id)
        for table, theirs in _theirs(customer_id, tokens).items():
            rows = await connection.execute(select(table).where(table.c.shop == shop, theirs(held)))
            held[table.name] = [dict(row._mapping) for row in rows]
    packed: Any = await connections.redis.get(customer_key(shop, customer_id))
    held["profile"] = [_readable(unpack(packed))] if packed else []
    return held


def _theirs(customer_id: int, tokens: Sequence[str]) -> dict[Table, Callable[[dict[str, Any]], Any]]:
    """Return which rows of each table are the customer's, given those of the tables before it."""

    def named(table: Table) -> Any:
        return table.c.customer_id == customer_id

    def of(table: Table, name: str, parent: Table) -> Callable[[dict[str, Any]], Any]:
        return lambda held: table.c[name].in_([row[name] for row in held[parent.name]])

    return {
        _CUSTOMERS: lambda _: named(_CUSTOMERS),
        _ORDERS: lambda _: named(_ORDERS),
        _LINES: of(_LINES, "order_id", _ORDERS),
        _REFUNDS: of(_REFUNDS, "order_id", _ORDERS),
        _EVENTS: lambda _: named(_EVENTS) | _EVENTS.c.checkout_token.in_(tokens),
        _DECISIONS: lambda _: named(_DECISIONS) | _DECISIONS.c.checkout_token.in_(tokens),
        _FEEDBACK: of(_FEEDBACK, "decision_id", _DECISIONS),
    }


def _readable(profile: VisitorProfile) -> dict[str, Any]:
    """Return the profile with its fields named, where it is packed without."""
    asdict = msgspec.structs.asdict
    bought = {product_id: asdict(bought) for product_id, bought in profile.bought.items()}
    orders = {order_id: asdict(order) for order_id, order in profile.past_orders.items()}
    return asdict(profile) | {"bought": bought, "past_orders": orders}


async def redact_customer(connections: Connections, event: CustomerRedactionRequested) -> None:
    """Erase the customer: who they are goes, the merchant's sums stay."""
    if event.customer_id is None:
        return
    async with connections.write() as db:
        connection = await db.connection()
        tokens = await _checkout_tokens(connection, event.shop, event.customer_id, event.order_ids)
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
    await erase_shop(connections, ShopDomain(event.shop))


async def shop_data(connections: Connections, shop: ShopDomain) -> dict[str, int]:
    """Return how much is held of the shop: rows by table, then keys, dead letters and model files."""
    counts: dict[str, int] = {}
    async with connections.read() as db:
        connection = await db.connection()
        for table in _shop_tables():
            rows = select(func.count()).select_from(table).where(table.c.shop == shop)
            counts[table.name] = (await connection.execute(rows)).scalar_one()
    keys = [key async for key in connections.redis.scan_iter(match=_every_key(shop), count=1_000)]
    counts["redis keys"] = len(set(keys))
    counts["dead letters"] = await EventLog(connections.redis).count_dead(shop)
    counts["model files"] = await asyncio.to_thread(_count_files, _models(connections, shop))
    return counts


async def erase_shop(connections: Connections, shop: ShopDomain) -> None:
    """Erase all that is held of the shop, and let the servers that have it in memory know."""
    async with connections.write() as db:
        connection = await db.connection()
        for table in _shop_tables():
            await connection.execute(delete(table).where(table.c.shop == shop))
    async for key in connections.redis.scan_iter(match=_every_key(shop), count=1_000):
        await connections.redis.delete(key)
    await EventLog(connections.redis).forget(shop)
    await asyncio.to_thread(shutil.rmtree, _models(connections, shop), ignore_errors=True)
    await announce_change(connections.redis, shop)


def _shop_tables() -> list[Table]:
    return [table for table in SQLModel.metadata.sorted_tables if "shop" in table.c]


def _models(connections: Connections, shop: str) -> Path:
    return connections.settings.data_dir / "models" / shop


def _count_files(directory: Path) -> int:
    return sum(path.is_file() for path in directory.rglob("*"))


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


async def _checkout_tokens(
    connection: AsyncConnection, shop: str, customer_id: int, order_ids: Sequence[int] = ()
) -> list[str]:
    """Return the checkouts of the customer's orders, the named ones included."""
    theirs = or_(_ORDERS.c.customer_id == customer_id, _ORDERS.c.order_id.in_(order_ids))
    tokens = select(_ORDERS.c.checkout_token).where(
        _ORDERS.c.shop == shop, _ORDERS.c.checkout_token.is_not(None), theirs
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
