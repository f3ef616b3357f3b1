"""Alerts in the database: raised once, sent once, resolved when they are over.

One that comes back within an hour was not over: it is the same one, and nothing is told of it anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, exists, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections
from app.outbound.deliveries import queue_message, unqueue_message
from app.outbound.messages import Alarm, instant
from app.reach.alerts import GUARDRAIL, Alert, kinds_of
from app.reach.message_store import LOST_AFTER
from app.reach_tables import AlertRow
from app.shops.store import Shop
from app.upsert import insert_into, table_of

_ALERTS = table_of(AlertRow)
_CALM = timedelta(hours=1)  # as long as what alerts are counted over
_MOST_LOST = 3  # times: it may be the letter that kills
_TELLS = timedelta(minutes=1)  # when that is over: whoever looks then may be a little late
# A campaign does not come and go: the merchant started what was stopped.
_AT_ONCE = frozenset({GUARDRAIL})


@dataclass(frozen=True, slots=True)
class KeptAlert:
    """An alert as it is kept; see `AlertRow`."""

    alert_id: str
    kind: str
    about: str
    says: str
    opened_at: datetime
    seen_at: datetime
    resolved_at: datetime | None
    mail: str
    mail_attempts: int
    facts: dict[str, Any]


async def raise_alert(connections: Connections, shop: Shop, alert: Alert, now: datetime) -> bool:
    """Return whether it is new. One that is open already, or was just now, says from now on what this says.

    It is handed to the webhook with the same commit, so that nothing is told twice or not at all.
    """
    row: dict[str, Any] = {
        "shop": shop.shop, "alert_id": secrets.token_hex(16), "kind": alert.kind, "about": alert.about,
        "says": alert.says, "facts": dict(alert.facts), "opened_at": now, "seen_at": now,
        "resolved_at": None, "mail": "waiting", "mail_attempts": 0, "mail_due_at": now,
    }  # fmt: skip
    async with connections.write() as db:
        if await _reopen(db, shop.shop, alert, now):
            return False
        insert = insert_into(db, AlertRow).on_conflict_do_nothing().returning(_ALERTS.c.alert_id)
        new = (await (await db.connection()).execute(insert, [row])).all()
        if new:
            await _tell(db, shop, row["alert_id"], alert, now)
            return True
        still = update(_ALERTS).where(*_open(shop.shop, alert.kind, alert.about))
        values = {"says": alert.says, "facts": dict(alert.facts), "seen_at": now}
        await (await db.connection()).execute(still.values(**values))
    return False


async def resolve_others(
    connections: Connections, shop: Shop, kinds: Collection[str], found: Sequence[Alert], now: datetime
) -> int:
    """Return how many open alerts of these kinds are over, since they are not among those found."""
    over = [
        each
        for each in await open_alerts(connections, shop.shop)
        if each.kind in kinds and (each.kind, each.about) not in kinds_of(found)
    ]
    for each in over:
        await _resolve(connections, shop, each, now)
    return len(over)


async def open_alerts(connections: Connections, shop: str) -> list[KeptAlert]:
    """Return what the merchant has to know now, the latest first."""
    return await _read(connections, shop, _ALERTS.c.resolved_at.is_(None))


async def last_alerts(connections: Connections, shop: str, most: int) -> list[KeptAlert]:
    """Return the last alerts, those that are over too, the latest first."""
    return (await _read(connections, shop))[:most]


async def clear_alerts(connections: Connections, shop: str, before: datetime) -> None:
    """Delete the shop's alerts that were over before that time."""
    over = (_ALERTS.c.shop == shop, _ALERTS.c.resolved_at < before)
    await connections.execute(delete(_ALERTS).where(*over))


async def claim_mail(connections: Connections, shop: str, now: datetime) -> list[KeptAlert]:
    """Claim the alerts that are due to be mailed, each for one process, and return them.

    Alerts that a killed worker had claimed are among them: a second mail is better than none.
    """
    columns = [_ALERTS.c[each] for each in KeptAlert.__dataclass_fields__]
    since, tried = _ALERTS.c.mail_due_at, _ALERTS.c.mail_attempts
    waits = and_(_ALERTS.c.mail == "waiting", since <= now)
    lost = and_(_ALERTS.c.mail == "sending", since < now - LOST_AFTER, tried < _MOST_LOST)
    taken = update(_ALERTS).where(_ALERTS.c.shop == shop, or_(waits, lost))
    taken = taken.values(mail="sending", mail_attempts=_ALERTS.c.mail_attempts + 1, mail_due_at=now)
    async with connections.write() as db:
        rows = (await (await db.connection()).execute(taken.returning(*columns))).all()
    return [KeptAlert(*row) for row in rows]


