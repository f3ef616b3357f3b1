"""A shop's segments in the database: what they are worked out with, and who is in which."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connections import Connections
from app.profiles.behaviour import Behaviour
from app.profiles.purchases import Purchase
from app.profiles.segmentation import (
    Segmentation,
    memberships,
    probabilities,
    scores_of,
    spend_ahead,
    standing_of,
)
from app.profiles.snapshots import FEATURES
from app.segment_tables import (
    BY_MERCHANT,
    CustomerSegmentRow,
    ReviewRow,
    SegmentationRow,
    SegmentMoveRow,
    SegmentSizeRow,
)
from app.ttl_cache import TtlCache
from app.upsert import chunks, table_of, upsert

VERSIONS_KEPT = 5
_SEGMENTATIONS, _SEGMENTS = table_of(SegmentationRow), table_of(CustomerSegmentRow)
_MOVES, _REVIEWS, _SIZES = table_of(SegmentMoveRow), table_of(ReviewRow), table_of(SegmentSizeRow)


class CustomerSegments(msgspec.Struct, frozen=True):
    """A customer's segments, the most telling first, and the numbers behind them.

    memberships: name, kind and why, as in segmentation.Membership; kind is `pin` for the merchant's word.
    spend_ahead_minor: None where nothing tells.
    """

    memberships: tuple[tuple[str, str, str], ...]
    scores: tuple[int, int, int] | None
    orders: int
    spent_minor: int
    spend_ahead_minor: int | None
    foreseen: dict[str, float]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the segments' names, each once."""
        return tuple(dict.fromkeys(name for name, _, _ in self.memberships))


@dataclass(frozen=True, slots=True)
class Override:
    """What the merchant said of a customer: pinned to a segment, excluded, or confirmed."""

    verdict: str
    segment: str | None = None


def segmented(
    shop: Segmentation,
    history: Sequence[Purchase],
    behaviour: Behaviour | None,
    word: Override | None,
    now: int,
) -> CustomerSegments:
    """Return the customer's segments. A pin comes first and outlives every training. Pure."""
    found: list[tuple[str, str, str]] = list(memberships(shop, history, now, behaviour))
    if word and word.verdict == "pinned" and word.segment:
        found.insert(0, (word.segment, "pin", "The merchant put this customer here."))
    standing, scores = standing_of(history, now), scores_of(shop.cuts, history, now)
    return CustomerSegments(
        memberships=tuple(found),
        scores=scores,
        orders=standing.orders if standing else 0,
        spent_minor=standing.spent_minor if standing else 0,
        spend_ahead_minor=spend_ahead(shop, history, now),
        foreseen={name: round(chance, 4) for name, chance in probabilities(shop, history, now).items()},
    )


async def latest_segmentation(connections: Connections, shop: str) -> Segmentation | None:
    """Return what the shop's segments are worked out with now, None before the first training.

    None too where another version of the app kept it as this one can't read it.
    """
    query = select(_SEGMENTATIONS.c.content).where(_SEGMENTATIONS.c.shop == shop)
    async with connections.read() as db:
        connection = await db.connection()
        content = await connection.scalar(query.order_by(_SEGMENTATIONS.c.trained_at.desc()).limit(1))
    return None if content is None else _read(content)


_segmentations = TtlCache(latest_segmentation)


async def current_segmentation(connections: Connections, shop: str) -> Segmentation | None:
    """Return what the shop's segments are worked out with, as it was at most fifteen seconds ago."""
    return await _segmentations.of(connections, shop)


async def publish_segmentation(
    connections: Connections, shop: str, made: Segmentation, report: Mapping[str, Any], now: datetime
) -> None:
    """Let it serve from now on, in this process at once and in others within seconds."""
    row = {"shop": shop, "trained_at": now, "content": msgspec.to_builtins(made), "report": dict(report)}
    kept = (
        select(_SEGMENTATIONS.c.trained_at)
        .where(_SEGMENTATIONS.c.shop == shop)
        .order_by(_SEGMENTATIONS.c.trained_at.desc())
        .limit(VERSIONS_KEPT)
    )
    async with connections.write() as db:
        await upsert(db, SegmentationRow, [row])
        connection = await db.connection()
        times = list(await connection.scalars(kept))
        old = _SEGMENTATIONS.c.trained_at.not_in(times)
        await connection.execute(delete(_SEGMENTATIONS).where(_SEGMENTATIONS.c.shop == shop, old))
    _segmentations.forget(connections, shop)


async def words_of(connections: Connections, shop: str, customer_ids: Collection[int]) -> dict[int, Override]:
    """Return what the merchant said of those of the customers of whom they said something."""
    words: dict[int, Override] = {}
    async with connections.read() as db:
        connection = await db.connection()
        for part in chunks(sorted(customer_ids)):
            query = select(_REVIEWS.c.customer_id, _REVIEWS.c.verdict, _REVIEWS.c.segment).where(
                _REVIEWS.c.shop == shop, _REVIEWS.c.customer_id.in_(part), _REVIEWS.c.verdict.is_not(None)
            )
            words |= {who: Override(verdict, name) for who, verdict, name in await connection.execute(query)}
    return words


