"""Messages on their way to a shop's webhook, in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections
from app.consent.standing import Use, may
from app.consent.standings import profile_basis, standings_of
from app.outbound.messages import MOST_ATTEMPTS, Move, message_of, pause_after
from app.outbound.settings import webhook_of
from app.outbound_tables import DeliveryRow
from app.segment_tables import SegmentMoveRow
from app.shops.store import Shop
from app.shops.turns import shops_to_look_at
from app.upsert import chunks, insert_new, table_of

# No attempt is put off for longer: what is due later than this was written under a clock that was wrong.
_FARTHEST = timedelta(hours=2)
LEASE = timedelta(seconds=60)  # a message whose worker died is sent by another after this
PARKED_FOR = timedelta(days=30)
_AT_ONCE = 500
_MOVES, _DELIVERIES = table_of(SegmentMoveRow), table_of(DeliveryRow)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to be sent. customer_id: who it is about, None for nobody. attempts: made so far."""

    event_id: str
    customer_id: int | None
    body: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that was given up."""

    event_id: str
    made_at: datetime
    attempts: int
    error: str


async def queue_moves(connections: Connections, now: datetime) -> int:
    """Queue messages for new moves and return how many: in shops with a webhook, of customers who allow it.

    A move is queued once. Moves from before the webhook was set, and of customers who refuse, are never sent.
    """
    made = 0
    for shop in await shops_to_look_at(connections, "messages"):
        while moves := await _moves(connections, shop):
            made += await _make(connections, shop, moves, now)
            if len(moves) < _AT_ONCE:
                break
    return made


async def queue_message(
    db: AsyncSession, shop: Shop, event_id: str, message: object, now: datetime, due_at: datetime
) -> None:
    """Queue a message that is about nobody for the shop's webhook, if it has one; once per event id.

    due_at: when it is sent, no more than `_FARTHEST` from now; `unqueue_message` works until then.
    """
    if webhook_of(shop.settings) is not None:
        row = _waiting(shop.shop, event_id, None, msgspec.json.encode(message), now)
        await insert_new(db, DeliveryRow, [row | {"next_attempt_at": due_at}])


async def unqueue_message(db: AsyncSession, shop: str, event_id: str) -> None:
    """Delete a queued message."""
    this = (_DELIVERIES.c.shop == shop, _DELIVERIES.c.event_id == event_id)
    await (await db.connection()).execute(delete(_DELIVERIES).where(*this))


async def who_may_be_shared(connections: Connections, shop: str, customer_ids: Collection[int]) -> set[int]:
    """Return which of the customers' data may be handed to another system."""
    standings = await standings_of(connections, shop, customer_ids)
    basis = await profile_basis(connections, shop)
    return {who for who, standing in standings.items() if may(Use.SHARE, standing, basis).allowed}


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    time = _DELIVERIES.c.next_attempt_at
    return _DELIVERIES.c.status == "pending", or_(time <= now, time > now + _FARTHEST)


async def shops_due(connections: Connections, now: datetime) -> list[str]:
    """Return the shops with messages that are due."""
    query = select(_DELIVERIES.c.shop).where(*_due(now)).distinct()
    return await connections.scalars(query)


async def claim(connections: Connections, shop: str, now: datetime, limit: int) -> list[Delivery]:
    """Return messages of the shop that are due, the oldest first: this process's until the lease ends."""
    due = (_DELIVERIES.c.shop == shop, *_due(now))
    columns = [_DELIVERIES.c[each] for each in ("event_id", "customer_id", "body", "attempts", "made_at")]
    first = select(_DELIVERIES.c.event_id).where(*due).order_by(_DELIVERIES.c.made_at).limit(limit)
    async with connections.write() as db:
        connection = await db.connection()
        wanted = list(await connection.scalars(first))
        mine = update(_DELIVERIES).where(*due, _DELIVERIES.c.event_id.in_(wanted))
        taken = mine.values(next_attempt_at=now + LEASE).returning(*columns)
        rows = (await connection.execute(taken)).all()
    return [_delivery(row) for row in sorted(rows, key=lambda row: row.made_at)]


async def settle(
    connections: Connections, shop: str, results: Iterable[tuple[Delivery, str | None]], now: datetime
) -> None:
    """Delete the messages that were accepted; put off the others, or park them after the last attempt.

    results: each message with why it was not accepted, None if it was."""
    async with connections.write() as db:
        connection = await db.connection()
        for delivery, error in results:
            this = (_DELIVERIES.c.shop == shop, _DELIVERIES.c.event_id == delivery.event_id)
            if error is None:
                await connection.execute(delete(_DELIVERIES).where(*this))
                continue
            attempts = delivery.attempts + 1
            values = {"attempts": attempts, "error": error, "next_attempt_at": now + pause_after(attempts)}
            values |= {"status": "parked"} if attempts >= MOST_ATTEMPTS else {}
            await connection.execute(update(_DELIVERIES).where(*this).values(values))


