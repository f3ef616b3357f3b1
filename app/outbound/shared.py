"""What other systems are shown of a shop's segments: of customers who allow it, and of nobody else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Text, cast, func, select

from app.connections import Connections
from app.outbound.deliveries import who_may_be_shared
from app.segment_tables import CustomerSegmentRow
from app.shops.store import Shop
from app.upsert import table_of
from app.values import decimal_amount

_SEGMENTS = table_of(CustomerSegmentRow)
_FEWEST = 5  # customers of a segment that are told as a number
_AT_ONCE = 100  # rows that are read together, however small the page is
_LOOKED_AT = 2_000  # rows a call reads at most: where few allow it, a page is short and there is a next one


class Segment(msgspec.Struct, frozen=True):
    """A segment that customers are in first of all.

    customers: how many, whether they may be shared or not; null of fewer than 5, who could be told by it.
    """

    name: str
    customers: int | None


class Segments(msgspec.Struct, frozen=True):
    """A shop's segments, the largest first, and those of fewer than 5 by name."""

    segments: list[Segment]


class Membership(msgspec.Struct, frozen=True):
    """A segment of a customer, and why in one sentence.

    kind: pin (the merchant's word), rule (the merchant's own segment), foreseen, cluster or rfm.
    """

    name: str
    kind: str
    why: str


class Scores(msgspec.Struct, frozen=True):
    """RFM scores, 1 to 5."""

    recency: int
    frequency: int
    monetary: int


class Customer(msgspec.Struct, frozen=True):
    """A customer's segments and the numbers behind them. Amounts are decimal strings in `currency`.

    scores: null before the first purchase. rfm_group: Shopify's own, null until it was read.
    expected_spend_90_days: null where the shop is too young to tell. foreseen: chances of 0 to 1 by label.
    """

    customer_id: int
    segment: str
    segments: list[Membership]
    scores: Scores | None
    orders: int
    spent: str
    expected_spend_90_days: str | None
    currency: str
    foreseen: dict[str, float]
    rfm_group: str | None
    changed_at: str


class Page(msgspec.Struct, frozen=True):
    """Some of a segment's customers. next_cursor: what to ask for the rest with, null at the end."""

    customers: list[Customer]
    next_cursor: str | None


async def segments_of(connections: Connections, shop: Shop) -> Segments:
    """Return the shop's segments with their sizes."""
    query = select(_SEGMENTS.c.segment, func.count()).where(_SEGMENTS.c.shop == shop.shop)
    rows = await connections.rows(query.group_by(_SEGMENTS.c.segment))
    told = [Segment(name, int(count) if count >= _FEWEST else None) for name, count in rows]
    return Segments(sorted(told, key=lambda each: (-(each.customers or 0), each.name)))


async def shared_customer(connections: Connections, shop: Shop, customer_id: int) -> Customer | None:
    """Return the customer; None for one without segments, and just so for one who may not be shared."""
    if not await who_may_be_shared(connections, shop.shop, [customer_id]):
        return None
    this = (_SEGMENTS.c.shop == shop.shop, _SEGMENTS.c.customer_id == customer_id)
    row = await connections.row(select(_SEGMENTS).where(*this))
    return None if row is None else _customer(row, shop.currency)


async def customers_in(
    connections: Connections, shop: Shop, name: str, after: int, limit: int
) -> tuple[list[Customer], int | None]:
    """Return up to so many customers of a segment from an id on, and the id to go on after, if any."""
    found: list[Customer] = []
    looked_at, at_once = 0, max(limit, _AT_ONCE)
    while looked_at < _LOOKED_AT:
        rows = await _rows(connections, shop.shop, name, after, at_once)
        allowed = await who_may_be_shared(connections, shop.shop, [row.customer_id for row in rows])
        for row in rows:
            after = row.customer_id
            if row.customer_id in allowed and any(each["name"] == name for each in row.memberships):
                found.append(_customer(row, shop.currency))
                if len(found) == limit:
                    return found, after
        if len(rows) < at_once:
            return found, None
        looked_at += len(rows)
    return found, after


async def _rows(connections: Connections, shop: str, name: str, after: int, limit: int) -> Sequence[Any]:
    """Return customers whose memberships speak of the segment, in the order of their ids."""
    spoken_of = cast(_SEGMENTS.c.memberships, Text).contains(json.dumps(name), autoescape=True)
    these = (_SEGMENTS.c.shop == shop, _SEGMENTS.c.customer_id > after, spoken_of)
    query = select(_SEGMENTS).where(*these).order_by(_SEGMENTS.c.customer_id).limit(limit)
    return await connections.rows(query)


def _customer(row: Any, currency: str) -> Customer:
    scored = None not in (row.recency, row.frequency, row.monetary)
    ahead: int | None = row.spend_ahead_minor
    return Customer(
        customer_id=row.customer_id,
        segment=row.segment,
        segments=[Membership(each["name"], each["kind"], each["why"]) for each in row.memberships],
        scores=Scores(row.recency, row.frequency, row.monetary) if scored else None,
        orders=row.orders,
        spent=decimal_amount(row.spent_minor, currency),
        expected_spend_90_days=None if ahead is None else decimal_amount(ahead, currency),
        currency=currency,
        foreseen=row.foreseen,
        rfm_group=row.rfm_group,
        changed_at=row.changed_at.isoformat().replace("+00:00", "Z"),
    )
