"""Rows of a shop that are looked for by a name are found by it, and not by reading all of the shop's."""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.dialects import sqlite

from app.connections import Connections
from app.consent.clearing import SOURCES, _delete_old
from app.events.erased import as_kept
from app.events.kinds import ConsentTold, OrderDeleted, RefundCreated, RefundLine
from app.events.store import record_events
from app.offpolicy.store import _earned
from app.privacy.person import Person, find_person
from app.privacy.rows import codes_told, erase_rows, read_rows
from app.profiles.history import _lines_of, seen_at
from app.reach.store import _later
from app.worker import HANDLERS
from tests.privacy.planted import NOW, ROSA, SHOP, late_events, plant
from tests.profiles.factories import a_view
from webhooks.inbox import empty_handled, prune, requeue_logged


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


Work = Callable[[Connections], Awaitable[object]]
# Of what a shop has tens of rows, they are read together.
SMALL = "shops tokens campaigns coupon_pools automatic_discounts segmentations foresights models exclusions"


async def read_whole(connections: Connections, *works: Work) -> set[str]:
    """Return what the statements of the work read whole: all of a table, or all that a shop has in it."""
    return {step for step in await steps_of(connections, *works) if _is_whole(step)}


async def steps_of(connections: Connections, *works: Work) -> set[str]:
    """Return by which steps the database does the statements of the work."""
    said: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        said[statement] = values[0] if many else values

    event.listen(connections.engine.sync_engine, "before_cursor_execute", note)
    for work in works:
        await work(connections)
    event.remove(connections.engine.sync_engine, "before_cursor_execute", note)
    found: set[str] = set()
    async with connections.read() as db:
        for statement, values in said.items():
            if not statement.startswith(("BEGIN", "INSERT", "PRAGMA")):
                rows = await (await db.connection()).exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", values
                )
                found |= {row.detail for row in rows}
    return found


def _is_whole(step: str) -> bool:
    told = re.match(r"(SCAN|SEARCH) ([a-z_]+)", step)
    if told is None or told[2] in SMALL.split() or "VIRTUAL TABLE" in step:
        return False
    return told[1] == "SCAN" or "(shop=?)" in step or "ANY(shop)" in step


async def test_what_reads_a_shop_whole_is_seen(connections: Connections) -> None:
    async def read(connections: Connections) -> None:
        async with connections.read() as db:
            await (await db.connection()).execute(text("SELECT * FROM orders WHERE shop = 's' AND paid"))

    assert len(await read_whole(connections, read)) == 1


async def test_of_a_visit_the_latest_events_are_read_and_not_all_to_put_them_in_order(
    connections: Connections,
) -> None:
    viewed = a_view(10, shop=SHOP, event_id="browser:1", happened_at=NOW, checkout_token="t")
    await record_events(connections, [viewed])

    async def read(connections: Connections) -> None:
        async with connections.read() as db:
            assert len(await seen_at(db, SHOP, "t", NOW - timedelta(days=1))) == 1

    steps = await steps_of(connections, read)
    assert {"MULTI-INDEX OR", "USE TEMP B-TREE FOR ORDER BY"}.isdisjoint(steps)


def _events() -> Sequence[Any]:
    facts: dict[str, Any] = {"shop": SHOP, "happened_at": NOW, "order_id": ROSA.order}
    back = RefundLine(line_id=1, quantity=1, amount_minor=5)
    return [
        *late_events(ROSA),
        OrderDeleted(**facts, event_id="deleted", currency="USD"),
        RefundCreated(**facts, event_id="refund", refund_id=1, created_at=NOW, lines=(back,), other_minor=0),
    ]


@pytest.mark.parametrize(
    "told", _events(), ids=lambda told: told.event_id.rpartition("-")[0] or told.event_id
)
async def test_what_an_event_sets_off_reads_no_shop_whole(connections: Connections, told: Any) -> None:
    await plant(connections, ROSA)

    async def handle(connections: Connections) -> None:
        await as_kept(connections, [told])
        await record_events(connections, [told])
        for handler in HANDLERS.get(type(told), ()):
            await handler(connections, told)

    assert await read_whole(connections, handle) == set()


async def test_the_lines_of_some_hundred_orders_are_found(connections: Connections) -> None:
    async def read(opened: Connections) -> None:
        async with opened.read() as db:
            await _lines_of(db, SHOP, range(500))

    assert await read_whole(connections, read) == set()


async def test_what_was_given_back_is_found_by_the_orders_of_the_checkouts_that_are_asked_for(
    connections: Connections,
) -> None:
    async def read(opened: Connections) -> None:
        async with opened.read() as db:
            await _earned(db, SHOP, "USD", ["t"])

    assert await read_whole(connections, read) == set()


async def test_what_is_past_its_limit_is_found_by_its_age(connections: Connections) -> None:
    async def clear(opened: Connections) -> None:
        await _delete_old(opened, SHOP, SOURCES["decisions"], NOW, NOW)

    assert await read_whole(connections, clear) == set()


async def test_what_is_done_over_and_over_with_deliveries_reads_none_that_is_done(
    connections: Connections,
) -> None:
    assert await steps_of(connections, lambda opened: empty_handled(opened, NOW)) == {
        "SEARCH inbox USING INDEX ix_inbox_kept (status=? AND next_attempt_at<?)"
    }
    assert await steps_of(connections, lambda opened: requeue_logged(opened, NOW)) == {
        "SEARCH inbox USING INDEX ix_inbox_kept (status=?)"
    }
    assert await steps_of(connections, lambda opened: prune(opened, NOW)) == {
        "SEARCH inbox USING INTEGER PRIMARY KEY (rowid>?)"
    }


_FEW = re.compile("privacy_requests|receipts|coupons|grant_uses")


async def test_a_visit_that_is_taken_back_and_somebody_who_is_erased_are_found(
    connections: Connections,
) -> None:
    """But for requests and receipts, of which a shop has few, and for codes, which are only shown.

    They are read for a request alone: not worth an index that each of a pool's codes would have to be in. Not
    while everybody else waits to write, though.
    """
    await plant(connections, ROSA)
    names: dict[str, Any] = {
        "client_ids": ROSA.client,
        "cart_tokens": ROSA.cart,
        "checkout_tokens": ROSA.token,
        "email_digests": "e",
        "order_ids": ROSA.order,
        "customer_ids": ROSA.customer,
    }
    wanted: dict[str, Any] = {each: frozenset([name]) for each, name in names.items()}
    person = Person(shop=SHOP, **wanted)
    taken_back = ConsentTold(
        shop=SHOP, event_id="no", happened_at=NOW, source="pixel", client_id=ROSA.client,
        checkout_token=ROSA.token, customer_id=None, withdrawn=("analytics",), permitted=(), answers={},
        region=None, policy_version="",
    )  # fmt: skip

    async def take_back(opened: Connections) -> None:
        for handler in HANDLERS[ConsentTold]:
            await handler(opened, taken_back)

    async def find(opened: Connections) -> None:
        await find_person(opened, person)
        await read_rows(opened, person, frozenset("s"))
        await codes_told(opened, person, frozenset("s"))

    async def erase(opened: Connections) -> None:
        async with opened.write() as db:
            await erase_rows(await db.connection(), person, frozenset("s"), ["c"], {"status": "done"})

    found = await read_whole(connections, take_back, find)
    assert {step for step in found if not _FEW.search(step)} == set()
    found = await read_whole(connections, erase)
    assert {step for step in found if "privacy_requests" not in step} == set()