async def settle_mail(
    connections: Connections, shop: str, alert_id: str, mail: str, due_at: datetime
) -> None:
    """Write down what became of an alert's letter. due_at: when it is tried again, where it waits."""
    this = (_ALERTS.c.shop == shop, _ALERTS.c.alert_id == alert_id)
    await connections.execute(update(_ALERTS).where(*this).values(mail=mail, mail_due_at=due_at))


def _open(shop: str, kind: str, about: str) -> tuple[Any, ...]:
    columns = _ALERTS.c
    return (
        columns.shop == shop, columns.kind == kind, columns.about == about, columns.resolved_at.is_(None)
    )  # fmt: skip


async def _reopen(db: AsyncSession, shop: str, alert: Alert, now: datetime) -> bool:
    """Return whether one that was over a moment ago goes on: then that it was over is told nobody."""
    if alert.kind in _AT_ONCE:
        return False
    theirs = (_ALERTS.c.shop == shop, _ALERTS.c.kind == alert.kind, _ALERTS.c.about == alert.about)
    one = table_of(AlertRow).alias()
    opened = exists().where(one.c.shop == shop, one.c.kind == alert.kind, one.c.about == alert.about)
    last = select(_ALERTS.c.alert_id).where(*theirs, _ALERTS.c.resolved_at > now - _CALM)
    last = last.where(~opened.where(one.c.resolved_at.is_(None)))
    last = last.order_by(_ALERTS.c.resolved_at.desc()).limit(1)
    connection = await db.connection()
    alert_id = await connection.scalar(last)
    if alert_id is None:
        return False
    this = (_ALERTS.c.shop == shop, _ALERTS.c.alert_id == alert_id, _ALERTS.c.resolved_at.is_not(None))
    values = {"says": alert.says, "facts": dict(alert.facts), "seen_at": now, "resolved_at": None}
    await connection.execute(update(_ALERTS).where(*this).values(**values))
    await unqueue_message(db, shop, _over(alert_id))
    return True


def _over(alert_id: str) -> str:
    return f"{alert_id}-over"


async def _resolve(connections: Connections, shop: Shop, alert: KeptAlert, now: datetime) -> None:
    this = (
        _ALERTS.c.shop == shop.shop,
        _ALERTS.c.alert_id == alert.alert_id,
        _ALERTS.c.resolved_at.is_(None),
    )
    async with connections.write() as db:
        mine = update(_ALERTS).where(*this).values(resolved_at=now).returning(_ALERTS.c.alert_id)
        if (await (await db.connection()).execute(mine)).all():
            await _tell(db, shop, alert.alert_id, alert, alert.opened_at, now)


async def _tell(
    db: AsyncSession, shop: Shop, alert_id: str, alert: Alert | KeptAlert, opened_at: datetime,
    resolved_at: datetime | None = None,
) -> None:  # fmt: skip
    over = None if resolved_at is None else instant(resolved_at)
    event_id = alert_id if over is None else _over(alert_id)
    message = Alarm(event_id, shop.shop, alert.kind, alert.about, alert.says, instant(opened_at), over)
    at = resolved_at or opened_at
    waits = _CALM + _TELLS if over is not None and alert.kind not in _AT_ONCE else timedelta()
    await queue_message(db, shop, event_id, message, at, at + waits)


async def _read(connections: Connections, shop: str, *which: Any) -> list[KeptAlert]:
    columns = [_ALERTS.c[each] for each in KeptAlert.__dataclass_fields__]
    query = select(*columns).where(_ALERTS.c.shop == shop, *which)
    newest = query.order_by(_ALERTS.c.opened_at.desc(), _ALERTS.c.alert_id)
    return [KeptAlert(*row) for row in await connections.rows(newest)]
