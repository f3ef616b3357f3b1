"""Customers that Shopify does not have any more, though no delivery told of it.

One was lost, or they were merged into another customer: of that a scope of its own would be told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.connections import Connections
from app.events.kinds import CustomerDeleted
from app.events.log import EventLog
from app.outbound.documents import WHO_EXISTS
from app.shops.tokens import ask_shop
from app.tables import CustomerRow
from app.upsert import table_of
from app.values import gid

_PAGE = 250
# What a reading that began then may not have seen yet.
_SETTLED = timedelta(minutes=15)
_CUSTOMERS = table_of(CustomerRow)


async def note_gone_customers(
    connections: Connections, shop: str, there: NDArray[np.int64], began: datetime
) -> int:
    """Return how many were found to be gone, which is in the log now.

    there: whom a reading of all customers found, which began then. Who is missing is asked for by name.
    """
    count = 0
    async for page in _known(connections, shop, began - _SETTLED):
        missing = np.setdiff1d(page, there).tolist()
        gone = await _not_found(connections, shop, missing) if missing else []
        await EventLog(connections.redis).append([_deleted(shop, number, began) for number in gone])
        count += len(gone)
    return count


async def _known(connections: Connections, shop: str, before: datetime) -> AsyncIterator[NDArray[np.int64]]:
    """Yield the customers that we know since before then, a page at a time."""
    number, after = _CUSTOMERS.c.customer_id, 0
    theirs = (_CUSTOMERS.c.shop == shop, _CUSTOMERS.c.deleted_at.is_(None), _CUSTOMERS.c.updated_at < before)
    while True:
        query = select(number).where(*theirs, number > after).order_by(number).limit(_PAGE)
        async with connections.read() as db:
            page = list(await (await db.connection()).scalars(query))
        if not page:
            return
        yield np.array(page, dtype=np.int64)
        after = page[-1]


async def _not_found(connections: Connections, shop: str, customer_ids: Sequence[int]) -> list[int]:
    asked = [gid("Customer", number) for number in customer_ids]
    nodes = (await ask_shop(connections, shop, WHO_EXISTS, {"ids": asked}))["nodes"]
    return [number for number, node in zip(customer_ids, nodes, strict=True) if node is None]


def _deleted(shop: str, customer_id: int, at: datetime) -> CustomerDeleted:
    event_id = f"gone:customer:{customer_id}:{at.isoformat()}"
    return CustomerDeleted(shop=shop, event_id=event_id, happened_at=at, customer_id=customer_id)
