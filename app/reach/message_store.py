"""Messages to who left: planned once, written down before they leave, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select, update

from app.campaigns.reasons import WITHHELD
from app.connections import Connections
from app.reach_tables import AbandonmentRow, ReachMessageRow
from app.tables import FeedbackRow
from app.upsert import insert_new, table_of

_MESSAGES, _ABANDONED = table_of(ReachMessageRow), table_of(AbandonmentRow)
# Far longer than one message takes: who was at it then is there no more.
LOST_AFTER = timedelta(minutes=15)
_OUT = ("sending", "sent", "failed")
_STAYED = or_(
    _MESSAGES.c.status == "waiting", and_(_MESSAGES.c.status == "dropped", _MESSAGES.c.reason != WITHHELD)
)


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """A message that is to be sent. status: waiting, or dropped with its reason at once."""

    abandonment_id: str
    way: str
    customer_id: int
    campaign_id: str | None
    due_at: datetime
    ends_at: datetime
    status: str = "waiting"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message that is this process's to send, once. attempts: this one counted."""

    abandonment_id: str
    way: str
    customer_id: int
    campaign_id: str | None
    attempts: int
    ends_at: datetime


async def plan_messages(
    connections: Connections, shop: str, planned: Sequence[PlannedMessage], now: datetime
) -> None:
    """Store planned messages: one per abandonment and way, whatever becomes of it.

    One that had not left when the customer came back is planned again, unless it was held back.
    """
    rows = [
        {
            "shop": shop, "abandonment_id": each.abandonment_id, "way": each.way,
            "customer_id": each.customer_id, "campaign_id": each.campaign_id, "status": each.status,
            "reason": each.reason, "attempts": 0, "due_at": each.due_at, "ends_at": each.ends_at,
            "changed_at": now,
        }
        for each in planned
    ]  # fmt: skip
    async with connections.write() as db:
        await insert_new(db, ReachMessageRow, rows)
        for each in planned:
            again = {
                "customer_id": each.customer_id, "campaign_id": each.campaign_id, "status": each.status,
                "reason": each.reason, "due_at": each.due_at, "ends_at": each.ends_at, "changed_at": now,
            }  # fmt: skip
            this = _this(shop, each.abandonment_id, each.way)
            await (await db.connection()).execute(update(_MESSAGES).where(*this, _STAYED).values(**again))


async def unplanned(connections: Connections, shop: str, since: datetime) -> list[str]:
    """Return the open abandonments found since then for which no message was planned yet."""
    planned = select(_MESSAGES.c.way).where(
        _MESSAGES.c.shop == _ABANDONED.c.shop, _MESSAGES.c.abandonment_id == _ABANDONED.c.abandonment_id
    )
    lately = (
        _ABANDONED.c.shop == shop,
        _ABANDONED.c.abandoned_at > since,
        _ABANDONED.c.resolved_at.is_(None),
    )
    query = select(_ABANDONED.c.abandonment_id).where(*lately, ~planned.exists())
    return await connections.scalars(query)


async def claim_due(connections: Connections, shop: str, now: datetime) -> DueMessage | None:
    """Return a message that is due, this process's alone: written down as leaving before it does.

    One at a time, so that who dies leaves none behind that was never tried. Those of what was resolved
    meanwhile wait, in case it is left again.
    """
    due = and_(
        _MESSAGES.c.shop == shop,
        _MESSAGES.c.status == "waiting",
        _MESSAGES.c.due_at <= now,
        _MESSAGES.c.ends_at > now,
        _MESSAGES.c.abandonment_id.in_(_still_open(shop)),
    )
    first = select(_MESSAGES.c.abandonment_id, _MESSAGES.c.way).where(due).order_by(_MESSAGES.c.due_at)
    columns = [_MESSAGES.c[each] for each in DueMessage.__dataclass_fields__]
    async with connections.write() as db:
        connection = await db.connection()
        found = (await connection.execute(first.limit(1))).first()
        if found is None:
            return None
        mine = update(_MESSAGES).where(*_this(shop, *found), due)
        mine = mine.values(status="sending", attempts=_MESSAGES.c.attempts + 1, changed_at=now)
        row = (await connection.execute(mine.returning(*columns))).first()
    return None if row is None else DueMessage(*row)


async def settle_message(
    connections: Connections, shop: str, due: DueMessage, status: str, reason: str,
    *, now: datetime, again_at: datetime | None = None,
) -> None:  # fmt: skip
    """Write down what became of a message that was being sent."""
    values: dict[str, Any] = {"status": status, "reason": reason, "changed_at": now}
    if again_at is not None:
        values["due_at"] = again_at
    this = (*_this(shop, due.abandonment_id, due.way), _MESSAGES.c.status == "sending")
    await connections.execute(update(_MESSAGES).where(*this).values(**values))


