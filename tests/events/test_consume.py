import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from app.config import Settings
from app.connections import Connections
from app.events.broker_consumer import count_unhandled
from app.events.consume import MAX_DEATHS, MAX_DELIVERIES, OUTAGES, Together, consume, work_off
from app.events.kinds import AppUninstalled, CustomerRedactionRequested, Event, ScopesChanged
from app.events.log import DEAD, GROUP, NOBODY, RESTS_MS, STREAM, EventConsumer, EventLog, encode
from app.events.pending import in_hand
from app.tables import EventRow, ShopRow
from tests.brokers import Engine, read
from tests.conftest import on_postgresql

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def event(number: int) -> AppUninstalled:
    return AppUninstalled(shop="a.myshopify.com", event_id=str(number), happened_at=NOW)


class Recorder:
    """A handler that remembers, and fails for the events it is told to."""

    def __init__(self, failure: Exception | None = None, fails_for: str = "") -> None:
        self.seen: list[str] = []
        self._failure = failure
        self._fails_for = fails_for

    async def __call__(self, _connections: Connections, event: Event) -> None:
        if self._failure and event.event_id == self._fails_for:
            raise self._failure
        self.seen.append(event.event_id)


async def reasons(connections: Connections) -> list[bytes]:
    return [fields[b"reason"] for _, fields in await connections.redis.xrange(DEAD)]


async def test_every_handler_sees_every_event_in_order_and_it_is_recorded(log: Engine) -> None:
    first, second = Recorder(), Recorder()
    await log.put(event(1), event(2))
    consumer = await log.consumer()
    await work_off(log.connections, consumer, {AppUninstalled: (first, second)}, await read(consumer, 2))
    assert first.seen == second.seen == ["1", "2"]
    assert await consumer.reclaim() == []
    async with log.connections.read() as db:
        assert set((await db.exec(select(EventRow.event_id))).all()) == {"1", "2"}


async def test_an_event_nobody_reacts_to_is_recorded_and_done(log: Engine) -> None:
    scopes = ScopesChanged(shop="a.myshopify.com", event_id="s", happened_at=NOW, scopes=("a",))
    await log.put(scopes)
    consumer = await log.consumer()
    await work_off(log.connections, consumer, {}, await read(consumer, 1))
    assert await consumer.reclaim() == []


async def test_a_failing_event_holds_up_no_other_and_is_buried_with_its_reason(log: Engine) -> None:
    handler = Recorder(KeyError("variant"), fails_for="1")
    await log.put(event(1), event(2))
    consumer = await log.consumer()
    await work_off(log.connections, consumer, {AppUninstalled: (handler,)}, await read(consumer, 2))
    assert handler.seen == ["2"]
    for _ in range(MAX_DELIVERIES - 1):
        assert await reasons(log.connections) == []
        await work_off(log.connections, consumer, {AppUninstalled: (handler,)}, await consumer.reclaim())
    (reason,) = await reasons(log.connections)
    assert re.fullmatch(rb"KeyError at test_consume\.py:\d+: a message of 9 characters, left out", reason)
    assert await consumer.reclaim() == []


