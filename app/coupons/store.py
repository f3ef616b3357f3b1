"""What is written down of pools and codes; a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, update

from app.connections import Connections
from app.coupon_tables import CouponPoolRow, CouponRow
from app.coupons.terms import CouponTerms
from app.tables import FeedbackRow
from app.upsert import chunks, table_of, upsert

_POOLS, _CODES, _FEEDBACK = table_of(CouponPoolRow), table_of(CouponRow), table_of(FeedbackRow)

REDEEMED, WITHDRAWN = "redeemed", "withdrawn"


@dataclass(frozen=True, slots=True)
class Pool:
    """A campaign's pool as it is written down. For the fields see `CouponPoolRow`."""

    pool_id: str
    campaign_id: str
    terms: CouponTerms
    size: int
    discount_id: str | None = None
    lapses_at: datetime | None = None
    error: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """A code and Shopify's id of it; None for one that Shopify may not have."""

    code: str
    redeem_id: int | None


@dataclass(frozen=True, slots=True)
class ExpiredGrant:
    """A grant whose time is over. shown: whether the shopper's browser said that it was seen, or may not."""

    code: str
    redeem_id: int | None
    shown: bool


@dataclass(frozen=True, slots=True)
class GivenCode:
    """A code that a shopper was given until then. campaign_id: None once its pool is gone."""

    code: str
    status: str
    expires_at: datetime
    campaign_id: str | None


