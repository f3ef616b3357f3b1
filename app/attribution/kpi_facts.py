"""Reads what a period's figures are worked out from, as the database has it now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import and_, case, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.attribution.kpis import Customer, KpiDecision, KpiInputs
from app.connections import Connections
from app.errors import NotFound
from app.events.surfaces import AFTER_THE_ORDER
from app.experiments.assign import STANDING, pseudonym
from app.orders.placed import HAS_GOODS
from app.orders.refunds import goods_back
from app.profiles.signals import COMPLETED
from app.segment_tables import CustomerSegmentRow
from app.tables import DecisionRow, EventRow, FeedbackRow, OrderRow, ShopRow
from app.upsert import chunks, table_of
from app.values import zone_of

_DECISIONS, _FEEDBACK, _EVENTS = table_of(DecisionRow), table_of(FeedbackRow), table_of(EventRow)
_ORDERS, _SEGMENTS = table_of(OrderRow), table_of(CustomerSegmentRow)
CARTED, _BOUGHT = "product_added_to_cart", COMPLETED
_AT_ONCE = 1_000  # rows in memory with their whole answers


async def read_facts(
    connections: Connections, shop: str, since: datetime, now: datetime
) -> tuple[KpiInputs, str]:
    """Return the facts of decisions since then, and the shop's currency. Raises NotFound."""
    async with connections.read() as db:
        known = await db.get(ShopRow, shop)
        if known is None:
            raise NotFound(f"{shop} was never installed")
        zone = zone_of(known.time_zone)
        carts, bought = await _carts(db, shop, since, now, zone)
        browsers = await _browsers(db, shop, since, now, frozenset[str]().union(*carts.values()))
        decisions = await _decisions(db, shop, since, now, browsers, zone)
        tokens = {each.checkout for each in decisions if each.checkout}
        ids = {each.customer_id for each in decisions if each.customer_id is not None}
        orders = await _orders(db, shop, known.currency, _ORDERS.c.checkout_token, tokens)
        spent = await _orders(db, shop, known.currency, _ORDERS.c.customer_id, ids)
        ahead = await _ahead(db, shop, ids)
    customers = {each: Customer(sum(filter(None, spent.get(each, ()))), ahead.get(each)) for each in ids}
    return KpiInputs(decisions, orders, customers, carts, bought), known.currency


@dataclass(frozen=True, slots=True)
class _Browsers:
    """Browsers with a cart, by what a decision names of them: the unit it logged, or its checkout."""

    by_unit: Mapping[str, str]
    by_checkout: Mapping[str, str]

    def of(self, unit: str | None, checkout: str | None) -> str | None:
        """Return the decision's browser, None where it is not known or had no cart."""
        return self.by_unit.get(unit or "") or self.by_checkout.get(checkout or "")


async def _browsers(
    db: AsyncSession, shop: str, since: datetime, now: datetime, carts: frozenset[str]
) -> _Browsers:
    columns = _EVENTS.c
    query = (
        select(columns.client_id, columns.checkout_token)
        .where(columns.shop == shop, columns.recorded_at >= since, columns.recorded_at <= now)
        .where(columns.client_id.is_not(None), columns.checkout_token.is_not(None))
        .distinct()
    )
    pairs = await (await db.connection()).execute(query)
    return _Browsers(
        by_unit={pseudonym(shop, f"client:{each}"): each for each in carts},
        by_checkout={token: client_id for client_id, token in pairs if client_id in carts},
    )