async def test_events_are_kept_in_hand_while_they_are_worked_on_and_put_down_when_they_fail(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(connections.redis)
    monkeypatch.setattr("app.events.consume._KEEP_EVERY_S", 0.01)

    async def slow(_connections: Connections, event: Event) -> None:
        held = str((await connections.redis.xrange(STREAM))[0][0], "ascii")
        await connections.redis.xclaim(STREAM, GROUP, "slow", 0, [held], idle=10 * RESTS_MS, justid=True)
        async with asyncio.timeout(60):
            while await in_hand(connections.redis) != {(held, 1)}:  # noqa: ASYNC110  (what keeps it decides)
                await asyncio.sleep(0.01)
        raise KeyError("variant")

    reader = EventConsumer(connections.redis, "slow")
    await reader.open()
    await log.append([event(1)])
    await work_off(connections, reader, {AppUninstalled: (slow,)}, await reader.read(block_ms=1))
    (at_rest,) = await connections.redis.xpending_range(STREAM, GROUP, min="-", max="+", count=9)
    assert (at_rest["consumer"], at_rest["times_delivered"]) == (NOBODY.encode(), 1)
    assert await in_hand(connections.redis) == set()


async def test_what_was_looked_up_before_a_pause_of_the_process_is_not_written_after_it(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who erases somebody does not wait for a process that has said nothing for so long."""
    monkeypatch.setattr("app.events.consume._LOST_AFTER_S", 0.05)

    async def paused(connections: Connections, event: Event) -> None:
        time.sleep(0.1)  # noqa: ASYNC251  (nothing else goes on either)
        async with connections.write() as db:
            db.add(ShopRow(shop=event.shop, publishable_key="pk", installed_at=NOW))

    await EventLog(connections.redis).append([event(1)])
    consumer = EventConsumer(connections.redis, "one")
    await consumer.open()
    with pytest.raises(TimeoutError):
        await work_off(connections, consumer, {AppUninstalled: (paused,)}, await consumer.read(block_ms=1))
    async with connections.read() as db:
        assert (await db.exec(select(ShopRow))).all() == []


async def test_events_are_kept_in_hand_also_after_redis_failed_once(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.events.consume._KEEP_EVERY_S", 0.01)
    answers, kept = iter([RedisError("lost")]), asyncio.Event()

    async def keep(*_: object) -> None:
        for failure in answers:
            raise failure
        kept.set()

    async def slow(*_: object) -> None:
        async with asyncio.timeout(60):
            await kept.wait()

    monkeypatch.setattr(EventConsumer, "keep", keep)
    reader = EventConsumer(connections.redis, "slow")
    await reader.open()
    await EventLog(connections.redis).append([event(1)])
    await work_off(connections, reader, {AppUninstalled: (slow,)}, await reader.read(block_ms=1))
    assert kept.is_set()
    assert await count_unhandled(connections) == 0


async def test_what_comes_after_a_request_to_erase_rests_until_that_is_done_and_is_handled_once(
    connections: Connections,
) -> None:
    handled = Recorder()
    ours, other = (EventConsumer(connections.redis, name, idle_ms=0) for name in ("ours", "other"))
    await ours.open()
    request = CustomerRedactionRequested(
        shop="a.myshopify.com", event_id="2", happened_at=NOW, customer_id=1, order_ids=()
    )
    await EventLog(connections.redis).append([event(1), request, event(3), event(4)])

    async def erase(*_: object) -> None:
        assert await in_hand(connections.redis) == set()
        entries = [entry.entry_id async for entry in EventLog(connections.redis).entries(STREAM)]
        await connections.redis.xclaim(STREAM, GROUP, "other", 0, entries[2:3])

    handlers = {AppUninstalled: (handled,), CustomerRedactionRequested: (erase,)}
    await work_off(connections, ours, handlers, await ours.read(block_ms=1))
    assert handled.seen == ["1", "4"]
    await work_off(connections, other, handlers, await other.reclaim())
    assert handled.seen == ["1", "4", "3"]
    assert await count_unhandled(connections) == 0


async def test_an_outage_counts_against_no_event(log: Engine) -> None:
    down = Recorder(ConnectionError("the database is down"), fails_for="2")
    await log.put(event(1), event(2), event(3))
    consumer = await log.consumer()
    with pytest.raises(ConnectionError):
        await work_off(log.connections, consumer, {AppUninstalled: (down,)}, await read(consumer, 3))
    for _ in range(MAX_DELIVERIES + 3):
        with pytest.raises(ConnectionError):
            await work_off(log.connections, consumer, {AppUninstalled: (down,)}, await consumer.reclaim())
    assert await reasons(log.connections) == []
    up = Recorder()
    await work_off(log.connections, consumer, {AppUninstalled: (up,)}, await consumer.reclaim())
    assert down.seen == ["1"]
    assert up.seen == ["2", "3"]


class Gatherer:
    """A handler of many events that remembers; it fails where the event it is told is among them."""

    def __init__(self, failure: Exception | None = None, fails_for: str = "") -> None:
        self.seen: list[list[str]] = []
        self._failure = failure
        self._fails_for = fails_for

    async def gather(self, _connections: Connections, events: Sequence[Event]) -> None:
        ids = [each.event_id for each in events]
        if self._failure and self._fails_for in ids:
            raise self._failure
        self.seen.append(ids)


async def test_what_follows_from_many_events_is_done_once_after_each_of_them(log: Engine) -> None:
    told, turns = Gatherer(), []

    def alone(name: str) -> Any:
        async def handle(_connections: Connections, event: Event) -> None:
            turns.append((name, event.event_id, len(told.seen)))

        return handle

    together = Together(told.gather)
    handlers = {AppUninstalled: (alone("before"), together, alone("after")), ScopesChanged: (together,)}
    scopes = ScopesChanged(shop="a.myshopify.com", event_id="2", happened_at=NOW, scopes=("a",))
    await log.put(event(1), scopes, event(3))
    consumer = await log.consumer()
    await work_off(log.connections, consumer, handlers, await read(consumer, 3))
    assert told.seen == [["1", "2", "3"]]
    assert turns == [("before", "1", 0), ("before", "3", 0), ("after", "1", 1), ("after", "3", 1)]
    assert await consumer.reclaim() == []


async def test_what_follows_comes_after_what_it_follows_from_whichever_event_came_first(log: Engine) -> None:
    turns: list[str] = []

    def handler(name: str) -> Together:
        async def handle(_connections: Connections, events: Sequence[Event]) -> None:
            turns.append(name + "".join(each.event_id for each in events))

        return Together(handle)

    kept, followed = handler("kept "), handler("followed ")
    handlers = {ScopesChanged: (followed,), AppUninstalled: (kept, followed)}
    scopes = ScopesChanged(shop="a.myshopify.com", event_id="1", happened_at=NOW, scopes=("a",))
    await log.put(scopes, event(2), event(3))
    consumer = await log.consumer()
    await work_off(log.connections, consumer, handlers, await read(consumer, 3))
    assert turns == ["kept 23", "followed 123"]


async def test_a_failing_event_among_many_holds_up_no_other(log: Engine) -> None:
    told = Gatherer(KeyError("variant"), fails_for="2")
    handlers = {AppUninstalled: (Together(told.gather),)}
    await log.put(event(1), event(2), event(3))
    consumer = await log.consumer()
    await work_off(log.connections, consumer, handlers, await read(consumer, 3))
    assert told.seen == [["1"], ["3"]]
    for _ in range(MAX_DELIVERIES - 1):
        assert await reasons(log.connections) == []
        await work_off(log.connections, consumer, handlers, await consumer.reclaim())
    (reason,) = await reasons(log.connections)
    assert reason.startswith(b"KeyError")
    assert told.seen == [["1"], ["3"]]
    assert await consumer.reclaim() == []


async def test_what_one_handler_of_many_fails_at_no_later_one_is_given(log: Engine) -> None:
    first, second = (Gatherer(KeyError("variant"), fails_for="2") for _ in range(2))
    handlers = {AppUninstalled: (Together(first.gather), Together(second.gather))}
    await log.put(event(1), event(2))
    consumer = await log.consumer()
    await work_off(log.connections, consumer, handlers, await read(consumer, 2))
    for _ in range(MAX_DELIVERIES - 1):
        await work_off(log.connections, consumer, handlers, await consumer.reclaim())
    assert first.seen == second.seen == [["1"]]
    assert len(await reasons(log.connections)) == 1


async def test_what_could_not_follow_for_an_outage_comes_again(log: Engine) -> None:
    alone, told = Recorder(), Gatherer(ConnectionError("Redis is down"), fails_for="1")
    scopes = ScopesChanged(shop="a.myshopify.com", event_id="s", happened_at=NOW, scopes=("a",))
    handlers = {AppUninstalled: (Together(told.gather),), ScopesChanged: (alone,)}
    await log.put(event(1), scopes)
    consumer = await log.consumer()
    with pytest.raises(ConnectionError):
        await work_off(log.connections, consumer, handlers, await read(consumer, 2))
    assert alone.seen == ["s"]
    (again,) = await consumer.reclaim()
    assert again.event() == event(1)


async def test_before_somebody_is_erased_all_has_followed_that_came_before(log: Engine) -> None:
    """What is made anew afterwards would be made of somebody who is gone."""
    told, erased = Gatherer(), []

    async def erase(_connections: Connections, request: Event) -> None:
        erased.append((request.event_id, list(told.seen)))

    request = CustomerRedactionRequested(
        shop="a.myshopify.com", event_id="2", happened_at=NOW, customer_id=7, order_ids=()
    )
    handlers = {AppUninstalled: (Together(told.gather),), CustomerRedactionRequested: (erase,)}
    await log.put(event(1), request, event(3))
    consumer = await log.consumer()
    await work_off(log.connections, consumer, handlers, await read(consumer, 3))
    assert erased == [("2", [["1"]])]
    assert told.seen == [["1"], ["3"]]


async def test_a_statement_that_is_too_large_is_no_outage(
    settings: Settings, redis_url: str, postgres_url: str
) -> None:
    """Else the event that leads to it would be tried for ever, and none behind it be handled."""
    many = range(32_768)
    asked = f"SELECT 1 WHERE 1 IN ({','.join(f'${each + 1}' for each in many)})"
    async with on_postgresql(settings, redis_url, postgres_url) as connections, connections.read() as db:
        with pytest.raises(DBAPIError) as told:
            await (await db.connection()).exec_driver_sql(asked, tuple(many))
    assert not isinstance(told.value, OUTAGES)


async def test_what_is_no_event_is_buried_at_once(log: Engine) -> None:
    await log.connections.redis.xadd(STREAM, {"e": b"\xc1"})
    await log.settle()
    consumer = await log.consumer()
    await work_off(log.connections, consumer, {}, await read(consumer, 1))
    (reason,) = await reasons(log.connections)
    assert reason.startswith(b"not an event")


async def test_an_event_of_a_later_version_is_left_to_its_workers_before_it_is_buried(log: Engine) -> None:
    handler = Recorder()
    later = encode(event(1)).replace(b"AppUninstalled", b"AppReinstalled")
    await log.connections.redis.xadd(STREAM, {"e": later})
    await log.put(event(2))
    consumer = await log.consumer()
    await work_off(log.connections, consumer, {AppUninstalled: (handler,)}, await read(consumer, 2))
    assert handler.seen == ["2"]
    for _ in range(MAX_DELIVERIES - 1):
        assert await reasons(log.connections) == []
        (given,) = await consumer.reclaim()
        assert given.body == later
        await work_off(log.connections, consumer, {}, [given])
    (reason,) = await reasons(log.connections)
    assert reason.startswith(b"not an event")
    assert await consumer.reclaim() == []


async def test_an_event_that_kills_whoever_takes_it_is_buried(log: Engine) -> None:
    await log.put(event(1))
    consumer = await log.consumer()
    await read(consumer, 1)
    for _ in range(MAX_DEATHS - 1):
        await consumer.reclaim()
    await work_off(log.connections, consumer, {}, await consumer.reclaim())
    assert await reasons(log.connections) == [b"no attempt came to an end"]


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


async def test_an_event_that_kills_its_worker_takes_no_other_with_it(
    log: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def handler(_connections: Connections, told: Event) -> None:
        if told.event_id == "2":
            monkeypatch.setattr(consumer, "acknowledge", nothing)
            raise Killed
        seen.append(told.event_id)

    async def nothing(_deliveries: object) -> None: ...

    await log.put(event(1), event(2), event(3))
    consumer = await log.consumer()
    given = await read(consumer, 3)
    for _ in range(MAX_DEATHS + 1):
        with suppress(Killed):
            await work_off(log.connections, consumer, {AppUninstalled: (handler,)}, given)
        monkeypatch.undo()
        given = await consumer.reclaim()
    assert await reasons(log.connections) == [b"no attempt came to an end"]
    assert (seen[-1], given) == ("3", [])


async def test_the_loop_ends_when_told_and_leaves_nothing_undone(log: Engine) -> None:
    stop, handler = asyncio.Event(), Recorder()
    await log.put(event(1), event(2))

    async def stopping(given: Connections, seen: Event) -> None:
        await handler(given, seen)
        if len(handler.seen) == 2:
            stop.set()

    await consume(log.connections, {AppUninstalled: (stopping,)}, stop)
    assert sorted(handler.seen) == ["1", "2"]
    assert await count_unhandled(log.connections) == 0


async def test_the_loop_does_not_take_events_while_redis_is_down(log: Engine) -> None:
    nowhere: Redis = Redis.from_url("unix:///nowhere.sock")
    with pytest.raises(RedisError):
        await consume(replace(log.connections, redis=nowhere), {}, asyncio.Event())
