"""The log moved to a broker: whatever dies in between, an entry may be handled twice and is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from app.connections import Connections
from app.events import broker_consumer
from app.events.broker import BrokerAway, Copy, open_broker
from app.events.broker_consumer import count_unhandled
from app.events.broker_ledger import KEYS, MOVED, TRIES, BrokerLedger
from app.events.consume import consume
from app.events.kinds import AppUninstalled, BrowserEvent, Event
from app.events.log import DEAD, STREAM, EventConsumer, EventLog
from app.events.move import move_events, send_echoes
from app.health import routes
from tests.brokers import Engine, empty, engine, new_topic, read

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOWHERE = "amqp://guest:guest@127.0.0.1:1/"


def event(number: int) -> AppUninstalled:
    return AppUninstalled(shop="a.myshopify.com", event_id=str(number), happened_at=NOW)


@pytest.fixture(params=["kafka", "rabbitmq"])
async def log(request: pytest.FixtureRequest, connections: Connections) -> AsyncIterator[Engine]:
    """An empty event log with each broker behind it."""
    url = request.getfixturevalue(f"{request.param}_url")
    if request.param == "kafka":
        url = new_topic(url)
    else:
        await empty(url)
    async with engine(connections, url) as opened:
        yield opened


async def numbers(log: Engine, many: int) -> list[str]:
    """Return the events of so many entries, which are handled with that."""
    reader = await log.consumer()
    deliveries = await read(reader, many)
    await reader.acknowledge(deliveries)
    assert await reader.read(block_ms=1) == []
    await log.lose(reader)
    return sorted(delivery.event().event_id for delivery in deliveries)


async def test_what_was_noted_and_never_sent_is_sent(log: Engine) -> None:
    await EventLog(log.connections.redis).append([event(1), event(2)])
    await BrokerLedger(log.connections.redis).note(1)  # and the mover dies
    await log.settle()
    assert await numbers(log, 2) == ["1", "2"]
    assert await count_unhandled(log.connections) == 0


async def test_what_was_sent_and_not_taken_out_comes_once_more_and_leaves_nothing(log: Engine) -> None:
    await EventLog(log.connections.redis).append([event(1)])
    async with open_broker(log.url or "") as broker:
        await broker.welcomes()  # which keeps nothing
        await broker.publish(await BrokerLedger(log.connections.redis).note(1))  # and the mover dies
    assert await numbers(log, 1) == ["1"]
    await log.settle()
    assert await numbers(log, 1) == ["1"]
    assert await count_unhandled(log.connections) == 0


async def test_an_entry_that_is_in_hand_is_not_handed_out_a_second_time(log: Engine) -> None:
    await EventLog(log.connections.redis).append([event(1)])
    async with open_broker(log.url or "") as broker:
        await broker.publish(await BrokerLedger(log.connections.redis).note(1))
    await log.settle()
    reader = await log.consumer(idle_ms=60_000)
    deliveries = await read(reader, 1)
    assert await reader.read(block_ms=300) == []
    await reader.acknowledge(deliveries)
    assert await log.connections.redis.exists(MOVED, TRIES) == 0


async def test_two_loops_move_and_handle_what_is_appended_meanwhile(log: Engine) -> None:
    stop, seen = asyncio.Event(), set[str]()

    async def note(_connections: Connections, told: Event) -> None:
        seen.add(told.event_id)
        if len(seen) == 300:
            stop.set()

    async def append() -> None:
        for first in range(0, 300, 50):
            await EventLog(log.connections.redis).append([event(first + each) for each in range(50)])

    async with asyncio.timeout(120):
        await asyncio.gather(
            append(),
            move_events(log.connections, stop),
            move_events(log.connections, stop),  # of another worker: it waits
            consume(log.connections, {AppUninstalled: (note,)}, stop),
        )
    assert len(seen) == 300


async def test_a_note_whose_entry_was_lost_goes_with_its_echo(
    log: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = log.connections.redis
    await EventLog(redis).append([event(1), event(2)])
    lost, _ = await BrokerLedger(redis).note(2)
    await redis.xdel(STREAM, lost.entry_id)
    await log.settle()
    assert await numbers(log, 1) == ["2"]
    assert await count_unhandled(log.connections) == 1
    monkeypatch.setattr("app.events.move._LATE", timedelta(milliseconds=-1))
    async with open_broker(log.url or "") as broker:
        await send_echoes(BrokerLedger(redis), broker)
    reader = await log.consumer()
    async with asyncio.timeout(60):
        while await count_unhandled(log.connections):
            assert await reader.read(block_ms=100) == []
            assert await reader.reclaim() == []


async def test_nothing_can_be_opened_of_a_time_whose_events_are_handled(log: Engine) -> None:
    moved = BrokerLedger(log.connections.redis)
    await log.put(event(1))
    await moved.forget_keys()
    reader = await log.consumer()
    (delivery,) = await read(reader, 1)
    await reader.acknowledge([delivery])
    await moved.forget_keys()
    assert await log.connections.redis.exists(KEYS) == 0


async def test_copies_whose_keys_went_with_redis_are_passed_over(log: Engine) -> None:
    await log.put(event(1))
    await log.connections.redis.flushall()
    await log.put(event(2))
    assert await numbers(log, 1) == ["2"]
    assert await count_unhandled(log.connections) == 0


async def test_what_others_write_there_is_passed_over_and_takes_no_note_away(log: Engine) -> None:
    await EventLog(log.connections.redis).append([event(1)])
    (noted,) = await BrokerLedger(log.connections.redis).note(1)
    async with open_broker(log.url or "") as broker:
        forged = [
            Copy(noted.entry_id, b"a body that no key opens"),
            Copy(noted.entry_id, b""),
            Copy("?", b"?"),
        ]
        await broker.publish(forged)
    reader = await log.consumer()
    assert [await reader.read(block_ms=300) for _ in range(3)] == [[], [], []]
    assert await BrokerLedger(log.connections.redis).count() == 1
    await log.settle()
    assert [each.event() for each in await read(reader, 1)] == [event(1)]


async def test_rabbitmq_keeps_what_workers_gave_back_more_often_than_it_likes(
    connections: Connections, rabbitmq_url: str
) -> None:
    await empty(rabbitmq_url)
    async with engine(connections, rabbitmq_url) as log:
        await log.put(event(1))
        for _ in range(25):
            reader = await log.consumer()
            await read(reader, 1)
            await log.lose(reader)
        assert await numbers(log, 1) == ["1"]


async def test_what_came_before_there_was_a_broker_is_moved_and_what_was_handled_is_not(log: Engine) -> None:
    redis, stop = log.connections.redis, asyncio.Event()
    before = EventConsumer(redis, "before")
    await before.open()
    await EventLog(redis).append([event(1), event(2)])
    await before.acknowledge((await before.read())[:1])
    moving = asyncio.create_task(move_events(log.connections, stop))
    assert await numbers(log, 1) == ["2"]
    stop.set()
    await moving


async def test_what_kafka_never_takes_is_a_dead_letter_and_holds_up_nobody(
    connections: Connections, kafka_url: str
) -> None:
    large = BrowserEvent(
        shop="a.myshopify.com", event_id="large", happened_at=NOW, name="n", client_id=None,
        checkout_token=None, customer_id=None, permitted=(), data={"text": "x" * 2_000_000},
    )  # fmt: skip
    async with engine(connections, new_topic(kafka_url)) as log:
        await log.put(event(1), large, event(2))
        assert await numbers(log, 2) == ["1", "2"]
        ((_, letter),) = await connections.redis.xrange(DEAD)
        assert letter[b"reason"] == b"larger than Kafka takes"
        assert b"xxx" in letter[b"e"]
        assert await count_unhandled(log.connections) == 0


async def test_without_its_broker_the_log_keeps_everything_and_says_so(connections: Connections) -> None:
    async with engine(connections, NOWHERE) as log:
        await EventLog(connections.redis).append([event(1)])
        for loop in (
            move_events(log.connections, asyncio.Event()),
            consume(log.connections, {}, asyncio.Event()),
        ):
            with pytest.raises(BrokerAway, match="RabbitMQ"):
                await loop
        assert await count_unhandled(log.connections) == 1
        web = Starlette(routes=routes)
        web.state.connections = log.connections
        async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://t") as http:
            ready, metrics = await http.get("/readyz"), (await http.get("/metrics")).text
    assert (ready.status_code, ready.json()["broker"]["ok"]) == (200, False)
    assert 'tillwise_reachable{part="broker"} 0.0' in metrics
    assert "tillwise_event_log_unsent 1.0" in metrics


async def test_events_with_a_broker_that_nobody_names_any_more_are_told_of(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    await connections.redis.zadd(MOVED, {"1-0": 1})
    async with broker_consumer.open_consumer(connections):
        pass
    assert "EVENT_LOG_URL is not set" in caplog.text
