"""Deletes what is past its limit, a shop and a store at a time, in short transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, or_, select, true
from sqlmodel import select as select_rows

from app.archive_tables import SnapshotRow
from app.connections import Connections
from app.consent.retention import RELIED_ON, SETTING, checked, limits_of
from app.jobs import exclusive_job, request_job
from app.privacy_tables import ConsentRow, ErasedRow, RetentionRow
from app.shops.settings import change_setting
from app.tables import DecisionRow, EventRow, FeedbackRow, InboxRow, ShopRow
from app.upsert import CHUNK, table_of, upsert
from app.values import ShopDomain

AGAIN_AFTER = timedelta(hours=23)  # a day, with room for a turn that comes early

_CONSENTS, _INBOX = table_of(ConsentRow), table_of(InboxRow)
_RETENTION = table_of(RetentionRow)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a store's rows are. key: with the shop, a row's own; at: its age; may_go: besides being old.

    oldest_first: whether an index leads through the shop's rows by their age.
    """

    table: Table
    key: str
    at: str
    may_go: Callable[[datetime], ColumnElement[bool]] = lambda _now: true()
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class ClearingRun:
    """What the last clearing of a store deleted and left. oldest_at: None when nothing is left."""

    store: str
    ran_at: datetime
    limit_days: int
    deleted: int
    remaining: int
    oldest_at: datetime | None


