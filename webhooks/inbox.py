"""The inbox as a queue: rows are leased, processed, retried with backoff, or parked as dead letters."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import BigInteger, delete, func, literal, or_, select, text, update

from app.connections import Connections
from app.tables import INBOX_KEPT, InboxRow
from app.upsert import CHUNK, table_of

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 8
ALONE_AFTER = 2  # attempts
KEPT_DONE = timedelta(days=7)  # Shopify repeats for four hours; the rest is for looking into
KEPT_PARKED = timedelta(days=30)
_FIRST_RETRY_S = 5.0
_MAX_ERROR = 1_000
# No retry waits longer: a row that is due later than this was written while the clock was wrong.
_LONGEST_DELAY = timedelta(minutes=10)
_INBOX = table_of(InboxRow)
_KEPT_FOR_THE_LOG = text(INBOX_KEPT)  # in the words of their index: what is done stays for days


@dataclass(frozen=True, slots=True)
class LeasedDelivery:
    """A stored delivery, leased to us. attempts: this one included."""

    id: int
    shop: str
    event_id: str
    topic: str
    triggered_at: datetime
    body: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Parked:
    """A delivery that was put aside, and why."""

    id: int
    shop: str
    topic: str
    received_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many rows are pending and parked. due_s: how long the oldest due row has been due."""

    pending: int
    parked: int
    due_s: float


async def claim(connections: Connections, now: datetime, count: int = 200) -> list[LeasedDelivery]:
    """Return due rows in the order their changes happened, leased: after a crash the lease runs out.

    A row that was claimed MAX_ATTEMPTS times without an outcome is parked instead: each process that took it
    died. After two such claims a row is leased alone, so that no other row counts a death it did not cause.
    """
    time = _INBOX.c.next_attempt_at
    due = (
        select(_INBOX)
        .where(_INBOX.c.status == "pending", or_(time <= now, time > now + _LONGEST_DELAY))
        .order_by(_INBOX.c.next_attempt_at, _INBOX.c.id)
        .limit(count)
        .with_for_update(skip_locked=True)  # SQLite has one writer and leaves this out
    )
    async with connections.write() as db:
        connection = await db.connection()
        rows = _leasable((await connection.execute(due)).all())
        if rows:
            await connection.execute(
                update(_INBOX)
                .where(_INBOX.c.id.in_([row.id for row in rows]))
                .values(attempts=_INBOX.c.attempts + 1, next_attempt_at=now + LEASE)
            )
    deliveries = sorted(map(_leased, rows), key=lambda delivery: (delivery.triggered_at, delivery.id))
    for delivery in deliveries:
        if delivery.attempts > MAX_ATTEMPTS:
            await park(connections, delivery.id, "no attempt came to an end")
    return [delivery for delivery in deliveries if delivery.attempts <= MAX_ATTEMPTS]


def _leasable(due: Sequence[Any]) -> Sequence[Any]:
    """Return the first rows that may be leased together, or the first one alone."""
    return list(takewhile(lambda row: row.attempts < ALONE_AFTER, due)) or due[:1]


async def mark_done(connections: Connections, ids: Collection[int], note: str = "") -> None:
    """Mark rows as processed and delete their bodies, which nothing needs any more."""
    await _set(connections, ids, status="done", error=note, body=b"")


async def mark_logged(connections: Connections, ids: Collection[int], now: datetime) -> None:
    """Mark rows as processed whose events are in the log; their bodies stay until those are handled."""
    await _set(connections, ids, status="done", error="", next_attempt_at=now)


async def empty_handled(connections: Connections, before: datetime) -> int:
    """Empty the bodies of rows whose events the log had handled before then. Return how many."""
    handled = update(_INBOX).where(_KEPT_FOR_THE_LOG, _INBOX.c.next_attempt_at < before).values(body=b"")
    return await connections.execute(handled)


async def requeue_logged(connections: Connections, now: datetime) -> int:
    """Make due again the rows whose events were in a log that is gone. Return how many."""
    again = update(_INBOX).where(_KEPT_FOR_THE_LOG).values(status="pending", attempts=0, next_attempt_at=now)
    return await connections.execute(again)


async def park(connections: Connections, row_id: int, reason: str) -> None:
    """Put a row aside with its reason, for an operator to see and requeue."""
    await _set(connections, [row_id], status="parked", error=reason[:_MAX_ERROR])


