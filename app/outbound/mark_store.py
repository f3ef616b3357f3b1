"""The database's record of which customers carry which tags and metafields of ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, update

from app.connections import Connections
from app.outbound.marks import NONE, Change, Due, Mark
from app.outbound_tables import MarkRow
from app.segment_tables import CustomerSegmentRow
from app.upsert import chunks, table_of, upsert

_MARKS, _SEGMENTS = table_of(MarkRow), table_of(CustomerSegmentRow)
_SAME = and_(_MARKS.c.shop == _SEGMENTS.c.shop, _MARKS.c.customer_id == _SEGMENTS.c.customer_id)
_BEHIND = or_(
    _MARKS.c.customer_id.is_(None),
    _MARKS.c.seen_at.is_(None),
    _MARKS.c.seen_at != _SEGMENTS.c.changed_at,
)
_HAS_SEGMENTS = exists().where(_SAME).correlate(_MARKS)


async def due_customers(connections: Connections, shop: str, after: int, limit: int) -> list[Due]:
    """Return customers whose segments changed since they were written, ordered by id, those above `after`."""
    columns = (
        _SEGMENTS.c.customer_id, _SEGMENTS.c.memberships, _SEGMENTS.c.changed_at,
        _MARKS.c.tags, _MARKS.c.segments, _MARKS.c.seen_at, _MARKS.c.customer_id.label("marked"),
    )  # fmt: skip
    query = (
        select(*columns)
        .select_from(_SEGMENTS.outerjoin(_MARKS, _SAME))
        .where(_SEGMENTS.c.shop == shop, _SEGMENTS.c.customer_id > after, _BEHIND)
    )
    query = query.order_by(_SEGMENTS.c.customer_id).limit(limit)
    return [_due(row) for row in await connections.rows(query)]


async def left_over(connections: Connections, shop: str, after: int, limit: int, *, every: bool) -> list[Due]:
    """Return customers who carry marks and are in no segment any more. every: all who carry marks."""
    query = select(_MARKS).where(_MARKS.c.shop == shop, _MARKS.c.customer_id > after)
    if not every:
        query = query.where(~_HAS_SEGMENTS)
    query = query.order_by(_MARKS.c.customer_id).limit(limit)
    return [_nobodys(row) for row in await connections.rows(query)]


async def marked(connections: Connections, shop: str, customer_ids: Collection[int]) -> list[Due]:
    """Return those of the customers who may carry marks, with `names` None: all marks are to be removed."""
    found: list[Due] = []
    async with connections.read() as db:
        for part in chunks(sorted(customer_ids)):
            query = select(_MARKS).where(_MARKS.c.shop == shop, _MARKS.c.customer_id.in_(part))
            found += [_nobodys(row) for row in await (await db.connection()).execute(query)]
    return found


async def note_meanwhile(connections: Connections, shop: str, changes: Iterable[Change]) -> None:
    """Record what is about to be sent: after a crash, all of it may have been written."""
    rows = [_row(shop, each.customer_id, each.meanwhile) | {"seen_at": None} for each in changes]
    async with connections.write() as db:
        await upsert(db, MarkRow, rows)


async def note_written(connections: Connections, shop: str, changes: Sequence[Change]) -> None:
    """Record what was sent; forget customers who carry nothing and are in no segment."""
    kept = [each for each in changes if each.seen_at is not None or each.after != NONE]
    rows = [_row(shop, each.customer_id, each.after) | {"seen_at": each.seen_at} for each in kept]
    async with connections.write() as db:
        await upsert(db, MarkRow, rows)
    gone = [each.customer_id for each in changes if each.seen_at is None and each.after == NONE]
    await let_go(connections, shop, gone)


async def let_go(connections: Connections, shop: str, customer_ids: Collection[int]) -> None:
    """Forget what these customers carry."""
    async with connections.write() as db:
        for part in chunks(sorted(customer_ids)):
            theirs = (_MARKS.c.shop == shop, _MARKS.c.customer_id.in_(part))
            await (await db.connection()).execute(delete(_MARKS).where(*theirs))


async def mark_all_due(connections: Connections, shop: str, *, metafields_gone: bool = False) -> None:
    """Mark every customer of the shop as due. metafields_gone: Shopify has deleted their metafields."""
    values: dict[str, Any] = {"seen_at": None} | ({"segments": None} if metafields_gone else {})
    await connections.execute(update(_MARKS).where(_MARKS.c.shop == shop).values(values))


async def count_marks(connections: Connections, shop: str, *, wanted: bool) -> tuple[int, int]:
    """Return how many customers are as they should be, and for how many something is still to be done.

    wanted: whether they are to carry anything; else whoever does is one to be done.
    """
    on = select(func.count()).select_from(_MARKS).where(_MARKS.c.shop == shop, _MARKS.c.seen_at.is_not(None))
    waiting = (
        select(func.count())
        .select_from(_SEGMENTS.outerjoin(_MARKS, _SAME))
        .where(_SEGMENTS.c.shop == shop, _BEHIND)
    )
    if not wanted:
        waiting = select(func.count()).select_from(_MARKS).where(_MARKS.c.shop == shop)
    async with connections.read() as db:
        connection = await db.connection()
        return int(await connection.scalar(on) or 0), int(await connection.scalar(waiting) or 0)


def _due(row: Any) -> Due:
    names = tuple(dict.fromkeys(each["name"] for each in row.memberships))
    before = NONE if row.marked is None else _mark(row)
    return Due(row.customer_id, names, row.changed_at, before, row.marked is not None and row.seen_at is None)


def _nobodys(row: Any) -> Due:
    return Due(row.customer_id, None, None, _mark(row), row.seen_at is None)


def _mark(row: Any) -> Mark:
    return Mark(frozenset(row.tags), None if row.segments is None else tuple(row.segments))


def _row(shop: str, customer_id: int, mark: Mark) -> dict[str, Any]:
    segments = None if mark.segments is None else list(mark.segments)
    return {"shop": shop, "customer_id": customer_id, "tags": sorted(mark.tags), "segments": segments}