_CLEARED = [_RETENTION.c[name] for name in ClearingRun.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class ClearingResult:
    """What a store lost and has left."""

    deleted: int
    remaining: int
    oldest_at: datetime | None


# Clears a store of a shop: (connections, shop, now, what is older than this goes).
Clear = Callable[[Connections, ShopDomain, datetime, datetime], Awaitable[ClearingResult]]


def _not_relied_on(now: datetime) -> ColumnElement[bool]:
    """Return the condition under which nothing rests on a consent entry any more.

    The same person said something later, or the entry is older than RELIED_ON and of a browser or a checkout.
    A customer's last entry counts until they are erased: what they refused stays refused.
    """
    later, erased = _CONSENTS.alias(), table_of(ErasedRow).c
    followed = exists().where(
        later.c.shop == _CONSENTS.c.shop,
        later.c.subject == _CONSENTS.c.subject,
        later.c.id > _CONSENTS.c.id,
    )
    unknown = exists().where(erased.shop == _CONSENTS.c.shop, erased.subject == _CONSENTS.c.subject)
    forgotten = _CONSENTS.c.told_at < now - RELIED_ON
    return or_(followed, and_(forgotten, or_(_CONSENTS.c.subject_kind != "customer", unknown)))


SOURCES: Mapping[str, Source] = {
    "events": Source(table_of(EventRow), "event_id", "happened_at"),
    "decisions": Source(table_of(DecisionRow), "decision_id", "decided_at", oldest_first=True),
    "feedback": Source(table_of(FeedbackRow), "event_id", "happened_at"),
    "snapshots": Source(table_of(SnapshotRow), "version", "served_at"),
    # What still waits to be worked off was acknowledged, and is never lost to its age.
    "inbox": Source(_INBOX, "id", "received_at", lambda _now: _INBOX.c.status != "pending"),
    "consents": Source(_CONSENTS, "id", "told_at", _not_relied_on),
}


async def request_due_clearings(connections: Connections) -> None:
    """Ask for the clearing of every shop whose last one is a day old, or had other limits."""
    now = datetime.now(UTC)
    async with connections.read() as db:
        shops = (await db.exec(select_rows(ShopRow.shop, ShopRow.settings))).all()
        rows = (await (await db.connection()).execute(select(_RETENTION.c.shop, *_CLEARED))).all()
    last: dict[str, dict[str, ClearingRun]] = {}
    for shop, *cleared in rows:
        one = ClearingRun(*cleared)
        last.setdefault(shop, {})[one.store] = one
    for shop, settings in shops:
        if _due(last.get(shop, {}), limits_of(settings).days, now):
            await request_clearing(connections, shop)


async def clear_shop(
    connections: Connections, shop: ShopDomain, others: Mapping[str, Clear]
) -> list[ClearingRun]:
    """Delete what is past the shop's limits and return what each store lost and has left.

    others: how the stores are cleared that are no table. Every batch is a transaction of its own: a
    clearing that dies halfway is taken up where it stood.
    """
    async with exclusive_job(connections, "clear", shop):
        settings = await _settings(connections, shop)
        now, days = datetime.now(UTC), limits_of(settings).days
        tables: dict[str, Clear] = {
            store: partial(_clear_table, source=each) for store, each in SOURCES.items()
        }
        clears = tables | dict(others)
        done = []
        for store, limit in days.items():
            left = await clears[store](connections, shop, now, now - timedelta(days=limit))
            done.append(ClearingRun(store, now, limit, left.deleted, left.remaining, left.oldest_at))
            await _write_down(connections, shop, done[-1])
        return done


async def last_clearings(connections: Connections, shop: str) -> dict[str, ClearingRun]:
    """Return what the last clearing of each store did; a store that never had one is missing."""
    query = select(*_CLEARED).where(_RETENTION.c.shop == shop)
    rows = await connections.rows(query)
    return {row.store: ClearingRun(*row) for row in rows}


async def change_limits(connections: Connections, shop: str, wanted: Mapping[str, Any]) -> dict[str, int]:
    """Keep a shop's limits, in place of those it had, and return them by setting.

    Raises InputError for a limit that can't be one, NotFound for a shop that was never installed.
    """
    limits = checked(wanted)
    await change_setting(connections, shop, SETTING, lambda _kept: limits)
    return limits


async def request_clearing(connections: Connections, shop: str) -> None:
    """Ask for a clearing of the shop now."""
    await request_job(connections, "clear", shop)


def _due(last: Mapping[str, ClearingRun], days: Mapping[str, int], now: datetime) -> bool:
    return any(
        store not in last or last[store].limit_days != limit or abs(now - last[store].ran_at) > AGAIN_AFTER
        for store, limit in days.items()
    )


async def _settings(connections: Connections, shop: str) -> dict[str, Any]:
    async with connections.read() as db:
        row = await db.get(ShopRow, shop)
    return row.settings if row else {}


async def _write_down(connections: Connections, shop: str, cleared: ClearingRun) -> None:
    row = {name: getattr(cleared, name) for name in ClearingRun.__dataclass_fields__}
    async with connections.write() as db:
        if await db.get(ShopRow, shop):  # else it was erased meanwhile, and stays so
            await upsert(db, RetentionRow, [{"shop": shop, **row}])


async def _clear_table(
    connections: Connections, shop: ShopDomain, now: datetime, before: datetime, source: Source
) -> ClearingResult:
    deleted = await _delete_old(connections, shop, source, now, before)
    left = select(func.count(), func.min(source.table.c[source.at])).where(source.table.c.shop == shop)
    remaining, oldest_at = await connections.row(left)
    return ClearingResult(deleted, remaining, oldest_at)


async def _delete_old(
    connections: Connections, shop: str, source: Source, now: datetime, before: datetime
) -> int:
    """Return how many rows went. What is old is walked once, or all of the table, in the order of its key."""
    table, key, at = source.table, source.table.c[source.key], source.table.c[source.at]
    old = and_(table.c.shop == shop, at < before, source.may_go(now))
    order = (at, key) if source.oldest_first else (key,)
    deleted = 0
    walked: ColumnElement[bool] = true()
    while True:
        query = select(key, at).where(old, walked).order_by(*order).limit(CHUNK)
        rows = await connections.rows(query)
        if not rows:
            return deleted
        # Asked again: a delivery that was put aside may have been put back since.
        theirs = key.in_([row[0] for row in rows])
        deleted += await connections.execute(delete(table).where(old, theirs))
        last, last_at = rows[-1]
        walked = and_(at >= last_at, or_(at > last_at, key > last)) if source.oldest_first else key > last
        await asyncio.sleep(0)
