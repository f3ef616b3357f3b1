"""Rows of a shop that are looked for by a name are found by it, and not by reading all of the shop's."""

import pytest
from sqlalchemy import text

from app.connections import Connections


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
