"""An event log that comes back empty, and a clock that was wrong: no delivery is lost to either."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

import webhooks.work
from app.connections import Connections
from app.events.consume import work_off
from app.events.log import STREAM, EventConsumer
from app.tables import InboxRow, OrderRow, ShopRow
from app.worker import HANDLERS
from tests.webhooks.deliveries import SHOP, order_body
from webhooks.inbox import claim
from webhooks.work import empty_bodies, process_due, restore_lost


@pytest.fixture
async def delivered(connections: Connections) -> Connections:
    """The app with one delivery in its inbox."""
    now = datetime.now(UTC)
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=now))
        db.add(
            InboxRow(
                shop=SHOP, event_id="1", topic="orders/create", received_at=now, next_attempt_at=now,
                body=order_body(id=1),
            )
        )  # fmt: skip
    await restore_lost(connections, now)
    return connections


async def handle(connections: Connections) -> None:
    consumer = EventConsumer(connections.redis, "test")
    await consumer.open()
    while deliveries := await consumer.read(block_ms=1):
        await work_off(connections, consumer, HANDLERS, deliveries)


async def orders(connections: Connections) -> list[int]:
    async with connections.read() as db:
        return list((await db.exec(select(col(OrderRow.order_id)))).all())


async def bodies(connections: Connections) -> list[bytes]:
    async with connections.read() as db:
        return list((await db.exec(select(col(InboxRow.body)))).all())


async def due_since(connections: Connections, moment: datetime) -> None:
    async with connections.write() as db:
        row = (await db.exec(select(InboxRow))).one()
        row.next_attempt_at = moment
        db.add(row)


async def test_what_a_lost_log_had_not_handled_is_put_into_it_again(delivered: Connections) -> None:
    await process_due(delivered, datetime.now(UTC))
    await delivered.redis.flushall()
    await handle(delivered)
    assert await orders(delivered) == []
    await restore_lost(delivered, datetime.now(UTC))
    await process_due(delivered, datetime.now(UTC))
    await handle(delivered)
    assert await orders(delivered) == [1]


async def test_a_log_that_is_there_is_given_nothing_again(delivered: Connections) -> None:
    await process_due(delivered, datetime.now(UTC))
    await restore_lost(delivered, datetime.now(UTC))
    assert await process_due(delivered, datetime.now(UTC)) == 0
    assert await delivered.redis.xlen(STREAM) == 1


async def test_a_body_stays_until_its_event_is_handled(delivered: Connections) -> None:
    earlier = datetime.now(UTC) - timedelta(minutes=5)
    await EventConsumer(delivered.redis, "test").open()
    await delivered.redis.xadd(STREAM, {"e": b"\xc1"}, id=f"{int(earlier.timestamp() * 1000)}-1")
    await due_since(delivered, earlier)
    await process_due(delivered, earlier)
    await empty_bodies(delivered)
    assert b"" not in await bodies(delivered)
    await handle(delivered)
    await empty_bodies(delivered)
    assert await bodies(delivered) == [b""]


async def test_a_body_stays_also_where_the_work_on_it_took_minutes(
    delivered: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, clock = datetime.now(UTC) - timedelta(minutes=5), iter((0.0, 300.0))
    monkeypatch.setattr(webhooks.work, "monotonic", lambda: next(clock))
    await delivered.redis.xadd(STREAM, {"e": b"?"})
    await handle(delivered)
    await due_since(delivered, began)
    await process_due(delivered, began)
    await empty_bodies(delivered)
    assert b"" not in await bodies(delivered)


async def test_a_lease_taken_under_a_clock_that_was_a_day_ahead_ends_with_the_mistake(
    delivered: Connections,
) -> None:
    now = datetime.now(UTC)
    assert len(await claim(delivered, now + timedelta(days=1))) == 1  # and its worker dies
    assert await process_due(delivered, now) == 1
