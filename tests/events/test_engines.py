"""What is promised of the event log on every engine: in order, at least once, and none lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from app.events.broker_consumer import count_unhandled, handled_before
from app.events.kinds import AppUninstalled, CartUpdated
from app.events.log import DEAD, STREAM, Delivery, EventLog
from tests.brokers import Engine, read

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOP = "a.myshopify.com"


def event(number: int) -> AppUninstalled:
    return AppUninstalled(shop=SHOP, event_id=str(number), happened_at=NOW)


async def test_events_come_back_with_their_kind_and_once(log: Engine) -> None:
    cart = CartUpdated(shop=SHOP, event_id="c", happened_at=NOW, cart_token="t", lines=())
    await log.put(event(1), cart)
    reader = await log.consumer()
    deliveries = await read(reader, 2)
    assert [delivery.event() for delivery in deliveries] == [event(1), cart]
    assert await count_unhandled(log.connections) == 2
    await reader.acknowledge(deliveries)
    assert await reader.read(block_ms=1) == []
    assert await reader.reclaim() == []
    assert await count_unhandled(log.connections) == 0


async def test_what_a_dead_reader_held_is_given_to_another_and_counted(log: Engine) -> None:
    await log.put(event(1), event(2))
    dead = await log.consumer("dead")
    await dead.acknowledge((await read(dead, 2))[:1])
    await log.lose(dead)
    successor = await log.consumer("successor")
    found: list[Delivery] = []
    async with asyncio.timeout(60):
        while event(2) not in [each.event() for each in found]:
            found = await successor.read(block_ms=100) or await successor.reclaim()
    assert found[-1].deliveries == 2


async def test_a_buried_event_keeps_its_reason_and_comes_again_when_revived(log: Engine) -> None:
    await log.put(event(1))
    reader = await log.consumer()
    (delivery,) = await read(reader, 1)
    await reader.bury(delivery, "ValueError: no such product")
    ((_, letter),) = await log.connections.redis.xrange(DEAD)
    assert letter[b"reason"] == b"ValueError: no such product"
    assert await count_unhandled(log.connections) == 0
    assert await EventLog(log.connections.redis).revive() == 1
    await log.settle()
    assert [each.event() for each in await read(reader, 1)] == [event(1)]


async def test_what_is_handled_is_told_up_to_the_oldest_that_is_not(log: Engine) -> None:
    reader = await log.consumer()
    earlier = int((NOW - timedelta(hours=1)).timestamp() * 1_000)
    await log.connections.redis.xadd(STREAM, {"e": b"?"}, id=f"{earlier}-1")
    await log.put(event(1))
    oldest, newest = await read(reader, 2)
    assert await handled_before(log.connections) == NOW - timedelta(hours=1)
    await reader.acknowledge([oldest])
    told = await handled_before(log.connections)
    assert told is not None
    assert told > NOW
    await reader.acknowledge([newest])
