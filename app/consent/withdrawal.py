"""What goes from the tables when somebody takes back a consent. A repeat finds nothing more.

The ledger keeps that they did. Orders stay as they are: they are the merchant's records.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connections import Connections
from app.privacy_tables import ErasedRow
from app.tables import DecisionRow, EventRow
from app.upsert import chunks, table_of, upsert

_EVENTS, _DECISIONS = table_of(EventRow), table_of(DecisionRow)
# Of Shopify's own facts those that are about the visit; the others are about orders.
_OF_VISITS = _EVENTS.c.event_id.like("browser:%") | _EVENTS.c.name.in_(["CheckoutUpdated", "CheckoutDeleted"])
UNLINKED: dict[str, Any] = {"checkout_token": None, "region": None, "inputs": {}}


@dataclass(frozen=True, slots=True)
class Visit:
    """The browsers and checkouts that a visit is known under."""

    clients: frozenset[str]
    checkouts: frozenset[str]


async def whole_visit(connections: Connections, shop: str, client: str | None, checkout: str | None) -> Visit:
    """Return the visit with every name it went under: the browser's other checkouts are its own."""
    clients = frozenset(filter(None, [client]))
    checkouts = frozenset(filter(None, [checkout]))
    async with connections.read() as db:
        connection = await db.connection()
        clients |= await _beside(connection, shop, "client_id", "checkout_token", checkouts)
        checkouts |= await _beside(connection, shop, "checkout_token", "client_id", clients)
    return Visit(clients, checkouts)


async def forget_visit(connections: Connections, shop: str, visit: Visit) -> int:
    """Return how many events of the visit were deleted. Its decisions lead to no checkout any more."""
    deleted = 0
    async with connections.write() as db:
        connection = await db.connection()
        for column, names in _names(visit):
            theirs = (_EVENTS.c.shop == shop, _OF_VISITS, _EVENTS.c[column].in_(names))
            deleted += (await connection.execute(delete(_EVENTS).where(*theirs))).rowcount
            if column == "checkout_token":
                made = (_DECISIONS.c.shop == shop, _DECISIONS.c.checkout_token.in_(names))
                await connection.execute(update(_DECISIONS).where(*made).values(**UNLINKED))
    return deleted


async def unname_customer(connections: Connections, shop: str, customer_id: int) -> int:
    """Return how many decisions named the customer. None does any more, nor does what a browser sent."""
    async with connections.write() as db:
        connection = await db.connection()
        named = (_DECISIONS.c.shop == shop, _DECISIONS.c.customer_id == customer_id)
        decided = await connection.execute(
            update(_DECISIONS).where(*named).values(customer_id=None, **UNLINKED)
        )
        sent = (_EVENTS.c.shop == shop, _EVENTS.c.customer_id == customer_id, _OF_VISITS)
        await connection.execute(update(_EVENTS).where(*sent).values(customer_id=None))
    return decided.rowcount


async def bar_late_events(
    connections: Connections, shop: str, subjects: Collection[str], before: datetime
) -> None:
    """Write down that nothing from before that time is to be kept of these subjects any more."""
    rows = [{"shop": shop, "subject": subject, "erased_at": before} for subject in subjects]
    async with connections.write() as db:
        await upsert(db, ErasedRow, rows, newer=lambda old, new: new.erased_at > old.erased_at)


async def _beside(
    connection: AsyncConnection, shop: str, wanted: str, known: str, names: Collection[str]
) -> frozenset[str]:
    """Return the values of column `wanted` in visits' events whose column `known` is one of the names."""
    column = _EVENTS.c[wanted]
    found: set[str] = set()
    for part in chunks(sorted(names)):
        together = (_EVENTS.c.shop == shop, _OF_VISITS, _EVENTS.c[known].in_(part), column.is_not(None))
        found.update(await connection.scalars(select(column).where(*together).distinct()))
    return frozenset(found)


def _names(visit: Visit) -> list[tuple[str, Any]]:
    """Return the visit's names by column, a few at a time."""
    return [
        (column, part)
        for column, names in (("client_id", visit.clients), ("checkout_token", visit.checkouts))
        for part in chunks(sorted(names))
    ]