async def put_off(connections: Connections, shop: str, untried: Sequence[Delivery], due_at: datetime) -> None:
    """Put off the untried messages, and the shop's others that are due earlier, until then.

    It does not count as an attempt.
    """
    waits = or_(
        _DELIVERIES.c.event_id.in_([each.event_id for each in untried]),
        _DELIVERIES.c.next_attempt_at < due_at,
    )
    these = (_DELIVERIES.c.shop == shop, _DELIVERIES.c.status == "pending", waits)
    await connections.execute(update(_DELIVERIES).where(*these).values(next_attempt_at=due_at))


async def drop(connections: Connections, shop: str, deliveries: Sequence[Delivery]) -> None:
    """Delete messages that may not be sent any more."""
    async with connections.write() as db:
        for part in chunks([each.event_id for each in deliveries]):
            these = (_DELIVERIES.c.shop == shop, _DELIVERIES.c.event_id.in_(part))
            await (await db.connection()).execute(delete(_DELIVERIES).where(*these))


async def drop_of_customer(connections: Connections, shop: str, customer_id: int) -> None:
    """Delete every message about the customer, parked ones too."""
    theirs = (_DELIVERIES.c.shop == shop, _DELIVERIES.c.customer_id == customer_id)
    await connections.execute(delete(_DELIVERIES).where(*theirs))


async def parked_deliveries(connections: Connections, shop: str) -> list[Parked]:
    """Return the shop's messages that were given up, oldest first, without the customers they are about."""
    columns = (_DELIVERIES.c[each] for each in ("event_id", "made_at", "attempts", "error"))
    these = (_DELIVERIES.c.shop == shop, _DELIVERIES.c.status == "parked")
    query = select(*columns).where(*these).order_by(_DELIVERIES.c.made_at)
    return [Parked(*row) for row in await connections.rows(query)]


async def count_waiting(connections: Connections, shop: str) -> int:
    """Return how many of the shop's messages are pending."""
    these = (_DELIVERIES.c.shop == shop, _DELIVERIES.c.status == "pending")
    query = select(func.count()).select_from(_DELIVERIES).where(*these)
    return int(await connections.scalar(query) or 0)


async def replay_parked(connections: Connections, shop: str, now: datetime) -> int:
    """Return how many messages that were given up are sent again from the beginning."""
    these = (_DELIVERIES.c.shop == shop, _DELIVERIES.c.status == "parked")
    again = {"status": "pending", "attempts": 0, "next_attempt_at": now}
    async with connections.write() as db:
        connection = await db.connection()
        return (await connection.execute(update(_DELIVERIES).where(*these).values(again))).rowcount


async def clear_parked(connections: Connections, now: datetime) -> None:
    """Delete messages that were given up long ago."""
    old = (_DELIVERIES.c.status == "parked", _DELIVERIES.c.made_at < now - PARKED_FOR)
    await connections.execute(delete(_DELIVERIES).where(*old))


async def _moves(connections: Connections, shop: Shop) -> list[Move]:
    webhook = webhook_of(shop.settings)
    if webhook is None:
        return []
    columns = ("id", "shop", "customer_id", "before", "after", "why", "moved_at")
    told = (_MOVES.c.shop == shop.shop, _MOVES.c.handed_on_at.is_(None), _MOVES.c.moved_at >= webhook.since)
    query = select(*(_MOVES.c[each] for each in columns)).where(*told).order_by(_MOVES.c.id).limit(_AT_ONCE)
    return [Move(*row) for row in await connections.rows(query)]


async def _make(connections: Connections, shop: Shop, moves: Sequence[Move], now: datetime) -> int:
    allowed = await who_may_be_shared(connections, shop.shop, {each.customer_id for each in moves})
    new = (_MOVES.c.id.in_([each.number for each in moves]), _MOVES.c.handed_on_at.is_(None))
    async with connections.write() as db:
        connection = await db.connection()
        handed = update(_MOVES).where(*new).values(handed_on_at=now).returning(_MOVES.c.id)
        mine = set(await connection.scalars(handed))  # another process may have taken some meanwhile
        told = [each for each in moves if each.number in mine and each.customer_id in allowed]
        await insert_new(db, DeliveryRow, [_row(each, now) for each in told])
    return len(told)


def _row(move: Move, now: datetime) -> dict[str, Any]:
    message = message_of(move)
    return _waiting(move.shop, message.event_id, move.customer_id, msgspec.json.encode(message), now)


def _waiting(shop: str, event_id: str, customer_id: int | None, body: bytes, now: datetime) -> dict[str, Any]:
    return {
        "shop": shop, "event_id": event_id, "customer_id": customer_id, "body": body.decode(),
        "made_at": now, "next_attempt_at": now, "status": "pending", "attempts": 0, "error": "",
    }  # fmt: skip


def _delivery(row: Any) -> Delivery:
    return Delivery(row.event_id, row.customer_id, row.body.encode(), row.attempts)
