"""What was refunded of orders, as SQL. Shopify reports what an order edit removes as a refund too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Subquery, Table, case, func, select, true

from app.tables import OF_NO_LINE, OrderLineRow, OrderRow, RefundRow
from app.upsert import table_of

_LINES, _REFUNDS, _ORDERS = table_of(OrderLineRow), table_of(RefundRow), table_of(OrderRow)

# Of a refund, what was for goods: neither shipping, tips nor tax.
OF_GOODS = _REFUNDS.c.line_id >= OF_NO_LINE
GOODS_BACK: Any = case((OF_GOODS, _REFUNDS.c.amount_minor), else_=0)


def goods_back() -> Any:
    """Return what was given back of an order's goods, never below 0: asked of each order in a query of these.

    Summed up beside them, all of the shop's would be, however few orders are asked for.
    """
    theirs = (_REFUNDS.c.shop == _ORDERS.c.shop) & (_REFUNDS.c.order_id == _ORDERS.c.order_id)
    whole = func.sum(_REFUNDS.c.amount_minor)
    back = select(case((whole > 0, whole), else_=0)).where(theirs, OF_GOODS).correlate(_ORDERS)
    return back.scalar_subquery()


def lines_kept(shop: str, order_ids: Sequence[int] | None = None) -> Subquery:
    """Return the lines of which a unit or more was kept: of all the shop's orders, or of these."""
    back = (
        select(_REFUNDS.c.line_id, func.sum(_REFUNDS.c.quantity).label("units"))
        .where(_of(_REFUNDS, shop, order_ids), OF_GOODS)
        .group_by(_REFUNDS.c.line_id)
        .subquery()
    )
    kept = _LINES.c.quantity > func.coalesce(back.c.units, 0)
    lines = select(_LINES).join(back, back.c.line_id == _LINES.c.line_id, isouter=True)
    return lines.where(_of(_LINES, shop, order_ids), kept).subquery()


def _of(table: Table, shop: str, order_ids: Sequence[int] | None) -> ColumnElement[bool]:
    theirs = true() if order_ids is None else table.c.order_id.in_(order_ids)
    return (table.c.shop == shop) & theirs
