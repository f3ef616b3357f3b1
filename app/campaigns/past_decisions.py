"""Past decisions with what came of them, to try a campaign on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.campaigns.choice import WINDOW_S
from app.campaigns.dry_run import PastDecision
from app.connections import Connections
from app.consent.standing import Use
from app.consent.standings import who_refuse
from app.experiments.assign import PERSONALISED
from app.orders.placed import BY_SOMEBODY
from app.tables import DecisionRow, OrderRow
from app.upsert import chunks, table_of

MOST = 20_000
_DECISIONS, _ORDERS = table_of(DecisionRow), table_of(OrderRow)
_Moments = Mapping[Any, list[datetime]]


async def past_decisions(connections: Connections, shop: str, last: int) -> list[PastDecision]:
    """Return the last decisions that could have shown a campaign, the latest first.

    Without those of customers who may not be learnt from.
    """
    refuse = await who_refuse(connections, shop, Use.TRAIN)
    async with connections.read() as db:
        rows = [row for row in await _rows(db, shop, min(last, MOST)) if row.customer_id not in refuse]
        by_token = await _orders(db, shop, "checkout_token", {row.checkout_token for row in rows})
        by_customer = await _orders(db, shop, "customer_id", {row.customer_id for row in rows})
    return [_past(row, by_token, by_customer) for row in rows if row.inputs.get("situation")]


def past_of(row: Any, bought: bool | None) -> PastDecision:
    """Return the decision of a row. bought: whether its shopper then ordered, None unknown. Pure."""
    return PastDecision(
        decision_id=row.decision_id,
        at=row.decided_at,
        surface=row.surface,
        checkout_token=row.checkout_token,
        customer_id=row.customer_id,
        permitted=tuple(row.permitted),
        situation=row.inputs["situation"],
        bought=bought,
        unit=row.inputs.get("unit"),
    )


async def _rows(db: AsyncSession, shop: str, last: int) -> list[Any]:
    columns = _DECISIONS.c
    query = (
        select(columns.decision_id, columns.decided_at, columns.surface, columns.checkout_token)
        .add_columns(columns.customer_id, columns.permitted, columns.inputs)
        .where(columns.shop == shop, columns.arm == PERSONALISED)
        .order_by(columns.decided_at.desc(), columns.decision_id)
        .limit(last)
    )
    return list(await (await db.connection()).execute(query))


async def _orders(db: AsyncSession, shop: str, by: str, names: Iterable[Any]) -> _Moments:
    """Return when orders that stand were placed, by the checkout or the customer."""
    column, found = _ORDERS.c[by], dict[Any, list[datetime]]()
    for part in chunks(sorted(each for each in names if each is not None)):
        query = select(column, _ORDERS.c.created_at).where(
            _ORDERS.c.shop == shop, column.in_(part), _ORDERS.c.cancelled_at.is_(None), BY_SOMEBODY
        )
        for name, at in await (await db.connection()).execute(query):
            found.setdefault(name, []).append(at)
    return found


def _past(row: Any, by_token: _Moments, by_customer: _Moments) -> PastDecision:
    known = row.checkout_token is not None or row.customer_id is not None
    until = row.decided_at + timedelta(seconds=WINDOW_S)
    orders = [*by_token.get(row.checkout_token, ()), *by_customer.get(row.customer_id, ())]
    return past_of(row, _any_within(orders, row.decided_at, until) if known else None)


def _any_within(moments: Collection[datetime], begin: datetime, end: datetime) -> bool:
    return any(begin <= each <= end for each in moments)
