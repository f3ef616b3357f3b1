"""A shop's counts of the last hour, for alerts; they name nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from app.connections import Connections
from app.reach.alerts import Share
from app.reach_tables import ReachMessageRow
from app.tables import DecisionRow, FeedbackRow
from app.upsert import table_of

_DECISIONS, _FEEDBACK = table_of(DecisionRow), table_of(FeedbackRow)
_MESSAGES = table_of(ReachMessageRow)
STUCK_AFTER = 3


async def failed_offers(connections: Connections, shop: str, since: datetime) -> Share:
    """Return how many offers failed in browsers, of those that were shown or failed."""
    counts = await _by(
        connections, _FEEDBACK.c.kind, _FEEDBACK.c.shop == shop, _FEEDBACK.c.happened_at > since
    )
    return Share(counts.get("failed", 0), counts.get("failed", 0) + counts.get("shown", 0))


async def fallen_back(connections: Connections, shop: str, since: datetime) -> tuple[Share, dict[str, int]]:
    """Return how many answers were fallbacks, and for which reasons."""
    made = (_DECISIONS.c.shop == shop, _DECISIONS.c.decided_at > since)
    counts = await _by(connections, _DECISIONS.c.fallback, *made)
    reasons = {str(reason): count for reason, count in counts.items() if reason is not None}
    return Share(sum(reasons.values()), sum(counts.values())), reasons


async def sent_or_not(
    connections: Connections, shop: str, since: datetime
) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """Return how many messages failed or still wait after several tries, by way and reason; how many left."""
    stuck = and_(_MESSAGES.c.status == "waiting", _MESSAGES.c.attempts >= STUCK_AFTER)
    tried = or_(_MESSAGES.c.status.in_(["failed", "sent"]), stuck)
    left = _MESSAGES.c.status == "sent"
    columns = (_MESSAGES.c.way, left.label("left"), _MESSAGES.c.reason)
    query = select(*columns, func.count()).where(_MESSAGES.c.shop == shop, tried)
    query = query.where(_MESSAGES.c.changed_at > since).group_by(*columns)
    failed: dict[str, dict[str, int]] = {}
    sent: dict[str, int] = {}
    for way, has_left, reason, count in await connections.rows(query):
        if has_left:
            sent[way] = sent.get(way, 0) + count
        else:
            failed.setdefault(way, {})[reason] = count
    return failed, sent


async def _by(connections: Connections, column: Any, *which: Any) -> dict[Any, int]:
    query = select(column, func.count()).where(*which).group_by(column)
    return {value: int(count) for value, count in await connections.rows(query)}
