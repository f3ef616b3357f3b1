"""Reads what attribution needs. A decision counts only if it was logged, for this very shop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, distinct, func, select

from app.attribution.attribute import OfferCounts, OfferedLine, Revenue, revenue_of, stayed_of
from app.attribution.sold import charged_minor
from app.connections import Connections
from app.orders.placed import BY_SOMEBODY
from app.tables import OF_NO_LINE, DecisionRow, FeedbackRow, OrderLineRow, OrderRow, RefundRow, ShopRow
from app.upsert import chunks
from app.values import ShopDomain

_HOLDOUT = "holdout"

# Columns, not values: what the rows' annotations say holds for an instance only.
_line: Any = OrderLineRow
_order: Any = OrderRow
_refund: Any = RefundRow
_decision: Any = DecisionRow
_feedback: Any = FeedbackRow
_shop: Any = ShopRow


async def attributed_revenue(connections: Connections, shop: ShopDomain, since: datetime) -> Revenue:
    """Return what orders placed since then owe to offers of ours that were really made.

    Orders in another currency than the shop's are in no sum.
    """
    async with connections.read() as db:
        currency = await _currency(db, shop)
        rows = await _rows(db, _offered(shop, since, currency))
        off = await _off_all_lines(db, shop, {row.order_id for row in rows})
    lines = [
        OfferedLine(
            row.order_id, row.quantity, row.price_minor, row.discount_minor,
            off.get(row.line_id, int(row.back)),
        )
        for row in rows
    ]  # fmt: skip
    return revenue_of(lines, currency)


async def offer_counts(connections: Connections, shop: ShopDomain, since: datetime) -> OfferCounts:
    """Return how many decisions since then were made, shown, accepted and ordered."""
    async with connections.read() as db:
        shown, accepted = await _decisions_heard_of(db, shop, since)
        return OfferCounts(
            decisions=await _decisions(db, shop, since, _decision.arm != _HOLDOUT),
            held_out=await _decisions(db, shop, since, _decision.arm == _HOLDOUT),
            shown=shown,
            accepted=accepted,
            ordered=await _decisions_ordered(db, shop, since),
        )


def _offered(shop: str, since: datetime, currency: str) -> Any:
    """Return the query of the lines that a decision put there, with what was given back of each."""
    refunded = _refunded_by_line(shop)
    columns = _line.order_id, _line.line_id, _line.quantity, _line.price_minor, _line.discount_minor
    return (
        select(*columns, func.coalesce(refunded.c.minor, 0).label("back"))
        .join(_order, _order_of_line())
        .join(_decision, _decision_of(_line))
        .outerjoin(refunded, refunded.c.line_id == _line.line_id)
        .where(_line.shop == shop, _order.created_at >= since, _order.currency == currency, _stands())
    )


async def _off_all_lines(db: Any, shop: str, order_ids: Iterable[int]) -> dict[int, int]:
    """Return what was given back by line, of the orders that something was given back of as a whole."""
    off: dict[int, int] = {}
    for part in chunks(sorted(order_ids)):
        refunds = select(_refund.order_id, _refund.line_id, _refund.amount_minor).where(
            _refund.shop == shop, _refund.order_id.in_(part)
        )
        back: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for order_id, line_id, minor in await _rows(db, refunds):
            back[order_id][line_id] += minor
        whole = [order_id for order_id, of_lines in back.items() if of_lines.get(OF_NO_LINE)]
        columns = _line.order_id, _line.line_id, _line.quantity, _line.price_minor, _line.discount_minor
        of_order: dict[int, dict[int, int]] = defaultdict(dict)
        for row in await _rows(db, select(*columns).where(_line.shop == shop, _line.order_id.in_(whole))):
            of_order[row.order_id][row.line_id] = charged_minor(row)
        for order_id, charged in of_order.items():
            stayed = stayed_of(charged, back[order_id])
            off |= {line_id: minor - stayed[line_id] for line_id, minor in charged.items()}
    return off


async def _decisions(db: Any, shop: str, since: datetime, arm: ColumnElement[bool]) -> int:
    query = select(func.count()).where(
        _decision.shop == shop, _decision.decided_at >= since, arm
    )  # fmt: skip
    return int(await db.scalar(query))


async def _decisions_heard_of(db: Any, shop: str, since: datetime) -> tuple[int, int]:
    """Return how many were on a screen, and of how many an offer was accepted.

    Whatever a shopper did with an offer, they saw it.
    """
    each = (
        select(func.max(case((_feedback.kind == "accepted", 1), else_=0)).label("accepted"))
        .join(_decision, _decision_of(_feedback))
        .where(_feedback.shop == shop, _decision.decided_at >= since)
        .group_by(_feedback.decision_id)
        .subquery()
    )
    (counted,) = await _rows(
        db, select(func.count(each.c.accepted), func.coalesce(func.sum(each.c.accepted), 0))
    )
    shown, accepted = counted
    return int(shown), int(accepted)


async def _decisions_ordered(db: Any, shop: str, since: datetime) -> int:
    query = (
        select(func.count(distinct(_line.decision_id)))
        .join(_order, _order_of_line())
        .join(_decision, _decision_of(_line))
        .where(_line.shop == shop, _decision.decided_at >= since, _stands())
    )
    return int(await db.scalar(query))


async def _rows(db: Any, query: Any) -> Any:
    return (await db.exec(query)).all()


async def _currency(db: Any, shop: str) -> str:
    return await db.scalar(select(_shop.currency).where(_shop.shop == shop)) or "USD"


def _refunded_by_line(shop: str) -> Any:
    return (
        select(_refund.line_id, func.sum(_refund.amount_minor).label("minor"))
        .where(_refund.shop == shop)
        .group_by(_refund.line_id)
        .subquery()
    )


def _stands() -> ColumnElement[bool]:
    """The order was placed by somebody and not cancelled, and the decision showed something."""
    return and_(_order.cancelled_at.is_(None), BY_SOMEBODY, _decision.arm != _HOLDOUT)


def _order_of_line() -> ColumnElement[bool]:
    return and_(_order.shop == _line.shop, _order.order_id == _line.order_id)


def _decision_of(row: Any) -> ColumnElement[bool]:
    return and_(_decision.shop == row.shop, _decision.decision_id == row.decision_id)
