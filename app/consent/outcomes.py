"""Reads what became of decisions, added up in the database: for the audit and the consent overview."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, JSON, Text, case, cast, column, func, or_, select, type_coerce

from app.connections import Connections
from app.consent.audit import AuditCell
from app.consent.weeks import Allowed
from app.tables import DecisionRow, FeedbackRow, OrderLineRow
from app.upsert import table_of

_HOLDOUT = "holdout"
_D, _FEEDBACK, _LINES = table_of(DecisionRow), table_of(FeedbackRow), table_of(OrderLineRow)


async def served(
    connections: Connections, shop: str, since: datetime, until: datetime, newest: int | None = None
) -> list[AuditCell]:
    """Return what each segment of each region was offered and took, of decisions made in that time.

    newest: at most so many of them, the latest.
    Holdouts are left out: they are offered nothing on purpose and by lot. So are decisions whose
    answer was erased with its customer.
    """
    each = _each_decision(shop, since, until, newest, connections.engine.dialect.name)
    made, depth = case((each.c.offers > 0, 1), else_=0), func.coalesce(each.c.discount, 0.0)
    query = select(
        each.c.segment,
        each.c.region,
        func.count(),
        func.sum(made),
        func.sum(case((each.c.accepted, made), else_=0)),
        func.sum(made * depth),
        func.sum(made * depth * depth),
    ).group_by(each.c.segment, each.c.region)
    rows = await connections.rows(query)
    return [
        AuditCell(segment, region, decisions, int(offered), int(accepted), float(depth), float(squares))
        for segment, region, decisions, offered, accepted, depth, squares in rows
    ]


async def allowed(
    connections: Connections, shop: str, starts: Sequence[datetime], until: datetime
) -> list[Allowed]:
    """Return decisions by the week they were made in, their rung and the purposes allowed.

    starts: when each week began, oldest first; until: when the last one ends.
    """
    ends = [*starts[1:], until]
    week = case(*((_D.c.decided_at < end, number) for number, end in enumerate(ends)))
    permitted = cast(_D.c.permitted, Text)
    query = (
        select(week.label("week"), _D.c.rung, permitted.label("purposes"), func.count())
        .where(_D.c.shop == shop, _D.c.decided_at >= starts[0], _D.c.decided_at < until)
        .group_by("week", _D.c.rung, "purposes")
    )
    rows = await connections.rows(query)
    return [Allowed(number, rung, tuple(json.loads(names)), count) for number, rung, names, count in rows]


def _each_decision(shop: str, since: datetime, until: datetime, newest: int | None, dialect: str) -> CTE:
    offers = _number_of_offers(dialect)
    return (
        select(
            _D.c.answer["segment"].as_string().label("segment"),
            _D.c.region,
            offers.label("offers"),
            _deepest_discount(dialect).label("discount"),
            _accepted().label("accepted"),
        )
        .where(_D.c.shop == shop, _D.c.decided_at >= since, _D.c.decided_at < until)
        .where(_D.c.arm != _HOLDOUT, offers.is_not(None))
        .order_by(_D.c.decided_at.desc())
        .limit(newest)
        # Else an engine works out each column anew wherever the sums name it.
        .cte("each_decision")
        .prefix_with("MATERIALIZED")
    )


def _number_of_offers(dialect: str) -> Any:
    """Return how many offers a decision made, null where its answer was erased."""
    if dialect == "sqlite":  # which parses an answer once for all that is asked of it, but a part of it anew
        return func.json_array_length(_D.c.answer, "$.offers")
    return func.json_array_length(_D.c.answer["offers"])


def _deepest_discount(dialect: str) -> Any:
    """Return the largest percentage among a decision's offers, null when none has one."""
    offers: Any
    if dialect == "sqlite":
        offers = func.json_each(_D.c.answer, "$.offers").table_valued("value")
    else:
        offers = func.json_array_elements(_D.c.answer["offers"]).table_valued(column("value", JSON))
    percentage = type_coerce(offers.c.value, JSON)[("discount", "percentage")].as_float()
    return select(func.max(percentage)).select_from(offers).correlate(_D).scalar_subquery()


def _accepted() -> Any:
    """Whether the browser said that an offer was added, or an order holds a line that one put there."""
    said = select(_FEEDBACK.c.event_id).where(
        _FEEDBACK.c.shop == _D.c.shop,
        _FEEDBACK.c.decision_id == _D.c.decision_id,
        _FEEDBACK.c.kind == "accepted",
    )
    ordered = select(_LINES.c.line_id).where(
        _LINES.c.shop == _D.c.shop, _LINES.c.decision_id == _D.c.decision_id
    )
    return or_(said.exists(), ordered.exists())
