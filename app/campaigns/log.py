"""The log of decisions with campaigns and the orders after them, read for learning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.campaigns.outcomes import CampaignDecision, Ordered, campaigns_from_columns, read_logged_campaigns
from app.catalog.cost_store import read_costs
from app.connections import Connections
from app.events.surfaces import AFTER_THE_ORDER
from app.experiments.assign import PERSONALISED
from app.intent.store import who_may_not_teach
from app.orders.refunds import goods_back
from app.streamed import in_parts
from app.tables import DecisionRow, OrderLineRow, OrderRow
from app.upsert import chunks, table_of

LOOKED_BACK = timedelta(days=90)
MOST_DECISIONS = 100_000
_DECISIONS, _ORDERS = table_of(DecisionRow), table_of(OrderRow)
_LINES = table_of(OrderLineRow)


async def decided(
    connections: Connections,
    shop: str,
    now: datetime,
    looked_back: timedelta = LOOKED_BACK,
    *,
    of_some: bool = False,
) -> tuple[list[CampaignDecision], dict[str, list[Ordered]]]:
    """Return the latest decisions that weighed campaigns, and the orders of their checkouts.

    of_some: where they are too many, all of some shoppers in place of the latest of everybody, in which
    nobody knows who had met a campaign before. With what these met in the storefront: nobody knows what came
    of that, but in the checkout it was not their first meeting.

    Without those of customers who may not be learnt from, and of checkouts that may not be remembered:
    nobody knows what came of them.
    """
    async with connections.read() as db:
        which = _made(shop, now - looked_back)
        some = await _of_some(db, which) if of_some else ()
        found = await _decisions(db, (*which, *some))
        if of_some:
            found += await _in_the_storefront(db, shop, now - looked_back, some)
    refuse = await who_may_not_teach(connections, shop, {customer_id for customer_id, _ in found})
    decisions = [each for customer_id, each in found if customer_id not in refuse]
    async with connections.read() as db:
        margin = await _margin(db, shop)
        orders = await _orders(db, shop, {each.who for each in decisions}, margin)
    return decisions, orders


def _made(shop: str, since: datetime) -> tuple[Any, ...]:
    columns = _DECISIONS.c
    known = columns.arm == PERSONALISED, columns.checkout_token.is_not(None)
    return columns.shop == shop, columns.decided_at > since, *known


async def _of_some(db: AsyncSession, which: Sequence[Any]) -> tuple[Any, ...]:
    """Return a condition that samples shoppers so that about MOST_DECISIONS are read; none when all fit."""
    many = await (await db.connection()).scalar(select(func.count()).select_from(_DECISIONS).where(*which))
    if not many or many <= MOST_DECISIONS:
        return ()
    # A unit is told as a hash in 16 hexadecimal digits (`pseudonym`), of which the first tell its arm.
    last = func.substr(_DECISIONS.c.inputs["unit"].as_string(), 9)
    return (last < f"{int(2**32 * 0.9 * MOST_DECISIONS / many):08x}",)


async def _decisions(db: AsyncSession, which: Sequence[Any]) -> list[tuple[int | None, CampaignDecision]]:
    """Return the decisions, each with its customer, where that is known."""
    columns = _DECISIONS.c
    query = (
        select(columns.decision_id, columns.decided_at, columns.checkout_token, columns.inputs)
        .add_columns(columns.customer_id, columns.surface)
        .where(*which)
        .order_by(columns.decided_at.desc(), columns.decision_id)
        .limit(MOST_DECISIONS)
    )
    found: list[tuple[int | None, CampaignDecision]] = []
    async for part in in_parts(await db.connection(), query):
        for decision_id, at, token, inputs, customer_id, surface in part:
            if told := read_logged_campaigns(inputs):
                after = surface in AFTER_THE_ORDER
                found.append((customer_id, CampaignDecision(decision_id, at.timestamp(), token, told, after)))
    return found


async def _in_the_storefront(
    db: AsyncSession, shop: str, since: datetime, some: Sequence[Any]
) -> list[tuple[int | None, CampaignDecision]]:
    """Return what decisions outside of checkouts say of campaigns, for shoppers who may be remembered."""
    columns, told = _DECISIONS.c, ("situation", "campaigns")
    unit = columns.inputs["unit"].as_string()
    query = (
        select(columns.decision_id, columns.decided_at, columns.customer_id, unit.label("unit"))
        .add_columns(columns.inputs[(*told, "chosen")].label("chosen"))
        .add_columns(columns.inputs[(*told, "left_out")].label("left_out"))
        .where(columns.shop == shop, columns.decided_at > since, columns.arm == PERSONALISED)
        .where(columns.checkout_token.is_(None), unit.is_not(None), *some)
        .order_by(columns.decided_at.desc(), columns.decision_id)
        .limit(MOST_DECISIONS)
    )
    found: list[tuple[int | None, CampaignDecision]] = []
    async for part in in_parts(await db.connection(), query):
        for row in part:
            met = campaigns_from_columns(row.chosen, row.left_out, row.unit)
            if met.chosen or met.left_out:
                at = row.decided_at.timestamp()
                one = CampaignDecision(row.decision_id, at, row.unit, met, untold=True)
                found.append((row.customer_id, one))
    return found


async def _orders(
    db: AsyncSession, shop: str, tokens: Collection[str], margin: float | None
) -> dict[str, list[Ordered]]:
    orders: dict[str, list[Ordered]] = defaultdict(list)
    columns = (_ORDERS.c.checkout_token, _ORDERS.c.created_at, _ORDERS.c.subtotal_minor)
    for part in chunks(sorted(tokens)):
        query = (
            select(*columns, _full_price(), _ORDERS.c.discount_minor, goods_back())
            .where(_ORDERS.c.shop == shop, _ORDERS.c.checkout_token.in_(part))
            .where(_ORDERS.c.cancelled_at.is_(None))
            .order_by(_ORDERS.c.created_at)
        )
        for token, at, paid, full, discount, back in await (await db.connection()).execute(query):
            whole = paid if margin is None else round(int(full) * margin) - discount
            left = round(whole * _kept(paid, int(back)))
            orders[token].append(Ordered(at.timestamp(), left))
    return orders


def _full_price() -> Any:
    """Return what an order's goods cost before discounts; its discounts may be of shipping as well."""
    full = func.sum(_LINES.c.quantity * _LINES.c.price_minor)
    theirs = (_LINES.c.shop == _ORDERS.c.shop) & (_LINES.c.order_id == _ORDERS.c.order_id)
    lines = select(full).where(theirs).correlate(_ORDERS).scalar_subquery()
    return func.coalesce(lines, _ORDERS.c.subtotal_minor + _ORDERS.c.discount_minor)


async def _margin(db: AsyncSession, shop: str) -> float | None:
    """Return the share of their full prices that goods sold leave, None where no cost is known."""
    connection = await db.connection()
    costs = await read_costs(connection, shop)
    if not costs:
        return None
    which = _LINES.c.product_id, _LINES.c.variant_id
    units, minor = func.sum(_LINES.c.quantity), func.sum(_LINES.c.quantity * _LINES.c.price_minor)
    lines = select(*which, units, minor).where(_LINES.c.shop == shop, which[0].is_not(None)).group_by(*which)
    paid = cost = 0
    for product_id, variant_id, sold, full in await connection.execute(lines):
        if (unit := costs.of(product_id, variant_id)) is not None:
            paid, cost = paid + int(full), cost + int(sold) * unit
    return (paid - cost) / paid if paid else None


def _kept(paid_minor: int, back_minor: int) -> float:
    """Return the share of what was paid for an order's goods that was not given back."""
    return 1 - min(max(back_minor / paid_minor, 0), 1) if paid_minor > 0 else 1