async def pools_of(connections: Connections, shop: str) -> list[Pool]:
    """Return the shop's pools, those that ended too."""
    rows = await connections.rows(select(*_POOLS.c).where(_POOLS.c.shop == shop))
    return [
        Pool(
            pool_id=row.pool_id,
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
        "pool_id": pool.pool_id,
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
    connections: Connections, shop: str, pool_id: str, codes: Sequence[Code], status: str
) -> None:
    """Store codes as asked for or pooled; a code with a later status keeps it."""
    rows = [
        {"shop": shop, "code": c.code, "pool_id": pool_id, "status": status, "redeem_id": c.redeem_id}
        for c in codes
    ]
    async with connections.write() as db:
        await upsert(db, CouponRow, rows, newer=lambda old, _new: old.status == "asked")


async def codes_of(connections: Connections, shop: str, pool_id: str, status: str) -> list[Code]:
    """Return the pool's codes of that status, in a fixed order."""
    theirs = (_CODES.c.shop == shop, _CODES.c.pool_id == pool_id, _CODES.c.status == status)
    statement = select(_CODES.c.code, _CODES.c.redeem_id).where(*theirs).order_by(_CODES.c.code)
    return [Code(*row) for row in await connections.rows(statement)]


async def last_expiry(connections: Connections, shop: str, pool_id: str) -> datetime | None:
    """Return when the last of the pool's granted codes ends, None when none is in anyone's hands."""
    held = (_CODES.c.shop == shop, _CODES.c.pool_id == pool_id, _CODES.c.status == "granted")
    statement = select(_CODES.c.expires_at).where(*held).order_by(_CODES.c.expires_at.desc()).limit(1)
    latest: datetime | None = await connections.scalar(statement)
    return latest


async def count_codes(connections: Connections, shop: str) -> dict[str, dict[str, int]]:
    """Return how many codes there are, by pool and status."""
    statement = (
        select(_CODES.c.pool_id, _CODES.c.status, func.count())
        .where(_CODES.c.shop == shop)
        .group_by(_CODES.c.pool_id, _CODES.c.status)
    )
    counted: dict[str, dict[str, int]] = {}
    for pool_id, status, count in await connections.rows(statement):
        counted.setdefault(pool_id, {})[status] = count
    return counted


async def note_granted(
    connections: Connections,
    shop: str,
    decision_id: str | None,
    granted: Mapping[str, datetime],
    at: datetime,
) -> None:
    """Write down which decision showed which codes, by code until when; what was redeemed stays so.

    decision_id: None of one whose browser may not tell what was seen. A code that was seen stays its
    decision's, however many tell it again. A pool may have ended just when its code was handed out: that
    one still is the shopper's. One that was withdrawn just then stays so.
    """
    in_hand = _CODES.c.status.in_(["pooled", "granted", WITHDRAWN])
    just_ended = (_CODES.c.status == "deleted") & _CODES.c.granted_at.is_(None)
    stays = (_CODES.c.status == "granted") & _may_be_seen()
    async with connections.write() as db:
        for code, expires_at in granted.items():
            held = (_CODES.c.shop == shop, _CODES.c.code == code, in_hand | just_ended)
            values: dict[str, Any] = {
                "status": case((_CODES.c.status == WITHDRAWN, WITHDRAWN), else_="granted"),
                "decision_id": case((stays, _CODES.c.decision_id), else_=decision_id),
                "expires_at": expires_at,
            }
            first = func.coalesce(_CODES.c.granted_at, at)
            await (await db.connection()).execute(
                update(_CODES).where(*held).values(**values, granted_at=first)
            )


async def note_redeemed(connections: Connections, shop: str, codes: Collection[str], order_id: int) -> None:
    """Write down which order used the codes; those of others are none of ours."""
    spelt = [code.upper() for code in codes]
    if not spelt:
        return
    used = (_CODES.c.shop == shop, _CODES.c.code.in_(spelt), _CODES.c.order_id.is_(None))
    await connections.execute(update(_CODES).where(*used).values(status=REDEEMED, order_id=order_id))


async def status_of(connections: Connections, shop: str, code: str) -> str | None:
    """Return what became of a code, None of one that is not known."""
    return (await statuses_of(connections, shop, [code])).get(code)


async def statuses_of(connections: Connections, shop: str, codes: Collection[str]) -> dict[str, str]:
    """Return what became of the codes, by code, of those that are known."""
    these = (_CODES.c.shop == shop, _CODES.c.code.in_(list(codes)))
    query = select(_CODES.c.code, _CODES.c.status).where(*these)
    return {row.code: row.status for row in await connections.rows(query)}


async def given_code(connections: Connections, shop: str, code: str) -> GivenCode | None:
    """Return a code that was given to a shopper, None for one that was not."""
    query = (
        select(_CODES.c.code, _CODES.c.status, _CODES.c.expires_at, _POOLS.c.campaign_id)
        .outerjoin(_POOLS, and_(_POOLS.c.shop == _CODES.c.shop, _POOLS.c.pool_id == _CODES.c.pool_id))
        .where(_CODES.c.shop == shop, _CODES.c.code == code.upper(), _CODES.c.expires_at.is_not(None))
    )
    return next((GivenCode(*row) for row in await connections.rows(query)), None)


async def withdrawn_codes(connections: Connections, shop: str, now: datetime) -> frozenset[str]:
    """Return the codes that work no more although their shoppers' time is not over."""
    async with connections.read() as db:
        rows = await (await db.connection()).execute(select(_CODES.c.code).where(*_withdrawn(shop, now)))
        return frozenset(rows.scalars())


async def withdrawn_fingerprint(connections: Connections, shop: str, now: datetime) -> tuple[Any, ...]:
    """Return a value that is another one once there are more of `withdrawn_codes`."""
    found = select(func.count(), func.max(_CODES.c.granted_at)).where(*_withdrawn(shop, now))
    return tuple(await connections.row(found))


def _withdrawn(shop: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return _CODES.c.shop == shop, _CODES.c.status == WITHDRAWN, _CODES.c.expires_at > now


async def pools_over(connections: Connections, now: datetime) -> list[tuple[str, str]]:
    """Return the pools with grants whose time is over, each with its shop, a shop's together."""
    over = (_CODES.c.status == "granted", _CODES.c.expires_at <= now)
    statement = select(_CODES.c.shop, _CODES.c.pool_id).where(*over).distinct()
    rows = await connections.rows(statement.order_by(_CODES.c.shop, _CODES.c.pool_id))
    return [(row.shop, row.pool_id) for row in rows]


async def grants_over(
    connections: Connections, shop: str, pool_id: str, now: datetime, most: int
) -> list[ExpiredGrant]:
    """Return the pool's grants whose time is over, the oldest first."""
    statement = (
        select(_CODES.c.code, _CODES.c.redeem_id, _may_be_seen().label("shown"))
        .where(_CODES.c.shop == shop, _CODES.c.pool_id == pool_id)
        .where(_CODES.c.status == "granted", _CODES.c.expires_at <= now)
        .order_by(_CODES.c.expires_at)
        .limit(most)
    )
    return [ExpiredGrant(*row) for row in await connections.rows(statement)]


def _may_be_seen() -> ColumnElement[bool]:
    """Return the condition that a granted code was seen, or may have been.

    A browser said so; or there is no decision by which one may say it.
    """
    said = select(_FEEDBACK.c.event_id).where(
        _FEEDBACK.c.shop == _CODES.c.shop,
        _FEEDBACK.c.decision_id == _CODES.c.decision_id,
        _FEEDBACK.c.kind.in_(["shown", "accepted", "dismissed"]),
    )
    return or_(_CODES.c.decision_id.is_(None), said.exists())


async def set_status(connections: Connections, shop: str, codes: Collection[str], status: str) -> None:
    """Write down what became of the codes; what was redeemed meanwhile stays so."""
    values: dict[str, Any] = {"status": status}
    if status == "pooled":
        values |= {"decision_id": None, "granted_at": None, "expires_at": None}
    async with connections.write() as db:
        for part in chunks(sorted(codes)):
            theirs = (_CODES.c.shop == shop, _CODES.c.code.in_(part), _CODES.c.status != REDEEMED)
            await (await db.connection()).execute(update(_CODES).where(*theirs).values(**values))


async def drop_ended(connections: Connections, before: datetime) -> None:
    """Forget codes whose shoppers' time was over by then and that work no more; what was redeemed stays."""
    over = (_CODES.c.status.in_(["deleted", WITHDRAWN]), _CODES.c.expires_at < before)
    await connections.execute(delete(_CODES).where(*over))


async def drop_unused(connections: Connections, shop: str, pool_id: str) -> None:
    """Delete the pool's codes that were never given to a shopper."""
    theirs = (_CODES.c.shop == shop, _CODES.c.pool_id == pool_id, _CODES.c.granted_at.is_(None))
    unused = _CODES.c.status.in_(["asked", "pooled", "deleted", WITHDRAWN])
    await connections.execute(delete(_CODES).where(*theirs, unused))
