"""Reads what was sold and which offers came before it, as the database has it now.

Nothing is added up as it comes in: a late refund, a cancellation or an event told twice leads to the same
report as one that came in time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.attribution.models import Model
from app.attribution.report import Incremental, Report, Sold, incremental_of, report_of
from app.attribution.touches import WINDOW_DAYS, SoldLine, Touch
from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiments.assign import HOLDOUT, PERSONALISED, STANDING
from app.experiments.refusal import Cause, Refusal
from app.experiments.store import read_out
from app.tables import DecisionRow, OrderLineRow, OrderRow, RefundRow, ShopRow
from app.upsert import chunks, table_of
from app.values import ShopDomain

_ORDERS, _LINES = table_of(OrderRow), table_of(OrderLineRow)
_REFUNDS, _DECISIONS = table_of(RefundRow), table_of(DecisionRow)


async def attribution(
    connections: Connections,
    shop: ShopDomain,
    model: Model,
    since: datetime,
    now: datetime,
    window_days: float = WINDOW_DAYS,
) -> Report:
    """Return what offers are credited with in orders since then, beside what they caused.

    Raises NotFound for a shop that was never installed, InputError for a window that is none.
    """
    if not 0 < window_days <= 90:
        raise InputError("a window is more than 0 and at most 90 days", "window")
    sold = await read_sold(connections, shop, since, now, window_days)
    caused = await incremental(connections, shop, since, now)
    return report_of(sold, caused, model, window_days, since)


async def incremental(
    connections: Connections, shop: ShopDomain, since: datetime, now: datetime
) -> Incremental | Refusal:
    """Return what the standing experiment shows of who came first since then, or why it shows nothing."""
    try:
        found = await read_out(connections, shop, STANDING, now, begin=since)
    except (NotFound, InputError) as error:
        return Refusal(Cause.NOBODY, str(error))
    if PERSONALISED not in found.design.shares:
        return Refusal(Cause.EMPTY_ARM, "nobody is served personally, so there is nothing to compare")
    return incremental_of(found)


async def read_sold(
    connections: Connections, shop: str, since: datetime, now: datetime, window_days: float
) -> Sold:
    """Return the lines of orders that stand, placed since then, and the offers that may have led to them."""
    async with connections.read() as db:
        known = await db.get(ShopRow, shop)
        if known is None:
            raise NotFound(f"{shop} was never installed")
        orders = {row.order_id: row for row in await _orders(db, shop, since, now)}
        ours = {number: row for number, row in orders.items() if row.currency == known.currency}
        lines = await _lines(db, shop, ours)
        touches = await _touches(db, shop, since - timedelta(days=window_days), now)
        linked = {line.decision_id for line in lines if line.decision_id}
        touches |= await _linked(db, shop, linked - touches.keys())
    made = tuple(touch for each in touches.values() for touch in each)
    return Sold(known.currency, tuple(lines), made, len(orders) - len(ours))


async def _orders(db: AsyncSession, shop: str, since: datetime, now: datetime) -> Iterable[Any]:
    columns = _ORDERS.c
    query = select(
        columns.order_id, columns.created_at, columns.currency, columns.customer_id, columns.checkout_token,
        columns.discount_codes,
    ).where(
        columns.shop == shop, columns.created_at >= since, columns.created_at <= now,
        columns.cancelled_at.is_(None),
    )  # fmt: skip
    return await (await db.connection()).execute(query)


async def _lines(db: AsyncSession, shop: str, orders: Mapping[int, Any]) -> list[SoldLine]:
    of_order: dict[int, list[Any]] = defaultdict(list)
    for row in await _of_orders(db, _LINES, shop, orders):
        of_order[row.order_id].append(row)
    back: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in await _of_orders(db, _REFUNDS, shop, orders):
        back[row.order_id][row.line_id] += row.amount_minor
    return [
        line
        for order_id, rows in of_order.items()
        for line in sold_lines(orders[order_id], rows, back[order_id])
    ]


def sold_lines(order: Any, rows: Iterable[Any], back: Mapping[int, int]) -> Iterator[SoldLine]:
    """Yield an order's lines with what stayed of each. back: what was given back, by line; 0 is of none.

    What is of no particular line goes off all of them, in proportion to what stayed.
    """
    stayed = {row.line_id: (row, _stayed(row, back.get(row.line_id, 0))) for row in rows}
    total, of_none = sum(minor for _, minor in stayed.values()), back.get(0, 0)
    people = _people(order.customer_id, order.checkout_token)
    codes = frozenset(str(each.get("code", "")).upper() for each in order.discount_codes or ())
    for row, minor in stayed.values():
        off = min(minor, round(of_none * minor / total)) if total else 0
        yield SoldLine(
            order.order_id, row.line_id, order.created_at, people, minor - off, row.product_id, codes,
            row.decision_id, row.offer_id,
        )  # fmt: skip


def _stayed(row: Any, back_minor: int) -> int:
    charged: int = row.quantity * row.price_minor - row.discount_minor
    return max(0, charged - back_minor)


async def _of_orders(db: AsyncSession, table: Any, shop: str, orders: Iterable[int]) -> list[Any]:
    found: list[Any] = []
    for part in chunks(sorted(orders)):
        query = select(table).where(table.c.shop == shop, table.c.order_id.in_(part))
        found += await (await db.connection()).execute(query)
    return found


async def _touches(db: AsyncSession, shop: str, since: datetime, now: datetime) -> dict[str, list[Touch]]:
    """Return the offers made to whoever ordered, by decision."""
    placed = _ORDERS.c.shop == shop, _ORDERS.c.created_at >= since, _ORDERS.c.created_at <= now
    ordered = or_(
        _DECISIONS.c.checkout_token.in_(select(_ORDERS.c.checkout_token).where(*placed)),
        _DECISIONS.c.customer_id.in_(select(_ORDERS.c.customer_id).where(*placed)),
    )
    within = _DECISIONS.c.decided_at >= since, _DECISIONS.c.decided_at <= now
    return await _made(db, shop, *within, ordered)


async def _linked(db: AsyncSession, shop: str, decision_ids: Iterable[str]) -> dict[str, list[Touch]]:
    """Return the offers of decisions that lines say they were added from, however old."""
    found: dict[str, list[Touch]] = {}
    for part in chunks(sorted(decision_ids)):
        found |= await _made(db, shop, _DECISIONS.c.decision_id.in_(part))
    return found


async def _made(db: AsyncSession, shop: str, *which: Any) -> dict[str, list[Touch]]:
    columns = _DECISIONS.c
    query = select(
        columns.decision_id, columns.decided_at, columns.customer_id, columns.checkout_token,
        columns.surface, columns.answer,
    ).where(columns.shop == shop, columns.arm != HOLDOUT, *which)  # fmt: skip
    rows = await (await db.connection()).execute(query)
    return {row.decision_id: list(touches_of(row)) for row in rows}


def touches_of(row: Any) -> Iterator[Touch]:
    """Yield the offers that a decision made."""
    people = _people(row.customer_id, row.checkout_token)
    for offer in row.answer.get("offers") or ():
        product, discount, why = offer.get("product"), offer.get("discount"), offer.get("why")
        yield Touch(
            decision_id=row.decision_id,
            offer_id=offer["offer_id"],
            at=row.decided_at,
            people=people,
            kind=offer["kind"],
            campaign=offer.get("campaign"),
            product_id=int(product["product_id"].rpartition("/")[2]) if product else None,
            code=discount.get("code") if discount else None,
            reason=why[0]["reason"] if why else None,
            surface=row.surface,
        )


def _people(customer_id: int | None, checkout_token: str | None) -> frozenset[str]:
    names = (customer_id and f"customer:{customer_id}", checkout_token and f"checkout:{checkout_token}")
    return frozenset(name for name in names if name)
