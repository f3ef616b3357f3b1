"""The queue of customers that a merchant should look at, and what they decided of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import func, select
from sqlmodel import col

from app.connections import Connections
from app.errors import InputError, NotFound
from app.profiles.customer import PlacedOrder
from app.profiles.review import ReviewedCustomer, candidates, reviewed
from app.segment_tables import BY_MERCHANT, CustomerSegmentRow, ReviewRow
from app.upsert import chunks, insert_new, table_of

Verdict = Literal["pinned", "excluded", "confirmed"]
_BATCH = 2_000
_SEGMENTS, _REVIEWS = table_of(CustomerSegmentRow), table_of(ReviewRow)


@dataclass(frozen=True, slots=True)
class Review:
    """A customer in the queue. verdict: None while it is open."""

    customer_id: int
    reason: str
    detail: str
    found_at: datetime
    verdict: str | None
    segment: str | None
    decided_at: datetime | None
    decided_by: str


async def find_candidates(
    connections: Connections,
    shop: str,
    placed: Mapping[int, Sequence[PlacedOrder]],
    currency: str,
    now: datetime,
) -> int:
    """Return how many customers stand out; those not in the queue yet are put there."""
    seen: list[ReviewedCustomer] = []
    for part in chunks(sorted(placed), _BATCH):
        seen += await _seen(connections, shop, part, placed)
    rows = [
        {"shop": shop, "customer_id": each.customer_id, "reason": each.reason, "detail": each.detail}
        | {"found_at": now, "decided_by": ""}
        for each in candidates(seen, currency)
    ]
    once = list({row["customer_id"]: row for row in reversed(rows)}.values())
    async with connections.write() as db:
        await insert_new(db, ReviewRow, once)
    return len(once)


async def reviews(connections: Connections, shop: str, *, only_open: bool) -> list[Review]:
    """Return the queue, the newest first."""
    query = select(_REVIEWS).where(_REVIEWS.c.shop == shop)
    if only_open:
        query = query.where(_REVIEWS.c.verdict.is_(None))
    async with connections.read() as db:
        connection = await db.connection()
        rows = (
            await connection.execute(query.order_by(_REVIEWS.c.found_at.desc(), _REVIEWS.c.customer_id))
        ).all()
    return [_read(row) for row in rows]


async def decide_review(
    connections: Connections, shop: str, customer_id: int, verdict: Verdict, segment: str | None, by: str
) -> None:
    """Keep the merchant's word on a customer, in the queue or not. It outlives every training.

    segment: where a pinned customer belongs. Raises InputError without one, NotFound for a customer of
    whom nothing is known.
    """
    if verdict == "pinned" and not segment:
        raise InputError("a pin names a segment", "segment")
    now = datetime.now(UTC)
    async with connections.write() as db:
        row = await db.get(ReviewRow, (shop, customer_id))
        if row is None:
            if await db.get(CustomerSegmentRow, (shop, customer_id)) is None:
                raise NotFound(f"{shop} has no customer {customer_id} in any segment")
            row = ReviewRow(shop=shop, customer_id=customer_id, reason=BY_MERCHANT, found_at=now)
        row.verdict, row.segment = verdict, segment if verdict == "pinned" else None
        row.decided_at, row.decided_by = now, by
        db.add(row)


async def withdraw_review(connections: Connections, shop: str, customer_id: int, by: str) -> None:
    """Take the merchant's word on a customer back: who stood out is open again, others leave the queue.

    Raises NotFound where there is no word.
    """
    async with connections.write() as db:
        row = await db.get(ReviewRow, (shop, customer_id))
        if row is None or row.verdict is None:
            raise NotFound(f"{shop} has said nothing of customer {customer_id}")
        if row.reason == BY_MERCHANT:
            await db.delete(row)
            return
        row.verdict = row.segment = None
        row.decided_at, row.decided_by = datetime.now(UTC), by
        db.add(row)


async def review_of(connections: Connections, shop: str, customer_id: int) -> Review | None:
    """Return what is in the queue of one customer, None when nothing is."""
    query = select(_REVIEWS).where(_REVIEWS.c.shop == shop, _REVIEWS.c.customer_id == customer_id)
    row = await connections.row(query)
    return None if row is None else _read(row)


async def pinned_to(connections: Connections, shop: str, segment: str) -> int:
    """Return how many customers the merchant pinned to the segment."""
    pinned = _REVIEWS.c.shop == shop, _REVIEWS.c.verdict == "pinned", _REVIEWS.c.segment == segment
    (count,) = await connections.scalars(select(func.count()).select_from(_REVIEWS).where(*pinned))
    return int(count)


async def excluded_customers(connections: Connections, shop: str) -> frozenset[int]:
    """Return whom the merchant keeps out of all that is learnt from customers."""
    query = select(col(ReviewRow.customer_id)).where(
        col(ReviewRow.shop) == shop, col(ReviewRow.verdict) == "excluded"
    )
    return frozenset(await connections.scalars(query))


def _read(row: Any) -> Review:
    return Review(
        row.customer_id, row.reason, row.detail, row.found_at,
        row.verdict, row.segment, row.decided_at, row.decided_by,
    )  # fmt: skip


async def _seen(
    connections: Connections, shop: str, customers: Sequence[int], placed: Mapping[int, Sequence[PlacedOrder]]
) -> list[ReviewedCustomer]:
    """Return the customers as a reviewer sees them."""
    told: dict[int, tuple[str | None, Mapping[str, float]]] = {}
    async with connections.read() as db:
        connection = await db.connection()
        for part in chunks(customers):
            columns = (_SEGMENTS.c.customer_id, _SEGMENTS.c.memberships, _SEGMENTS.c.foreseen)
            query = select(*columns).where(_SEGMENTS.c.shop == shop, _SEGMENTS.c.customer_id.in_(part))
            for who, memberships, foreseen in await connection.execute(query):
                rfm = next((each["name"] for each in memberships if each["kind"] == "rfm"), None)
                told[who] = (rfm, foreseen)
    return [_seen_by(who, placed[who], *told[who]) for who in customers if who in told]


def _seen_by(
    who: int, orders: Sequence[PlacedOrder], rfm: str | None, foreseen: Mapping[str, float]
) -> ReviewedCustomer:
    return ReviewedCustomer(who, reviewed(orders), rfm, foreseen.get("at_risk"), foreseen.get("loyal"))
