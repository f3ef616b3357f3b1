"""Rows of a shop that are looked for by a name are found by it, and not by reading all of the shop's."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from app.connections import Connections
from app.reach.store import _later


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("orders", "checkout_token"),
        ("orders", "customer_id"),
        ("refunds", "order_id"),
        ("decisions", "checkout_token"),
        ("decisions", "customer_id"),
        ("order_lines", "decision_id"),
        ("feedback", "decision_id"),
        ("events", "client_id"),
        ("events", "checkout_token"),
        ("events", "customer_id"),
    ],
)
async def test_a_row_is_found_by_its_name(connections: Connections, table: str, column: str) -> None:
    query = text(f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE shop = 's' AND {column} IN (1, 2)")
    async with connections.read() as db:
        (plan,) = (await (await db.connection()).execute(query)).all()
    assert f"(shop=? AND {column}=?" in plan.detail


@pytest.mark.parametrize(
    "counted", ["rung, arm, fallback", "duration_us", "checkout_token, max(surface)", "DISTINCT customer_id"]
)
async def test_what_is_counted_of_a_periods_decisions_is_read_from_an_index_alone(
    connections: Connections, counted: str
) -> None:
    period = "shop = 's' AND decided_at >= '2026' AND decided_at <= '2027'"
    query = text(f"EXPLAIN QUERY PLAN SELECT {counted} FROM decisions WHERE {period}")
    async with connections.read() as db:
        plan = (await (await db.connection()).execute(query)).all()
    assert "USING COVERING INDEX ix_decisions_counted (shop=? AND decided_at>?" in plan[0].detail


@pytest.mark.parametrize("by", ["checkout_token", "client_id"])
async def test_what_was_done_after_leaving_is_found_by_its_name_and_not_among_a_days_events(
    connections: Connections, by: str
) -> None:
    query = _later("s", datetime(2026, 11, 20, tzinfo=UTC), by).compile(dialect=sqlite.dialect())
    values = tuple(str(query.params[each]) for each in query.positiontup or ())
    async with connections.read() as db:
        found = await (await db.connection()).exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)
        plan = [row.detail for row in found.all()]
    assert f"(shop=? AND {by}=?" in plan[1]
