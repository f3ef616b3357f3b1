"""Finds customers and orders deleted in Shopify whose webhook never came.

A delivery was lost, or a customer was merged into another: that topic needs a scope of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, ColumnElement, select

from app.connections import Connections
from app.events.kinds import AnyEvent, CustomerDeleted, OrderDeleted
from app.events.log import EventLog
from app.outbound.documents import WHO_EXISTS
from app.shops.store import Shop
from app.shops.tokens import ask_shop
from app.tables import CustomerRow, OrderRow
from app.upsert import table_of
from app.values import gid

READ_BACK = timedelta(days=55)  # orders of the last 60 days are shown to every app
_PAGE = 250
_NOTICED_WITHIN = timedelta(days=2)  # the comparison runs once a day
# What a reading that began then may not have seen yet.
_SETTLED = timedelta(minutes=15)
_CUSTOMERS, _ORDERS = table_of(CustomerRow).c, table_of(OrderRow).c


@dataclass(frozen=True, slots=True)
class Kind:
    """What is looked for. name: in its GID. expected: conditions on a record of ours that should exist at a
    time. event: makes the event of one that does not."""

    name: str
    number: Column[Any]
    expected: Callable[[datetime], Sequence[ColumnElement[bool]]]
    event: Callable[[Shop, int, datetime], AnyEvent]


async def log_deleted_records(
    connections: Connections, shop: Shop, kind: Kind, existing: NDArray[np.int64], began: datetime
) -> int:
    """Return how many records were found deleted; their events are in the log now.

    existing: the ids in a full reading that began then. What it lacks is queried by id before it counts.
    """
    count = 0
    async for page in _known(connections, shop, kind, began):
        missing = np.setdiff1d(page, existing).tolist()
        deleted = await _not_found(connections, shop, kind, missing) if missing else []
        await EventLog(connections.redis).append([kind.event(shop, number, began) for number in deleted])
        count += len(deleted)
    return count


async def orders_of_deleted_customers(connections: Connections, shop: Shop, now: datetime) -> list[int]:
    """Return the orders of customers deleted within two days: another customer has them now.

    Shopify does not delete a customer with orders, but can merge them into another.
    """
    deleted = select(_CUSTOMERS.customer_id).where(
        _CUSTOMERS.shop == shop.shop, _CUSTOMERS.deleted_at >= now - _NOTICED_WITHIN
    )
    theirs = (
        _ORDERS.shop == shop.shop,
        _ORDERS.customer_id.in_(deleted),
        _ORDERS.created_at >= now - READ_BACK,
    )
    query = select(_ORDERS.order_id).where(*theirs).order_by(_ORDERS.order_id)
    return await connections.scalars(query)


async def _known(
    connections: Connections, shop: Shop, kind: Kind, began: datetime
) -> AsyncIterator[NDArray[np.int64]]:
    """Yield the numbers of the records that should be there, a page at a time."""
    number, after = kind.number, 0
    expected = (number.table.c.shop == shop.shop, *kind.expected(began))
    while True:
        query = select(number).where(*expected, number > after).order_by(number).limit(_PAGE)
        page = await connections.scalars(query)
        if not page:
            return
        yield np.array(page, dtype=np.int64)
        after = page[-1]


async def _not_found(connections: Connections, shop: Shop, kind: Kind, numbers: Sequence[int]) -> list[int]:
    gids = [gid(kind.name, number) for number in numbers]
    nodes = (await ask_shop(connections, shop.shop, WHO_EXISTS, {"ids": gids}))["nodes"]
    return [number for number, node in zip(numbers, nodes, strict=True) if node is None]


def _customer_deleted(shop: Shop, number: int, at: datetime) -> CustomerDeleted:
    event_id = f"gone:customer:{number}:{at.isoformat()}"
    return CustomerDeleted(shop=shop.shop, event_id=event_id, happened_at=at, customer_id=number)


def _order_deleted(shop: Shop, number: int, at: datetime) -> OrderDeleted:
    event_id = f"gone:order:{number}:{at.isoformat()}"
    return OrderDeleted(
        shop=shop.shop, event_id=event_id, happened_at=at, order_id=number, currency=shop.currency
    )


CUSTOMERS = Kind(
    "Customer",
    _CUSTOMERS.customer_id,
    lambda began: (_CUSTOMERS.deleted_at.is_(None), _CUSTOMERS.updated_at < began - _SETTLED),
    _customer_deleted,
)
ORDERS = Kind(
    "Order",
    _ORDERS.order_id,
    lambda began: (
        _ORDERS.cancelled_at.is_(None),  # of these nothing counts, whether they are there or not
        _ORDERS.created_at >= began - READ_BACK,
        _ORDERS.created_at < began - _SETTLED,
    ),
    _order_deleted,
)
