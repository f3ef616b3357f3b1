"""A period's totals over all shoppers, aggregated in SQL instead of reading every decision."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, distinct, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.attribution.kpi_facts import CARTED
from app.attribution.kpis import GroupTotals, Kpi, of_sums
from app.connections import Connections
from app.errors import NotFound
from app.events.surfaces import AFTER_THE_ORDER
from app.orders.placed import HAS_GOODS
from app.orders.refunds import goods_back
from app.segment_tables import CustomerSegmentRow
from app.tables import DecisionRow, EventRow, OrderRow, ShopRow
from app.upsert import table_of

_DECISIONS, _EVENTS, _ORDERS = table_of(DecisionRow), table_of(EventRow), table_of(OrderRow)
_SEGMENTS = table_of(CustomerSegmentRow)


async def overall(
    connections: Connections, shop: str, since: datetime, now: datetime
) -> tuple[list[Kpi], str]:
    """Return figures of all decisions since then and the shop's currency; none where nothing happened.

    They are those that `kpis` tells of the same facts: `all`, without carts and offers. Raises NotFound.
    """
    async with connections.read() as db:
        known = await db.get(ShopRow, shop)
        if known is None:
            raise NotFound(f"{shop} was never installed")
        if not await _is_anything(db, shop, since, now):
            return [], known.currency
        of_checkouts = await _of_checkouts(db, shop, since, now, known.currency)
        of_customers = await _of_customers(db, shop, since, now, known.currency)
    return [*of_sums("all", "all", GroupTotals(**of_checkouts, **of_customers))], known.currency


async def _is_anything(db: AsyncSession, shop: str, since: datetime, now: datetime) -> bool:
    events = _EVENTS.c
    carted = events.name == CARTED, events.client_id.is_not(None)
    written = events.shop == shop, events.recorded_at >= since, events.recorded_at <= now
    decided = select(_DECISIONS.c.decision_id).where(*_within(shop, since, now))
    query = select(or_(decided.exists(), select(events.event_id).where(*written, *carted).exists()))
    return bool((await (await db.connection()).execute(query)).scalar())


async def _of_checkouts(
    db: AsyncSession, shop: str, since: datetime, now: datetime, currency: str
) -> dict[str, int]:
    columns = _DECISIONS.c
    on_the_way = func.max(case((columns.surface.in_(sorted(AFTER_THE_ORDER)), 0), else_=1))
    met = (
        select(columns.checkout_token, on_the_way.label("on_the_way"))
        .where(*_within(shop, since, now), columns.checkout_token != "")
        .group_by(columns.checkout_token)
        .cte("met")
    )
    theirs = and_(_ORDERS.c.checkout_token == met.c.checkout_token, *_stands(shop, currency))
    before = case((met.c.on_the_way == 1, met.c.checkout_token))
    query = select(
        func.count(distinct(before)),
        func.count(distinct(case((_ORDERS.c.order_id.is_not(None), before)))),
        func.count(case((HAS_GOODS, _ORDERS.c.order_id))),
        func.coalesce(func.sum(_net()), 0),
    ).select_from(met.outerjoin(_ORDERS, theirs))
    (found,) = await (await db.connection()).execute(query)
    return dict(zip(("asked", "ordered", "orders", "orders_minor"), map(int, found), strict=True))


async def _of_customers(
    db: AsyncSession, shop: str, since: datetime, now: datetime, currency: str
) -> dict[str, int]:
    columns = _DECISIONS.c
    who = select(columns.customer_id).where(*_within(shop, since, now), columns.customer_id.is_not(None))
    met = who.distinct().cte("met")
    theirs = and_(_ORDERS.c.customer_id == met.c.customer_id, *_stands(shop, currency))
    of_them = and_(_SEGMENTS.c.shop == shop, _SEGMENTS.c.customer_id == met.c.customer_id)
    spent, ahead = func.coalesce(func.sum(_net()), 0), _SEGMENTS.c.spend_ahead_minor
    segmented = met.join(_SEGMENTS, of_them)
    query = select(
        select(func.count()).select_from(met).scalar_subquery(),
        select(spent).select_from(met.join(_ORDERS, theirs)).scalar_subquery(),
        select(func.count(ahead)).select_from(segmented).scalar_subquery(),
        select(func.coalesce(func.sum(ahead), 0)).select_from(segmented).scalar_subquery(),
    )
    (found,) = await (await db.connection()).execute(query)
    return dict(zip(("customers", "spent_minor", "forecasts", "ahead_minor"), map(int, found), strict=True))


def _within(shop: str, since: datetime, now: datetime) -> tuple[Any, ...]:
    columns = _DECISIONS.c
    return columns.shop == shop, columns.decided_at >= since, columns.decided_at <= now


def _stands(shop: str, currency: str) -> tuple[Any, ...]:
    return _ORDERS.c.shop == shop, _ORDERS.c.cancelled_at.is_(None), _ORDERS.c.currency == currency


def _net() -> Any:
    """Return what an order brought, less what was given back of its goods, never below nothing."""
    left = _ORDERS.c.subtotal_minor - goods_back()
    return case((left > 0, left), else_=0)
