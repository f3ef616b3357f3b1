"""Reads exposures, orders and refunds into columns, some thousand rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import polars as pl
from sqlalchemy import and_, case, exists, false, func, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog.cost_store import read_costs
from app.catalog.costs import Costs
from app.events.kinds import CHECKOUT_MET
from app.experiments.records import REFUNDS, Records, as_columns, exposures_in, guests_in, orders_in
from app.orders.placed import BY_SOMEBODY, HAS_GOODS
from app.orders.refunds import GOODS_BACK
from app.streamed import in_parts
from app.tables import DecisionRow, EventRow, FeedbackRow, OrderLineRow, OrderRow, RefundRow, ShopRow
from app.upsert import table_of

_AT_ONCE = 10_000  # rows as Python has them; what was read is columns
_DECISIONS, _FEEDBACK, _EVENTS = table_of(DecisionRow), table_of(FeedbackRow), table_of(EventRow)
_ORDERS, _LINES, _REFUNDS = table_of(OrderRow), table_of(OrderLineRow), table_of(RefundRow)
_TELL_THE_BROWSER = ("checkout_started", "checkout_completed", CHECKOUT_MET)
_BOUGHT: dict[str, Any] = {
    "order_id": pl.Int64, "line_id": pl.Int64, "product_id": pl.Int64, "variant_id": pl.Int64,
    "quantity": pl.Int64,
}  # fmt: skip
_BACK: dict[str, Any] = {**REFUNDS, "line_id": pl.Int64, "quantity": pl.Int64}


@dataclass(frozen=True, slots=True)
class DecisionQuery:
    """The decisions of one version of an experiment, made since then and before `until`, where it is set."""

    shop: str
    experiment_id: str
    version: str
    since: datetime
    until: datetime | None = None

    @property
    def conditions(self) -> tuple[Any, ...]:
        """Return what holds of them, for a query."""
        columns = _DECISIONS.c
        told = columns.inputs[("experiments", self.experiment_id, 0)].as_string()
        ended = () if self.until is None else (columns.decided_at < self.until,)
        return columns.shop == self.shop, columns.decided_at >= self.since, *ended, told == self.version

    @property
    def arm(self) -> Any:
        """Return the arm that a decision put its unit into."""
        return _DECISIONS.c.inputs[("experiments", self.experiment_id, 1)].as_string()


async def read_records(
    connection: AsyncConnection, known: ShopRow, which: DecisionQuery, before: timedelta, now: datetime
) -> Records:
    """Return the exposures of those who may be remembered, and the orders that may be theirs.

    known: the shop. before: how far back of the earliest exposure orders matter.
    """
    exposures = await _read(connection, _exposures(which), exposures_in)
    earliest = exposures["at"].min()
    began = earliest if isinstance(earliest, datetime) else now
    since = began - before
    placed = and_(_ORDERS.c.shop == known.shop, _ORDERS.c.created_at >= since, BY_SOMEBODY)
    orders = await _read(connection, _placed(placed, known.currency), orders_in)
    told = _REFUNDS.c.created_at, GOODS_BACK, null().label("cost"), _REFUNDS.c.line_id, _REFUNDS.c.quantity
    refunds = await _read(connection, _of_orders(_REFUNDS, placed, *told), partial(as_columns, columns=_BACK))
    costs = await read_costs(connection, known.shop)
    if costs:
        bought = (_LINES.c[name] for name in _BOUGHT if name != "order_id")
        lines = await _read(
            connection, _of_orders(_LINES, placed, *bought), partial(as_columns, columns=_BOUGHT)
        )
        lines = _with_unit_costs(lines, costs)
        orders, refunds = _with_costs(orders, lines), _with_costs_back(refunds, lines)
    browsers = guests(known.shop, _EVENTS.c.recorded_at >= began, _EVENTS.c.checkout_token.is_not(None))
    theirs = await _read(connection, browsers, partial(guests_in, shop=known.shop))
    return Records(exposures, orders, refunds.select(*REFUNDS), theirs)


async def nameless(connection: AsyncConnection, which: DecisionQuery) -> dict[str, int]:
    """Return by arm how many decisions are nobody's: their visitors did not allow to be remembered."""
    of_nobody = select(which.arm.label("arm")).where(*which.conditions, _unit().is_(None)).subquery()
    query = select(of_nobody.c.arm, func.count()).group_by(of_nobody.c.arm).order_by(of_nobody.c.arm)
    return {str(arm): int(many) for arm, many in await connection.execute(query)}


