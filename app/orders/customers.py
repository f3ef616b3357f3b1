"""Customers as numbers, with their answers about marketing, as Shopify last told them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections
from app.consent.digests import open_digests
from app.events.kinds import CustomerChanged, CustomerDeleted, MarketingConsentChanged
from app.orders.answers import append_changes, recorded_answers
from app.tables import CustomerRow, OrderRow
from app.upsert import Merge, Values, each_once, matching, newer_unless_deleted, table_of, upsert

_ORDERS = table_of(OrderRow)
# A customer known only by an answer: whatever is told of them later is newer.
_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT_UNLESS_TOLD = ("orders_count", "data_sale_opt_out", "email_digest", "created_at")


async def record_customers(connections: Connections, events: Sequence[CustomerChanged]) -> None:
    """Keep the customers as they stood, in one transaction, unless something newer is known.

    What an event does not tell stays as it was.
    """
    digests = await open_digests(connections)
    async with connections.write() as db:
        for part in each_once(sorted(events, key=_customer), _customer):  # two workers lock them in one order
            before = await recorded_answers(db, part)
            await upsert(
                db,
                CustomerRow,
                await _with_last_orders(db, list(map(_row, part))),
                newer=newer_unless_deleted,
                merge=_answer("email_marketing")
                | _answer("sms_marketing")
                | {name: _told(name) for name in _KEPT_UNLESS_TOLD}
                | {name: _with_the_count(name) for name in ("spent_minor", "last_order_at")},
            )
            await append_changes(db, digests, before, part)


def _customer(event: CustomerChanged) -> tuple[str, int]:
    return event.shop, event.customer_id


async def record_marketing_consent(connections: Connections, event: MarketingConsentChanged) -> None:
    """Keep the customer's answer for one channel, unless a later answer is known."""
    column = f"{event.channel}_marketing"
    row = {
        "shop": event.shop,
        "customer_id": event.customer_id,
        column: event.state,
        f"{column}_at": event.updated_at,
        "updated_at": _UNKNOWN,
    }
    digests = await open_digests(connections)
    async with connections.write() as db:
        before = await recorded_answers(db, [event])
        await upsert(
            db,
            CustomerRow,
            [row],
            merge=_answer(column) | {"updated_at": lambda old, _new: old.updated_at},
        )
        await append_changes(db, digests, before, [event])


async def remove_customer(connections: Connections, event: CustomerDeleted) -> None:
    """Mark the customer as deleted, unless something newer is known."""
    row = {
        "shop": event.shop,
        "customer_id": event.customer_id,
        "updated_at": event.happened_at,
        "deleted_at": event.happened_at,
    }
    async with connections.write() as db:
        await upsert(db, CustomerRow, [row], newer=lambda old, new: new.updated_at >= old.updated_at)


async def _with_last_orders(db: AsyncSession, rows: Sequence[Values]) -> list[Values]:
    """Return the rows; where Shopify shows no time of the last order, with that of the last one we have.

    By that time it is known later which of our orders are among those that Shopify counted.
    """
    untold = {
        (row["shop"], row["customer_id"]): row["updated_at"]
        for row in rows
        if row["spent_minor"] is not None and row["last_order_at"] is None
    }
    last = dict[tuple[str, int], datetime]()
    connection, columns = await db.connection(), _ORDERS.c
    for theirs in matching([columns.shop, columns.customer_id], untold):
        query = select(columns.shop, columns.customer_id, columns.created_at).where(theirs)
        for shop, customer_id, at in await connection.execute(query):
            who = shop, customer_id
            if at <= untold[who]:
                last[who] = max(at, last.get(who, at))
    return [
        {**row, "last_order_at": last.get((row["shop"], row["customer_id"]), row["last_order_at"])}
        for row in rows
    ]


def _row(event: CustomerChanged) -> dict[str, Any]:
    return {
        "shop": event.shop,
        "customer_id": event.customer_id,
        "orders_count": event.orders_count,
        "spent_minor": event.spent_minor,
        "last_order_at": event.last_order_at,
        "email_marketing": event.email_marketing,
        "email_marketing_at": event.updated_at if event.email_marketing else None,
        "sms_marketing": event.sms_marketing,
        "sms_marketing_at": event.updated_at if event.sms_marketing else None,
        "data_sale_opt_out": event.data_sale_opt_out,
        "email_digest": event.email_digest,
        "created_at": event.created_at,
        "updated_at": event.updated_at,
        "deleted_at": None,
    }


def _told(name: str) -> Merge:
    return lambda old, new: func.coalesce(new[name], old[name])


def _with_the_count(name: str) -> Merge:
    """Return how a figure of the counted orders is replaced: only when their number is told too."""
    return lambda old, new: case((new.orders_count.is_not(None), new[name]), else_=old[name])


def _answer(name: str) -> dict[str, Merge]:
    """Return how an answer and its time are replaced: by a later one only."""
    at = f"{name}_at"

    def later(old: Any, new: Any) -> Any:
        return new[at].is_not(None) & or_(old[at].is_(None), new[at] >= old[at])

    return {
        column: lambda old, new, column=column: case(  # type: ignore[misc]
            (later(old, new), new[column]), else_=old[column]
        )
        for column in (name, at)
    }
