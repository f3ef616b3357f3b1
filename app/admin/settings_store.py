"""What the settings page reads and keeps, and the shop's own data read for a file, a part at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from app.connections import Connections
from app.shops.store import Shop
from app.tables import DecisionRow, FeedbackRow
from app.upsert import table_of

PART = 200  # read between two checkouts that wait
_DECISIONS, _FEEDBACK = table_of(DecisionRow), table_of(FeedbackRow)


async def count_answers(connections: Connections, shop: Shop, since: datetime) -> int:
    """Return how many decisions were made since then."""
    columns = _DECISIONS.c
    query = select(func.count()).where(columns.shop == shop.shop, columns.decided_at >= since)
    return int(await connections.scalar(query) or 0)


async def decisions_since(
    connections: Connections, shop: Shop, since: datetime, most: int
) -> AsyncIterator[Sequence[Any]]:
    """Yield the shop's decisions since then, newest first, in parts; at most so many. Nobody is named."""
    columns, left = _DECISIONS.c, most
    query = (
        select(
            columns.decision_id, columns.decided_at, columns.surface, columns.rung, columns.arm,
            columns.fallback, columns.model_version, columns.region, columns.duration_us, columns.answer,
        )
        .where(columns.shop == shop.shop, columns.decided_at >= since)
        .order_by(columns.decided_at.desc(), columns.decision_id.desc())
    )  # fmt: skip
    behind = query
    while left > 0:
        part = await connections.rows(behind.limit(min(PART, left)))
        if not part:
            return
        yield part
        left -= len(part)
        last = part[-1]
        behind = query.where(
            columns.decided_at <= last.decided_at,  # what the index is searched by
            or_(
                columns.decided_at < last.decided_at,
                and_(columns.decided_at == last.decided_at, columns.decision_id < last.decision_id),
            ),
        )


async def feedback_on(
    connections: Connections, shop: Shop, decision_ids: Sequence[str]
) -> dict[tuple[str, str], set[str]]:
    """Return what became of offers: kinds of feedback, by decision and offer."""
    columns = _FEEDBACK.c
    query = select(columns.decision_id, columns.offer_id, columns.kind).where(
        columns.shop == shop.shop, columns.decision_id.in_(list(decision_ids))
    )
    found: dict[tuple[str, str], set[str]] = {}
    for decision_id, offer_id, kind in await connections.rows(query):
        found.setdefault((decision_id, offer_id), set()).add(kind)
    return found