async def _decisions(
    db: AsyncSession, shop: str, since: datetime, now: datetime, browsers: _Browsers, zone: tzinfo
) -> list[KpiDecision]:
    columns = _DECISIONS.c
    within = columns.shop == shop, columns.decided_at >= since, columns.decided_at <= now
    said = (
        select(_FEEDBACK.c.decision_id, _FEEDBACK.c.kind)
        .join(
            _DECISIONS, and_(columns.shop == _FEEDBACK.c.shop, columns.decision_id == _FEEDBACK.c.decision_id)
        )
        .where(_FEEDBACK.c.kind.in_(("accepted", "dismissed")), *within)
    )
    connection = await db.connection()
    heard = {(decision_id, kind) for decision_id, kind in await connection.execute(said)}
    query = select(
        columns.decision_id, columns.decided_at, columns.arm, columns.surface, columns.checkout_token,
        columns.customer_id, columns.region, columns.answer, columns.inputs["unit"].as_string().label("unit"),
        columns.inputs["experiments"].label("experiments"),
        columns.inputs["trigger"].as_string().label("trigger"),
    ).where(*within)  # fmt: skip
    rows = await connection.stream(query.execution_options(yield_per=_AT_ONCE))
    return [_decided(row, heard, browsers, zone) async for row in rows]


def _decided(row: Any, heard: Set[tuple[str, str]], browsers: _Browsers, zone: tzinfo) -> KpiDecision:
    offers = row.answer.get("offers") or ()
    places = (row.experiments or {}).items()
    return KpiDecision(
        checkout=row.checkout_token,
        customer_id=row.customer_id,
        day=_day(row.decided_at, zone),
        arm=row.arm,
        segment=row.answer.get("segment"),
        market=row.region,
        kinds=frozenset(each["kind"] for each in offers),
        campaigns=frozenset(each["campaign"] for each in offers if each.get("campaign")),
        accepted=(row.decision_id, "accepted") in heard,
        dismissed=(row.decision_id, "dismissed") in heard,
        experiments=frozenset(f"{name}/{place[0]}/{place[1]}" for name, place in places if name != STANDING),
        trigger=row.trigger or row.surface,
        browser=browsers.of(row.unit, row.checkout_token),
        on_the_way=row.surface not in AFTER_THE_ORDER,
    )


async def _orders(
    db: AsyncSession, shop: str, currency: str, by: Any, names: Collection[Any]
) -> dict[Any, list[int | None]]:
    """Return what each order that stands brought, see `KpiInputs`, by checkout or customer."""
    found: dict[Any, list[int | None]] = defaultdict(list)
    for part in chunks(sorted(names)):
        query = (
            select(by, case((HAS_GOODS, _ORDERS.c.subtotal_minor)), goods_back())
            .where(_ORDERS.c.shop == shop, by.in_(part), _ORDERS.c.cancelled_at.is_(None))
            .where(_ORDERS.c.currency == currency)
        )
        for name, minor, given_back in await (await db.connection()).execute(query):
            found[name].append(None if minor is None else max(0, minor - int(given_back)))
    return found


async def _ahead(db: AsyncSession, shop: str, ids: Collection[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in chunks(sorted(ids)):
        query = select(_SEGMENTS.c.customer_id, _SEGMENTS.c.spend_ahead_minor).where(
            _SEGMENTS.c.shop == shop,
            _SEGMENTS.c.customer_id.in_(part),
            _SEGMENTS.c.spend_ahead_minor.is_not(None),
        )
        for customer_id, minor in await (await db.connection()).execute(query):
            found[customer_id] = minor
    return found


async def _carts(
    db: AsyncSession, shop: str, since: datetime, now: datetime, zone: tzinfo
) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """Return the browsers that filled a cart, by day, and those that completed a checkout.

    By when it was written down: a browser's own clock decides nothing.
    """
    carts: dict[str, set[str]] = defaultdict(set)
    bought: set[str] = set()
    columns = _EVENTS.c
    query = select(columns.name, columns.client_id, columns.recorded_at).where(
        columns.shop == shop, columns.name.in_((CARTED, _BOUGHT)), columns.client_id.is_not(None),
        columns.recorded_at >= since, columns.recorded_at <= now,
    )  # fmt: skip
    for name, client_id, at in await (await db.connection()).execute(query):
        if name == _BOUGHT:
            bought.add(client_id)
        else:
            carts[_day(at, zone)].add(client_id)
    return {day: frozenset(each) for day, each in carts.items()}, frozenset(bought)


def _day(at: datetime, zone: tzinfo) -> str:
    """Return the day that it was in the shop."""
    return at.astimezone(zone).date().isoformat()