async def give_up(connections: Connections, shop: str, now: datetime) -> None:
    """Write down as failed what was being sent when a worker died, and what could not be sent in time.

    The first may have left: it is never sent again. What was resolved in time is no failure.
    """
    mine = _MESSAGES.c.shop == shop
    lost = and_(mine, _MESSAGES.c.status == "sending", _MESSAGES.c.changed_at < now - LOST_AFTER)
    says = "a worker stopped while it was being sent: it may have left, and is not sent again"
    late = and_(mine, _MESSAGES.c.status == "waiting", _MESSAGES.c.ends_at <= now)
    tried = _MESSAGES.c.attempts > 0
    async with connections.write() as db:
        connection = await db.connection()
        failed = update(_MESSAGES).where(lost).values(status="failed", reason=says, changed_at=now)
        await connection.execute(failed)
        over = case((tried, "failed"), else_="dropped")
        why = case((tried, _MESSAGES.c.reason), else_="its time is over")
        await connection.execute(
            update(_MESSAGES).where(late).values(status=over, reason=why, changed_at=now)
        )


async def was_written_to(
    connections: Connections, shop: str, customer_id: int, since: datetime, besides: str,
    or_will_be: bool = False,
) -> bool:  # fmt: skip
    """Return whether the customer was written to since then. besides: about which abandonment does not count.

    or_will_be: also where a message waits about another one that is still open.
    """
    out = and_(_MESSAGES.c.status.in_(_OUT), _MESSAGES.c.changed_at > since)
    waits = and_(_MESSAGES.c.status == "waiting", _MESSAGES.c.abandonment_id.in_(_still_open(shop)))
    theirs = (
        _MESSAGES.c.shop == shop, _MESSAGES.c.customer_id == customer_id,
        _MESSAGES.c.abandonment_id != besides, or_(out, waits) if or_will_be else out,
    )  # fmt: skip
    query = select(_MESSAGES.c.way).where(*theirs).limit(1)
    return await connections.row(query) is not None


async def times_told(connections: Connections, shop: str, customer_id: int) -> dict[str, int]:
    """Return how many abandonments the customer was written to about, by campaign."""
    ours = (_MESSAGES.c.shop == shop, _MESSAGES.c.customer_id == customer_id, _MESSAGES.c.status.in_(_OUT))
    return await _by_campaign(connections, *ours)


async def times_in_all(connections: Connections, shop: str) -> dict[str, int]:
    """Return how many abandonments were written about, by campaign."""
    return await _by_campaign(connections, _MESSAGES.c.shop == shop, _MESSAGES.c.status.in_(_OUT))


async def note_shown(
    connections: Connections, shop: str, abandonment_id: str, campaign_id: str, now: datetime
) -> None:
    """Record that a shopper sees the code; codes that were never seen go back to their pool."""
    row: dict[str, Any] = {
        "shop": shop, "event_id": f"reach:{abandonment_id}:{campaign_id}",
        "decision_id": shown_as(abandonment_id), "offer_id": campaign_id, "kind": "shown", "happened_at": now,
    }  # fmt: skip
    async with connections.write() as db:
        await insert_new(db, FeedbackRow, [row])


def shown_as(abandonment_id: str) -> str:
    """Return the decision id of a code that was shown in a letter instead of a checkout. Pure."""
    return f"reach:{abandonment_id}"


def _still_open(shop: str) -> Any:
    ours = (_ABANDONED.c.shop == shop, _ABANDONED.c.resolved_at.is_(None))
    return select(_ABANDONED.c.abandonment_id).where(*ours)


def _this(shop: str, abandonment_id: str, way: str) -> tuple[Any, ...]:
    return _MESSAGES.c.shop == shop, _MESSAGES.c.abandonment_id == abandonment_id, _MESSAGES.c.way == way


async def _by_campaign(connections: Connections, *which: Any) -> dict[str, int]:
    count = func.count(func.distinct(_MESSAGES.c.abandonment_id))
    query = select(_MESSAGES.c.campaign_id, count).where(*which, _MESSAGES.c.campaign_id.is_not(None))
    rows = await connections.rows(query.group_by(_MESSAGES.c.campaign_id))
    return {str(campaign_id): int(times) for campaign_id, times in rows}


async def count_messages(connections: Connections, shop: str) -> dict[tuple[str, str, str], int]:
    """Return how many messages there are, by way, status and reason."""
    columns = (_MESSAGES.c.way, _MESSAGES.c.status, _MESSAGES.c.reason)
    query = select(*columns, func.count()).where(_MESSAGES.c.shop == shop).group_by(*columns)
    rows = await connections.rows(query)
    return {(way, status, reason): int(count) for way, status, reason, count in rows}
