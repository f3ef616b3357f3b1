"""Discounts without a code that Shopify has, and which grants were used; a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update

from app.connections import Connections
from app.coupon_tables import AutomaticDiscountRow, GrantUseRow
from app.coupons.terms import REMEMBERED_S, off_by
from app.upsert import insert_into, table_of, upsert

_DISCOUNTS, _USES = table_of(AutomaticDiscountRow), table_of(GrantUseRow)
_OF_TERMS = (_DISCOUNTS.c.shop == _USES.c.shop) & (_DISCOUNTS.c.terms_id == _USES.c.terms_id)


@dataclass(frozen=True, slots=True)
class Discount:
    """Terms as they are written down. For the fields see `AutomaticDiscountRow`."""

    terms_id: str
    campaign_id: str
    discount_id: str | None = None
    epoch: int = 0
    epoch_at: datetime | None = None
    lasts_s: int = 0
    error: str = ""
    title: str = ""
    label: str = ""
    applies_to: str = ""


@dataclass(frozen=True, slots=True)
class Honoured:
    """Terms for which Shopify has a discount. used: numbers that the campaign gives no other grant for."""

    epoch: int = 0
    used: frozenset[str] = field(default=frozenset(), repr=False)


async def discounts_of(connections: Connections, shop: str) -> dict[str, Discount]:
    """Return all that the shop ever had, by terms, those too that Shopify has no more."""
    columns = [_DISCOUNTS.c[name] for name in Discount.__dataclass_fields__]
    rows = await connections.rows(select(*columns).where(_DISCOUNTS.c.shop == shop))
    return {row.terms_id: Discount(*row) for row in rows}


async def honoured(connections: Connections, shop: str) -> dict[str, Honoured]:
    """Return the terms for which Shopify has a discount, by id."""
    used: dict[str, set[str]] = {}
    async with connections.read() as db:
        connection = await db.connection()
        discounts = (await connection.execute(_there(shop))).all()
        if discounts:
            uses = select(_DISCOUNTS.c.campaign_id, _USES.c.number).join(_DISCOUNTS, _OF_TERMS)
            for campaign_id, number in await connection.execute(uses.where(*_can_matter(shop))):
                used.setdefault(campaign_id, set()).add(number)
    return {
        each.terms_id: Honoured(each.epoch, frozenset(used.get(each.campaign_id, ()))) for each in discounts
    }


async def honoured_fingerprint(connections: Connections, shop: str) -> tuple[Any, ...]:
    """Return a value that is another one once `honoured` is."""
    uses = select(func.count(), func.max(_USES.c.used_at)).join(_DISCOUNTS, _OF_TERMS)
    uses = uses.where(*_can_matter(shop))
    async with connections.read() as db:
        connection = await db.connection()
        found = tuple(map(tuple, (await connection.execute(_there(shop))).all()))
        return (found, *(await connection.execute(uses)).one()) if found else ()


def _there(shop: str) -> Any:
    """Return the query of the terms for which Shopify has a discount, of their keys' epochs and campaigns."""
    columns = (_DISCOUNTS.c.terms_id, _DISCOUNTS.c.epoch, _DISCOUNTS.c.campaign_id)
    return select(*columns).where(*_is_there(shop)).order_by(_DISCOUNTS.c.terms_id)


def _is_there(shop: str) -> tuple[ColumnElement[bool], ...]:
    return _DISCOUNTS.c.shop == shop, _DISCOUNTS.c.discount_id.is_not(None)


def _can_matter(shop: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the uses that are read: of campaigns that have a discount in Shopify now.

    Uses under earlier terms of such a campaign are among them; those of other campaigns stay in the table
    until `forget_uses`, unread.
    """
    there = select(_DISCOUNTS.c.campaign_id).where(*_is_there(shop))
    return _USES.c.shop == shop, _DISCOUNTS.c.campaign_id.in_(there)


async def keep_discount(connections: Connections, shop: str, discount: Discount, now: datetime) -> None:
    """Write down that Shopify has the discount, and which grants it honours."""
    values = {name: getattr(discount, name) for name in Discount.__dataclass_fields__}
    async with connections.write() as db:
        await upsert(db, AutomaticDiscountRow, [{"shop": shop, **values, "updated_at": now}])


async def drop_discounts(connections: Connections, shop: str, terms_ids: Collection[str]) -> None:
    """Write down that Shopify has none for these terms. Which grants were used stays known."""
    theirs = (_DISCOUNTS.c.shop == shop, _DISCOUNTS.c.terms_id.in_(terms_ids))
    await connections.execute(update(_DISCOUNTS).where(*theirs).values(discount_id=None))


async def note_use(
    connections: Connections,
    shop: str,
    terms_id: str,
    number: str,
    order_id: int,
    now: datetime,
    off: Collection[str] = (),
) -> bool:
    """Return whether this is news: a grant of the shop's own terms that no order was known to have used.

    off: see `GrantUsed`. One whose discount is for none of it took nothing, and is still its shopper's.
    """
    async with connections.write() as db:
        connection = await db.connection()
        ours = (_DISCOUNTS.c.shop == shop, _DISCOUNTS.c.terms_id == terms_id)
        applies_to = await connection.scalar(select(_DISCOUNTS.c.applies_to).where(*ours))
        if applies_to is None or (applies_to and off and off_by(applies_to) not in off):
            return False
        row = {"shop": shop, "terms_id": terms_id, "number": number, "order_id": order_id, "used_at": now}
        statement = insert_into(db, GrantUseRow).values(row).on_conflict_do_nothing()
        return bool((await connection.execute(statement)).rowcount)


async def used_since(connections: Connections, shop: str, campaign_id: str, since: datetime) -> Sequence[str]:
    """Return the numbers of the campaign's grants that were used since then, in a fixed order."""
    theirs = (_USES.c.shop == shop, _DISCOUNTS.c.campaign_id == campaign_id, _USES.c.used_at >= since)
    numbers = select(_USES.c.number).distinct().join(_DISCOUNTS, _OF_TERMS).where(*theirs)
    return await connections.scalars(numbers.order_by(_USES.c.number))


async def forget_uses(
    connections: Connections, shop: str, discounts: Mapping[str, Discount], now: datetime
) -> None:
    """Forget the grants whose shoppers may have another one: as long after as with codes."""
    async with connections.write() as db:
        for each in discounts.values():
            before = now - timedelta(seconds=each.lasts_s + REMEMBERED_S)
            theirs = (_USES.c.shop == shop, _USES.c.terms_id == each.terms_id, _USES.c.used_at < before)
            await (await db.connection()).execute(delete(_USES).where(*theirs))
