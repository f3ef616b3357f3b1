"""Finds customers and orders deleted in Shopify whose webhook never came.

One was lost, or a customer was merged into another: of that a scope of its own would be told.
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
_NOTICED_WITHIN = timedelta(days=2)  # who is looked for once a day
# What a reading that began then may not have seen yet.
_SETTLED = timedelta(minutes=15)
_CUSTOMERS, _ORDERS = table_of(CustomerRow).c, table_of(OrderRow).c


@dataclass(frozen=True, slots=True)
class Kind:
    """What is looked for. name: a GID's; expected: what holds of a record of ours that should be there at a
    time; told: the event of one that is not."""

    name: str
    number: Column[Any]
    expected: Callable[[datetime], Sequence[ColumnElement[bool]]]
    told: Callable[[Shop, int, datetime], AnyEvent]


async def note_gone_records(
    connections: Connections, shop: Shop, kind: Kind, there: NDArray[np.int64], began: datetime
) -> int:
    """Return how many were found to be gone, which is in the log now.

    there: what a reading of all found, which began then. What is missing is asked for by name.
    """
    count = 0
    async for page in _known(connections, shop, kind, began):
        missing = np.setdiff1d(page, there).tolist()
        gone = await _not_found(connections, shop, kind, missing) if missing else []
        await EventLog(connections.redis).append([kind.told(shop, number, began) for number in gone])
        count += len(gone)
    return count


async def orders_of_gone(connections: Connections, shop: Shop, now: datetime) -> list[int]:
    """Return the orders of customers who are gone since the day before yesterday: another has them now.

    Shopify deletes nobody who ordered, but merges two into one.
    """
    gone = select(_CUSTOMERS.customer_id).where(
        _CUSTOMERS.shop == shop.shop, _CUSTOMERS.deleted_at >= now - _NOTICED_WITHIN
    )
    theirs = (_ORDERS.shop == shop.shop, _ORDERS.customer_id.in_(gone), _ORDERS.created_at >= now - READ_BACK)
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
    asked = [gid(kind.name, number) for number in numbers]
    nodes = (await ask_shop(connections, shop.shop, WHO_EXISTS, {"ids": asked}))["nodes"]
    return [number for number, node in zip(numbers, nodes, strict=True) if node is None]


def _customer_gone(shop: Shop, number: int, at: datetime) -> CustomerDeleted:
    event_id = f"gone:customer:{number}:{at.isoformat()}"
    return CustomerDeleted(shop=shop.shop, event_id=event_id, happened_at=at, customer_id=number)


def _order_gone(shop: Shop, number: int, at: datetime) -> OrderDeleted:
    event_id = f"gone:order:{number}:{at.isoformat()}"
    return OrderDeleted(
        shop=shop.shop, event_id=event_id, happened_at=at, order_id=number, currency=shop.currency
    )


CUSTOMERS = Kind(
    "Customer",
    _CUSTOMERS.customer_id,
    lambda began: (_CUSTOMERS.deleted_at.is_(None), _CUSTOMERS.updated_at < began - _SETTLED),
    _customer_gone,
)
ORDERS = Kind(
    "Order",
    _ORDERS.order_id,
    lambda began: (
        _ORDERS.cancelled_at.is_(None),  # of these nothing counts, whether they are there or not
        _ORDERS.created_at >= began - READ_BACK,
        _ORDERS.created_at < began - _SETTLED,
    ),
    _order_gone,
)