async def retry_later(
    connections: Connections, delivery: LeasedDelivery, reason: str, now: datetime, chance: random.Random
) -> None:
    """Try a row again after 5 s · 2^n, or park it after its last attempt."""
    if delivery.attempts >= MAX_ATTEMPTS:
        await park(connections, delivery.id, reason)
        return
    again_at = now + retry_delay(delivery.attempts, chance.random())
    await _set(connections, [delivery.id], error=reason[:_MAX_ERROR], next_attempt_at=again_at)


async def release(connections: Connections, ids: Collection[int], due_at: datetime) -> None:
    """Undo a claim that failed through no fault of the rows; they are due again at due_at."""
    await _set(connections, ids, attempts=_INBOX.c.attempts - 1, next_attempt_at=due_at)


async def parked(connections: Connections, shop: str | None = None) -> list[Parked]:
    """Return the parked rows of one shop, or of all, oldest first."""
    statement = select(
        _INBOX.c.id, _INBOX.c.shop, _INBOX.c.topic, _INBOX.c.received_at, _INBOX.c.error
    ).where(_INBOX.c.status == "parked")
    if shop is not None:
        statement = statement.where(_INBOX.c.shop == shop)
    rows = await connections.rows(statement.order_by(_INBOX.c.id))
    return [Parked(*row) for row in rows]


async def requeue_parked(connections: Connections, shop: str | None, now: datetime) -> int:
    """Make parked rows (of one shop, or of all) due again. Return how many."""
    statement = (
        update(_INBOX)
        .where(_INBOX.c.status == "parked")
        .values(status="pending", attempts=0, next_attempt_at=now, error="")
    )
    if shop is not None:
        statement = statement.where(_INBOX.c.shop == shop)
    return await connections.execute(statement)


async def give_up(connections: Connections, row_id: int) -> bool:
    """Mark a parked row as done, and delete its body: it is tried no more. Return whether there is one."""
    named = literal(row_id, BigInteger)  # wider than the column: whatever was typed is compared, not refused
    parked_one = (_INBOX.c.id == named) & (_INBOX.c.status == "parked")
    return bool(await connections.execute(update(_INBOX).where(parked_one).values(status="done", body=b"")))


async def prune(connections: Connections, now: datetime) -> int:
    """Delete rows that were done a week ago, or parked for a month. Return how many.

    The table is walked from its oldest row on, a few at a time, until some are all younger than that.
    """
    age, deleted, walked = _INBOX.c.received_at, 0, 0
    old = ((_INBOX.c.status == "done") & (age < now - KEPT_DONE)) | (
        (_INBOX.c.status == "parked") & (age < now - KEPT_PARKED)
    )
    while True:
        part = select(_INBOX.c.id, age).where(_INBOX.c.id > walked).order_by(_INBOX.c.id).limit(CHUNK)
        rows = await connections.rows(part)
        if not any(row.received_at < now - KEPT_DONE for row in rows):
            return deleted
        walked, here = rows[-1].id, _INBOX.c.id.between(rows[0].id, rows[-1].id)
        deleted += await connections.execute(delete(_INBOX).where(here, old))


async def measure_backlog(connections: Connections, now: datetime) -> Backlog:
    """Return how many deliveries are pending and parked, for metrics and operators."""
    found = (
        select(_INBOX.c.status, func.count(), func.min(_INBOX.c.next_attempt_at))
        .where(_INBOX.c.status.in_(("pending", "parked")))  # what is done stays for days, and is not counted
        .group_by(_INBOX.c.status)
    )
    rows = {row[0]: row[1:] for row in await connections.rows(found)}
    pending, first = rows.get("pending", (0, now))
    return Backlog(pending, rows.get("parked", (0,))[0], max(0.0, (now - first).total_seconds()))


def retry_delay(attempts: int, chance: float) -> timedelta:
    """Return 5 s · 2^(attempts - 1), spread by up to a quarter either way. chance: 0 … 1."""
    seconds: float = _FIRST_RETRY_S * 2 ** (attempts - 1)
    return timedelta(seconds=seconds * (0.75 + chance / 2))


async def _set(connections: Connections, ids: Collection[int], **values: Any) -> None:
    if ids:
        statement = update(_INBOX).where(_INBOX.c.id.in_(list(ids))).values(**values)
        await connections.execute(statement)


def _leased(row: Any) -> LeasedDelivery:
    return LeasedDelivery(
        id=row.id,
        shop=row.shop,
        event_id=row.event_id,
        topic=row.topic,
        triggered_at=row.triggered_at or row.received_at,
        body=row.body,
        attempts=row.attempts + 1,
    )