async def keep_segments(
    connections: Connections, shop: str, found: Mapping[int, CustomerSegments | None], now: datetime
) -> int:
    """Return how many customers moved. None: a customer who may be in no segment; their row goes."""
    async with connections.write() as db:
        connection = await db.connection()
        before = await _segments(connection, shop, found)
        await _forget_findings(connection, shop, [who for who, each in found.items() if each is None])
        gone = [who for who in before if found[who] is None]
        for part in chunks(gone):
            theirs = (_SEGMENTS.c.shop == shop, _SEGMENTS.c.customer_id.in_(part))
            await connection.execute(delete(_SEGMENTS).where(*theirs))
            await connection.execute(
                delete(_MOVES).where(_MOVES.c.shop == shop, _MOVES.c.customer_id.in_(part))
            )
        rows = [
            _row(shop, who, each, now)
            for who, each in found.items()
            if each is not None and before.get(who) != _content(each)
        ]
        await upsert(db, CustomerSegmentRow, rows)
        moves = [
            {"shop": shop, "customer_id": row["customer_id"], "moved_at": now}
            | {"before": _name(before.get(row["customer_id"])), "after": row["segment"]}
            | {"why": row["memberships"][0]["why"]}
            for row in rows
            if _name(before.get(row["customer_id"])) != row["segment"]
        ]
        if moves:
            await connection.execute(_MOVES.insert(), moves)
    return len(moves)


async def count_segments(connections: Connections, shop: str, day: str) -> dict[str, int]:
    """Return how many customers each segment has, written down as the day's. day: `2026-11-25`."""
    counts = select(_SEGMENTS.c.segment, func.count()).where(_SEGMENTS.c.shop == shop)
    async with connections.write() as db:
        connection = await db.connection()
        rows = (await connection.execute(counts.group_by(_SEGMENTS.c.segment))).all()
        sizes = {name: int(customers) for name, customers in rows}
        written = [
            {"shop": shop, "day": day, "segment": name, "customers": customers}
            for name, customers in sizes.items()
        ]
        # Anew: a segment that was counted earlier on the day may be nobody's by now.
        await connection.execute(delete(_SIZES).where(_SIZES.c.shop == shop, _SIZES.c.day == day))
        await upsert(db, SegmentSizeRow, written)
    return sizes


async def _forget_findings(connection: AsyncConnection, shop: str, customer_ids: Sequence[int]) -> None:
    """Delete what was found of customers who may be in no segment; the merchant's own word stays."""
    for part in chunks(customer_ids):
        theirs = (_REVIEWS.c.shop == shop, _REVIEWS.c.customer_id.in_(part))
        await connection.execute(delete(_REVIEWS).where(*theirs, _REVIEWS.c.verdict.is_(None)))
        await connection.execute(update(_REVIEWS).where(*theirs).values(reason=BY_MERCHANT, detail=""))


async def _segments(
    connection: AsyncConnection, shop: str, customer_ids: Collection[int]
) -> dict[int, dict[str, Any]]:
    """Return what is written of those of the customers of whom something is."""
    found: dict[int, dict[str, Any]] = {}
    columns = [_SEGMENTS.c[name] for name in ("customer_id", *_CONTENT)]
    for part in chunks(sorted(customer_ids)):
        query = select(*columns).where(_SEGMENTS.c.shop == shop, _SEGMENTS.c.customer_id.in_(part))
        for row in await connection.execute(query):
            found[row.customer_id] = {name: getattr(row, name) for name in _CONTENT}
    return found


_CONTENT = (
    "segment", "memberships", "recency", "frequency", "monetary",
    "orders", "spent_minor", "spend_ahead_minor", "foreseen",
)  # fmt: skip


def _read(content: Mapping[str, Any]) -> Segmentation | None:
    """Return what was kept, of its classifiers those that read what this version of the app works out."""
    try:
        made = msgspec.convert(content, Segmentation)
    except msgspec.ValidationError:
        return None
    foreseen = tuple(each for each in made.foreseen if each.features == FEATURES)
    return msgspec.structs.replace(made, foreseen=foreseen)


def _content(each: CustomerSegments) -> dict[str, Any]:
    recency, frequency, monetary = each.scores or (None, None, None)
    named = [{"name": name, "kind": kind, "why": why} for name, kind, why in each.memberships]
    values = (
        each.names[0], named, recency, frequency, monetary,
        each.orders, each.spent_minor, each.spend_ahead_minor, each.foreseen,
    )  # fmt: skip
    return dict(zip(_CONTENT, values, strict=True))


def _row(shop: str, customer_id: int, each: CustomerSegments, now: datetime) -> dict[str, Any]:
    return {"shop": shop, "customer_id": customer_id, "changed_at": now} | _content(each)


def _name(content: Mapping[str, Any] | None) -> str | None:
    return None if content is None else str(content["segment"])
