"""The log of decisions with campaigns and the orders after them, read for learning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.campaigns.outcomes import Decided, Ordered, read_told
from app.connections import Connections
from app.experiments.assign import PERSONALISED
from app.intent.store import who_may_not_teach
from app.tables import DecisionRow, OrderRow
from app.upsert import chunks, table_of

LOOKED_BACK = timedelta(days=90)
MOST_DECISIONS = 100_000
_DECISIONS, _ORDERS = table_of(DecisionRow), table_of(OrderRow)


async def decided(
    connections: Connections, shop: str, now: datetime, margin: float | None = None
) -> tuple[list[Decided], dict[str, list[Ordered]]]:
    """Return the latest decisions that weighed campaigns, and the orders of their checkouts.

    Without those of customers who may not be learnt from, and of checkouts that may not be remembered:
    nobody knows what came of them. margin: the usual share of a price that is left, None where no cost
    is known; then an order leaves what was paid for it.
    """
    async with connections.read() as db:
        found = await _decisions(db, shop, now - LOOKED_BACK)
    refuse = await who_may_not_teach(connections, shop, {customer_id for customer_id, _ in found})
    decisions = [each for customer_id, each in found if customer_id not in refuse]
    async with connections.read() as db:
        orders = await _orders(db, shop, {each.who for each in decisions}, margin)
    return decisions, orders


async def _decisions(db: AsyncSession, shop: str, since: datetime) -> list[tuple[int | None, Decided]]:
    """Return the decisions, each with its customer, where that is known."""
    columns = _DECISIONS.c
    query = (
        select(columns.decision_id, columns.decided_at, columns.checkout_token, columns.inputs)
        .add_columns(columns.customer_id)
        .where(columns.shop == shop, columns.decided_at > since, columns.arm == PERSONALISED)
        .where(columns.checkout_token.is_not(None))
        .order_by(columns.decided_at.desc(), columns.decision_id)
        .limit(MOST_DECISIONS)
    )
    found: list[tuple[int | None, Decided]] = []
    for decision_id, at, token, inputs, customer_id in await (await db.connection()).execute(query):
        if told := read_told(inputs):
            found.append((customer_id, Decided(decision_id, at.timestamp(), token, *told)))
    return found


async def _orders(
    db: AsyncSession, shop: str, tokens: Collection[str], margin: float | None
) -> dict[str, list[Ordered]]:
    orders: dict[str, list[Ordered]] = defaultdict(list)
    columns = (_ORDERS.c.checkout_token, _ORDERS.c.created_at, _ORDERS.c.subtotal_minor)
    for part in chunks(sorted(tokens)):
        query = (
            select(*columns, _ORDERS.c.discount_minor)
            .where(_ORDERS.c.shop == shop, _ORDERS.c.checkout_token.in_(part))
            .where(_ORDERS.c.cancelled_at.is_(None))
            .order_by(_ORDERS.c.created_at)
        )
        for token, at, paid, discount in await (await db.connection()).execute(query):
            orders[token].append(Ordered(at.timestamp(), _left(paid, discount, margin)))
    return orders


def _left(paid_minor: int, discount_minor: int, margin: float | None) -> int:
    """Return what an order left: the margin of its goods at their full price, less the discount."""
    if margin is None:
        return paid_minor
    return round((paid_minor + discount_minor) * margin) - discount_minor
