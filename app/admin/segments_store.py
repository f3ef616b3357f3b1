"""What the segments pages show of a shop's customers, read from its tables."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.admin.store import first_price
from app.connections import Connections
from app.profiles import rfm_segments
from app.profiles.interests import ProductTraits
from app.profiles.rfm import SCORES, Scores
from app.segment_tables import CustomerSegmentRow, SegmentationRow, SegmentMoveRow, SegmentSizeRow
from app.tables import ProductRow
from app.upsert import chunks, table_of

_SEGMENTS, _MOVES = table_of(CustomerSegmentRow), table_of(SegmentMoveRow)
_PRODUCTS = table_of(ProductRow)
_SIZES, _SEGMENTATIONS = table_of(SegmentSizeRow), table_of(SegmentationRow)


@dataclass(frozen=True, slots=True)
class Card:
    """All that is written of a customer's segments. memberships: name, kind and why each."""

    customer_id: int
    segment: str
    memberships: list[dict[str, str]]
    scores: Scores | None
    orders: int
    spent_minor: int
    spend_ahead_minor: int | None
    foreseen: dict[str, float]
    rfm_group: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """A customer's way from one segment into another. before: None for who was in none."""

    customer_id: int
    moved_at: datetime
    before: str | None
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class Trained:
    """When the segmentation that serves was made, and what speaks for it."""

    trained_at: datetime
    report: dict[str, Any]


async def trained(connections: Connections, shop: str) -> Trained | None:
    """Return what speaks for the segmentation that serves, None before the first."""
    columns = _SEGMENTATIONS.c
    query = select(columns.trained_at, columns.report).where(columns.shop == shop)
    rows = await connections.rows(query.order_by(columns.trained_at.desc()).limit(1))
    return Trained(*rows[0]) if rows else None


async def sizes_now(connections: Connections, shop: str) -> dict[str, int]:
    """Return how many customers each segment has, each counted in the most telling of theirs."""
    count = func.count()
    query = select(_SEGMENTS.c.segment, count).where(_SEGMENTS.c.shop == shop)
    rows = await connections.rows(query.group_by(_SEGMENTS.c.segment).order_by(count.desc()))
    return {name: int(customers) for name, customers in rows}


async def sizes_by_day(connections: Connections, shop: str, since_day: str) -> dict[str, dict[str, int]]:
    """Return the sizes of each day on which they were written down, oldest first. since_day: `2026-11-25`."""
    columns = _SIZES.c
    query = select(columns.day, columns.segment, columns.customers).where(
        columns.shop == shop, columns.day >= since_day
    )
    days: dict[str, dict[str, int]] = {}
    for day, segment, customers in await connections.rows(query.order_by(columns.day)):
        days.setdefault(day, {})[segment] = customers
    return days


async def move_counts(
    connections: Connections, shop: str, since: datetime
) -> list[tuple[str | None, str, int]]:
    """Return how many moves there were from each segment into each other, most first."""
    columns, count = _MOVES.c, func.count()
    query = select(columns.before, columns.after, count).where(
        columns.shop == shop, columns.moved_at >= since
    )
    grouped = query.group_by(columns.before, columns.after).order_by(count.desc(), columns.after)
    return [(before, after, int(moves)) for before, after, moves in await connections.rows(grouped)]


async def newest_moves(
    connections: Connections, shop: str, most: int, customer_id: int | None = None
) -> list[Move]:
    """Return the newest moves, newest first: a customer's with their first, else those between segments."""
    columns = _MOVES.c
    query = select(columns.customer_id, columns.moved_at, columns.before, columns.after, columns.why)
    wanted = columns.before.is_not(None) if customer_id is None else columns.customer_id == customer_id
    query = query.where(columns.shop == shop, wanted).order_by(columns.id.desc()).limit(most)
    return [Move(*row) for row in await connections.rows(query)]


async def members(connections: Connections, shop: str, segment: str, most: int) -> list[Card]:
    """Return customers for whom the segment is the most telling one, the last to change first."""
    return await _cards(connections, shop, _SEGMENTS.c.segment == segment, most)


async def card(connections: Connections, shop: str, customer_id: int) -> Card | None:
    """Return what is written of a customer, None for who is in no segment."""
    found = await _cards(connections, shop, _SEGMENTS.c.customer_id == customer_id, 1)
    return found[0] if found else None


async def sold(connections: Connections, shop: str) -> dict[int, ProductTraits]:
    """Return what the shop sells, as far as interests go. The price is that of the first variant."""
    columns = _PRODUCTS.c
    query = select(columns.product_id, columns.product_type, columns.vendor, first_price()).where(
        columns.shop == shop, columns.deleted_at.is_(None)
    )
    return {row[0]: ProductTraits(*row[1:]) for row in await connections.rows(query)}


async def segment_of(connections: Connections, shop: str, customer_ids: Collection[int]) -> dict[int, str]:
    """Return the most telling segment of those of the customers who are in any."""
    found: dict[int, str] = {}
    for part in chunks(sorted(set(customer_ids))):
        query = select(_SEGMENTS.c.customer_id, _SEGMENTS.c.segment).where(
            _SEGMENTS.c.shop == shop, _SEGMENTS.c.customer_id.in_(part)
        )
        found |= {row.customer_id: row.segment for row in await connections.rows(query)}
    return found


async def rfm_counts(connections: Connections, shop: str) -> dict[tuple[str, str | None], int]:
    """Return customers by our RFM segment and Shopify's group of them, None for one not read yet."""
    columns = _SEGMENTS.c
    by = (columns.recency, columns.frequency, columns.monetary, columns.rfm_group)
    counts: dict[tuple[str, str | None], int] = {}
    query = select(*by, func.count()).where(columns.shop == shop).group_by(*by)
    for *scores, rfm_group, customers in await connections.rows(query):
        cell = rfm_segments.segment(_scores(*scores)), rfm_group
        counts[cell] = counts.get(cell, 0) + int(customers)
    return counts


async def in_cell(connections: Connections, shop: str, ours: str, theirs: str, most: int) -> list[Card]:
    """Return customers whom we put in one RFM segment and Shopify in another. theirs: as we write it."""
    group = func.lower(_SEGMENTS.c.rfm_group) == theirs
    return await _cards(connections, shop, and_(_scored_as(ours), group), most)


def _scored_as(segment: str) -> ColumnElement[bool]:
    """Return the condition that a customer's scores stand for the segment."""
    columns = _SEGMENTS.c
    if segment == rfm_segments.PROSPECTS:
        return columns.recency.is_(None)
    every = (Scores(*each) for each in product(range(1, SCORES + 1), repeat=3))
    return or_(
        *(
            and_(columns.recency == r, columns.frequency == f, columns.monetary == m)
            for r, f, m in every
            if rfm_segments.segment(Scores(r, f, m)) == segment
        )
    )


async def _cards(connections: Connections, shop: str, which: ColumnElement[bool], most: int) -> list[Card]:
    columns = _SEGMENTS.c
    query = select(_SEGMENTS).where(columns.shop == shop, which)
    query = query.order_by(columns.changed_at.desc(), columns.customer_id).limit(most)
    return [
        Card(
            row.customer_id, row.segment, row.memberships, _scores(row.recency, row.frequency, row.monetary),
            row.orders, row.spent_minor, row.spend_ahead_minor, row.foreseen, row.rfm_group, row.changed_at,
        )
        for row in await connections.rows(query)
    ]  # fmt: skip


def _scores(recency: int | None, frequency: int | None, monetary: int | None) -> Scores | None:
    if recency is None or frequency is None or monetary is None:
        return None
    return Scores(recency, frequency, monetary)