def _exposures(which: DecisionQuery) -> Any:
    columns = _DECISIONS.c
    accepted = exists().where(
        _FEEDBACK.c.shop == columns.shop,
        _FEEDBACK.c.decision_id == columns.decision_id,
        _FEEDBACK.c.kind == "accepted",
    )
    return select(
        columns.decision_id, columns.decided_at, which.arm, _unit().label("unit"), columns.surface,
        columns.customer_id, columns.checkout_token, accepted,
        func.coalesce(columns.inputs["unserved"].as_boolean(), false()),
    ).where(*which.conditions, _unit().is_not(None))  # fmt: skip


def guests(shop: str, *told: Any) -> Any:
    """Return the query of checkouts and their browsers, by what is told in every arm alike: not by an offer.

    told: what else holds of the events that tell it, and of which checkouts they are.
    """
    columns = _EVENTS.c
    return (
        select(columns.checkout_token, func.min(columns.client_id))
        .where(columns.shop == shop, *told, columns.name.in_(_TELL_THE_BROWSER))
        .where(columns.client_id.is_not(None))
        .group_by(columns.checkout_token)
    )


def _unit() -> Any:
    return _DECISIONS.c.inputs["unit"].as_string()


def _placed(placed: Any, currency: str) -> Any:
    columns = _ORDERS.c
    return select(
        columns.order_id, columns.created_at, case((HAS_GOODS, columns.subtotal_minor)), columns.customer_id,
        columns.checkout_token, columns.cancelled_at, null().label("cost"), columns.currency != currency,
    ).where(placed)  # fmt: skip


def _of_orders(of: Any, placed: Any, *wanted: Any) -> Any:
    theirs = and_(_ORDERS.c.shop == of.c.shop, _ORDERS.c.order_id == of.c.order_id)
    return select(of.c.order_id, *wanted).join(_ORDERS, theirs).where(placed)


def _with_unit_costs(lines: pl.DataFrame, costs: Costs) -> pl.DataFrame:
    """Return the lines with what a unit costs, None where that is not known."""
    by_product, by_variant = (
        pl.col(name).replace_strict(dict(told), default=None, return_dtype=pl.Int64)
        for name, told in (("product_id", costs.by_product), ("variant_id", costs.by_variant))
    )
    return lines.with_columns(unit_minor=pl.coalesce(by_product, by_variant))


def _with_costs(orders: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return the orders with what their goods cost, None where that is not known of all of them."""
    of_orders = (
        lines.select("order_id", cost=pl.col("unit_minor") * pl.col("quantity"))
        .group_by("order_id")
        .agg(cost_minor=pl.when(pl.col("cost").is_null().any()).then(None).otherwise(pl.col("cost").sum()))
    )
    return orders.drop("cost_minor").join(of_orders, on="order_id", how="left").select(orders.columns)


def _with_costs_back(refunds: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return the refunds with what the units that came back had cost, None where that is not known."""
    units = refunds.join(lines.select("line_id", "unit_minor"), on="line_id", how="left")
    return units.with_columns(cost_minor=pl.col("unit_minor") * pl.col("quantity"))


async def _read(
    connection: AsyncConnection, query: Any, columns_in: Callable[[Iterable[tuple[Any, ...]]], pl.DataFrame]
) -> pl.DataFrame:
    """Return the rows as columns; no more of them than a part are rows at a time."""
    parts = [columns_in(map(tuple, part)) async for part in in_parts(connection, query, _AT_ONCE)]
    return pl.concat([columns_in(()), *parts], rechunk=True)
