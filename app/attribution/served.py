"""How the decisions of a period split, and how long they took: counted by the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import func, select

from app.connections import Connections
from app.tables import DecisionRow
from app.upsert import table_of

_DECISIONS = table_of(DecisionRow)


@dataclass(frozen=True, slots=True)
class Served:
    """Decisions of a period. p50_us, p99_us: how long they took in the app, None without any."""

    total: int
    by_rung: Mapping[str, int]
    by_arm: Mapping[str, int]
    by_fallback: Mapping[str, int]
    p50_us: int | None
    p99_us: int | None


async def served(connections: Connections, shop: str, since: datetime) -> Served:
    """Return how many decisions were made since then, how they split and how long they took."""
    columns = _DECISIONS.c
    kinds = columns.rung, columns.arm, columns.fallback
    split = await _counted(connections, shop, since, *kinds)
    took = sorted(await _counted(connections, shop, since, columns.duration_us))
    total = sum(many for *_kind, many in split)
    return Served(
        total=total,
        by_rung=_by((rung, many) for rung, _arm, _fallback, many in split),
        by_arm=_by((arm, many) for _rung, arm, _fallback, many in split),
        by_fallback=_by((fallback, many) for _rung, _arm, fallback, many in split),
        p50_us=_at(took, total // 2) if total else None,
        p99_us=_at(took, total * 99 // 100) if total else None,
    )


async def are_more(
    connections: Connections, shop: str, since: datetime, most: int, until: datetime | None = None
) -> bool:
    """Return whether more decisions than that were made since then, without counting them all."""
    columns = _DECISIONS.c
    query = select(columns.decided_at).where(columns.shop == shop, columns.decided_at >= since)
    if until is not None:
        query = query.where(columns.decided_at < until)
    async with connections.read() as db:
        beyond = await (await db.connection()).execute(query.offset(most).limit(1))
        return beyond.first() is not None


async def _counted(connections: Connections, shop: str, since: datetime, *kinds: Any) -> list[Any]:
    query = (
        select(*kinds, func.count())
        .where(_DECISIONS.c.shop == shop, _DECISIONS.c.decided_at >= since)
        .group_by(*kinds)
    )
    return [tuple(row) for row in await connections.rows(query)]


def _by(counted: Iterable[tuple[str | None, int]]) -> dict[str, int]:
    """Return the counts, the most first; what is nothing is not counted."""
    counts: Counter[str] = Counter()
    for kind, many in counted:
        if kind is not None:
            counts[kind] += many
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _at(took: list[tuple[int, int]], rank: int) -> int:
    """Return the rank-th shortest, counted from 0. took: how long and how often, the shortest first."""
    so_far = accumulate(many for _duration, many in took)
    return next(duration for (duration, _many), until in zip(took, so_far, strict=True) if until > rank)
