"""A clock that is put forward or back between two steps: nothing is done twice, nothing waits for it."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from app.connections import Connections
from app.events.consume import work_off
from app.events.log import EventConsumer
from app.tables import InboxRow, OrderLineRow, OrderRow, ShopRow
from app.worker import HANDLERS
from tests.webhooks.deliveries import SHOP, order_body
from webhooks.inbox import LEASE, claim
from webhooks.work import process_due

ROOT = Path(__file__).parents[2]
JUMPS = [timedelta(hours=1), timedelta(days=1), timedelta(hours=-1), timedelta(days=-1)]
# Who asks the wall clock for seconds, and may: what they keep is read again by other processes and machines.
WALL_CLOCK = {
    "app/clocks.py": "this machine's beside the stores' and Shopify's",
    "app/events/log.py": "when a dead letter was buried, for who reads it",
    "app/recommend/publish.py": "the age of a file",
    "app/shops/active.py": "when something happened last, for a quarter of an hour and a day",
    "app/shops/turns.py": "when the last turn was; one that lies ahead counts as none",
}


@pytest.fixture
async def shop(connections: Connections) -> Connections:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=datetime.now(UTC)))
    return connections


async def deliver(connections: Connections, now: datetime) -> None:
    body = order_body()
    row = InboxRow(
        shop=SHOP, event_id="e-1", topic="orders/create", received_at=now, next_attempt_at=now, body=body
    )  # fmt: skip
    async with connections.write() as db:
        db.add(row)


async def handle(connections: Connections, now: datetime) -> None:
    """Do what a worker does whose clock says now."""
    while await process_due(connections, now):
        pass
    consumer = EventConsumer(connections.redis, "test", idle_ms=0)
    await consumer.open()
    while deliveries := await consumer.reclaim() or await consumer.read(block_ms=1):
        await work_off(connections, consumer, HANDLERS, deliveries)


async def kept(connections: Connections) -> tuple[int, int, set[str]]:
    """Return how many orders and lines there are, and what stands in the inbox."""
    async with connections.read() as db:
        orders, lines = (await db.exec(select(OrderRow))).all(), (await db.exec(select(OrderLineRow))).all()
        return len(orders), len(lines), set((await db.exec(select(InboxRow.status))).all())


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_a_delivery_is_one_order_whichever_way_the_clock_goes_while_it_is_worked_off(
    shop: Connections, jump: timedelta
) -> None:
    now = datetime.now(UTC)
    await deliver(shop, now)
    assert len(await claim(shop, now)) == 1  # by a worker that dies of it
    await handle(shop, now + jump + LEASE)
    await handle(shop, now + LEASE)  # and the clock is right again
    assert await kept(shop) == (1, 1, {"done"})


@pytest.mark.parametrize("ahead", JUMPS[:2], ids=str)
async def test_a_delivery_taken_in_by_a_clock_that_was_ahead_does_not_wait_for_it(
    shop: Connections, ahead: timedelta
) -> None:
    now = datetime.now(UTC)
    await deliver(shop, now + ahead)
    await handle(shop, now)
    assert await kept(shop) == (1, 1, {"done"})


def test_no_process_measures_a_duration_by_the_wall_clock() -> None:
    asking = {
        str(file.relative_to(ROOT))
        for part in ("app", "webhooks")
        for file in (ROOT / part).rglob("*.py")
        if any(_asks_for_the_time(node) for node in ast.walk(ast.parse(file.read_text())))
    }
    assert asking == set(WALL_CLOCK), "monotonic() measures durations; time.time() jumps"


def _asks_for_the_time(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="time"), attr="time" | "time_ns"):
            return True
        case ast.ImportFrom(module="time", names=names):
            return any(each.name in {"time", "time_ns"} for each in names)
    return False
