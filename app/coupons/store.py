"""What is written down of pools and codes; a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select, update

from app.connections import Connections
from app.coupon_tables import CouponPoolRow, CouponRow
from app.coupons.terms import CouponTerms
from app.tables import FeedbackRow
from app.upsert import chunks, insert_new, table_of, upsert

_POOLS, _CODES, _FEEDBACK = table_of(CouponPoolRow), table_of(CouponRow), table_of(FeedbackRow)


@dataclass(frozen=True, slots=True)
class Pool:
    """A campaign's pool as it is written down. For the fields see `CouponPoolRow`."""

    campaign_id: str
    discount_id: str | None
    terms: CouponTerms
    size: int
    lapses_at: datetime | None
    error: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Code:
    """A code and Shopify's id of it; None for one that Shopify may not have."""

    code: str
    redeem_id: int | None


@dataclass(frozen=True, slots=True)
class Over:
    """A grant whose time is over. shown: whether the shopper's browser said that it was seen."""

    shop: str
    campaign_id: str
    code: str
    redeem_id: int | None
    shown: bool


async def pools_of(connections: Connections, shop: str) -> list[Pool]:
    """Return the shop's pools, those of ended campaigns too while Shopify still has their discount."""
    async with connections.read() as db:
        rows = (await db.execute(select(*_POOLS.c).where(_POOLS.c.shop == shop))).all()
    return [
        Pool(
            campaign_id=row.campaign_id,
            discount_id=row.discount_id,
            terms=msgspec.convert(row.terms, CouponTerms),
            size=row.size,
            lapses_at=row.lapses_at,
            error=row.error,
            ended_at=row.ended_at,
        )
        for row in rows
    ]


async def keep_pool(connections: Connections, shop: str, pool: Pool, now: datetime) -> None:
    """Write the pool down as it is now."""
    row = {
        "shop": shop,
        "campaign_id": pool.campaign_id,
        "discount_id": pool.discount_id,
        "terms": msgspec.to_builtins(pool.terms),
        "size": pool.size,
        "lapses_at": pool.lapses_at,
        "error": pool.error,
        "ended_at": pool.ended_at,
        "updated_at": now,
    }
    async with connections.write() as db:
        await upsert(db, CouponPoolRow, [row])


async def keep_codes(
    connections: Connections, shop: str, campaign_id: str, codes: Sequence[Code], status: str
) -> None:
    """Write codes down as asked for or pooled; what became of one meanwhile stands."""
    rows = [
        {"shop": shop, "code": c.code, "campaign_id": campaign_id, "status": status, "redeem_id": c.redeem_id}
        for c in codes
    ]
    async with connections.write() as db:
        await insert_new(db, CouponRow, rows)
        for each in codes if status == "pooled" else ():
            asked = (_CODES.c.shop == shop, _CODES.c.code == each.code, _CODES.c.status == "asked")
            await db.execute(update(_CODES).where(*asked).values(status=status, redeem_id=each.redeem_id))


async def codes_of(connections: Connections, shop: str, campaign_id: str, status: str) -> list[Code]:
    """Return the campaign's codes of that status, in a fixed order."""
    theirs = (_CODES.c.shop == shop, _CODES.c.campaign_id == campaign_id, _CODES.c.status == status)
    async with connections.read() as db:
        statement = select(_CODES.c.code, _CODES.c.redeem_id).where(*theirs).order_by(_CODES.c.code)
        return [Code(*row) for row in (await db.execute(statement)).all()]


async def count_codes(connections: Connections, shop: str) -> dict[str, dict[str, int]]:
    """Return how many codes there are, by campaign and status."""
    statement = (
        select(_CODES.c.campaign_id, _CODES.c.status, func.count())
        .where(_CODES.c.shop == shop)
        .group_by(_CODES.c.campaign_id, _CODES.c.status)
    )
    counted: dict[str, dict[str, int]] = {}
    async with connections.read() as db:
        for campaign_id, status, count in (await db.execute(statement)).all():
            counted.setdefault(campaign_id, {})[status] = count
    return counted


async def note_granted(
    connections: Connections, shop: str, decision_id: str, granted: Mapping[str, datetime], at: datetime
) -> None:
    """Write down which decision showed which codes, by code until when; what was redeemed stays so."""
    async with connections.write() as db:
        for code, expires_at in granted.items():
            held = (_CODES.c.shop == shop, _CODES.c.code == code, _CODES.c.status.in_(["pooled", "granted"]))
            values: dict[str, Any] = {"status": "granted", "decision_id": decision_id, "expires_at": expires_at}
            first = func.coalesce(_CODES.c.granted_at, at)
            await db.execute(update(_CODES).where(*held).values(**values, granted_at=first))


async def note_redeemed(connections: Connections, shop: str, codes: Collection[str], order_id: int) -> None:
    """Write down which order used the codes; those of others are none of ours."""
    spelt = [code.upper() for code in codes]
    if not spelt:
        return
    async with connections.write() as db:
        used = (_CODES.c.shop == shop, _CODES.c.code.in_(spelt), _CODES.c.order_id.is_(None))
        await db.execute(update(_CODES).where(*used).values(status="redeemed", order_id=order_id))


async def grants_over(connections: Connections, now: datetime, most: int) -> list[Over]:
    """Return grants whose time is over, the oldest first."""
    shown = (
        select(_FEEDBACK.c.event_id)
        .where(
            _FEEDBACK.c.shop == _CODES.c.shop,
            _FEEDBACK.c.decision_id == _CODES.c.decision_id,
            _FEEDBACK.c.kind.in_(["shown", "accepted", "dismissed"]),
        )
        .exists()
    )
    statement = (
        select(_CODES.c.shop, _CODES.c.campaign_id, _CODES.c.code, _CODES.c.redeem_id, shown.label("shown"))
        .where(_CODES.c.status == "granted", _CODES.c.expires_at <= now)
        .order_by(_CODES.c.expires_at)
        .limit(most)
    )
    async with connections.read() as db:
        return [Over(*row) for row in (await db.execute(statement)).all()]


async def set_status(connections: Connections, shop: str, codes: Collection[str], status: str) -> None:
    """Write down what became of the codes; what was redeemed meanwhile stays so."""
    values: dict[str, Any] = {"status": status}
    if status == "pooled":
        values |= {"decision_id": None, "granted_at": None, "expires_at": None}
    async with connections.write() as db:
        for part in chunks(sorted(codes)):
            theirs = (_CODES.c.shop == shop, _CODES.c.code.in_(part), _CODES.c.status != "redeemed")
            await db.execute(update(_CODES).where(*theirs).values(**values))
