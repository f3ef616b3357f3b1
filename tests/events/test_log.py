import asyncio
import socket
import sys
from datetime import UTC, datetime

import msgspec
import pytest

from app.connections import Connections
from app.events import pending
from app.events.kinds import AppUninstalled, CartUpdated
from app.events.log import (
    DEAD,
    GROUP,
    NOBODY,
    RESTS_MS,
    STREAM,
    EventConsumer,
    EventLog,
    text_of,
    this_consumer,
)
from app.events.pending import in_hand

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def event(number: int) -> AppUninstalled:
    return AppUninstalled(shop="a.myshopify.com", event_id=str(number), happened_at=NOW)


async def consumer(connections: Connections, name: str, idle_ms: int = 0) -> EventConsumer:
    reader = EventConsumer(connections.redis, name, idle_ms=idle_ms)
    await reader.open()
    return reader


async def test_events_come_back_in_order_and_with_their_kind(connections: Connections) -> None:
    cart = CartUpdated(shop="a.myshopify.com", event_id="c", happened_at=NOW, cart_token="t", lines=())
    await EventLog(connections.redis).append([event(1), cart])
    deliveries = await (await consumer(connections, "one")).read()
    assert [delivery.event() for delivery in deliveries] == [event(1), cart]


async def test_what_was_written_before_the_first_reader_is_read(connections: Connections) -> None:
    await EventLog(connections.redis).append([event(1)])
    reader = await consumer(connections, "late")
    assert len(await reader.read()) == 1


async def test_opening_twice_loses_nothing(connections: Connections) -> None:
    await consumer(connections, "one")
    await EventLog(connections.redis).append([event(1)])
    assert len(await (await consumer(connections, "one")).read()) == 1


async def test_an_acknowledged_event_is_not_given_out_again(connections: Connections) -> None:
    await EventLog(connections.redis).append([event(1)])
    reader = await consumer(connections, "one")
    await reader.acknowledge(await reader.read())
    assert await reader.read(block_ms=1) == []
    assert await reader.reclaim() == []


async def test_another_consumer_takes_over_what_a_dead_one_held(connections: Connections) -> None:
    await EventLog(connections.redis).append([event(1), event(2)])
    await (await consumer(connections, "killed")).read()
    successor = await consumer(connections, "successor")
    reclaimed = await successor.reclaim()
    assert [delivery.event() for delivery in reclaimed] == [event(1), event(2)]
    assert {delivery.deliveries for delivery in reclaimed} == {2}


async def test_an_event_that_is_being_worked_on_is_not_taken_over(connections: Connections) -> None:
    await EventLog(connections.redis).append([event(1)])
    await (await consumer(connections, "busy")).read()
    other = await consumer(connections, "other", idle_ms=60_000)
    assert await other.reclaim() == []


async def test_a_buried_event_keeps_its_reason_and_can_be_revived(connections: Connections) -> None:
    log = EventLog(connections.redis)
    await log.append([event(1)])
    reader = await consumer(connections, "one")
    (delivery,) = await reader.read()
    await reader.bury(delivery, "ValueError: no such product")
    ((_, letter),) = await connections.redis.xrange(DEAD)
    assert letter[b"reason"] == b"ValueError: no such product"
    assert await reader.reclaim() == []

    assert await log.revive() == 1
    assert await connections.redis.xlen(DEAD) == 0
    assert [delivery.event() for delivery in await reader.read()] == [event(1)]


async def test_trimming_drops_what_all_groups_have_handled_and_nothing_else(
    connections: Connections,
) -> None:
    await EventLog(connections.redis).append([event(n) for n in range(1_000)])
    reader = await consumer(connections, "one")
    deliveries = await reader.read(count=900)
    await reader.acknowledge([d for d in deliveries if d.event().event_id != "500"])
    dropped = await reader.trim()
    assert 300 < dropped <= 500  # whole nodes of the stream at a time
    ((_, fields),) = await connections.redis.xrange(STREAM, min=deliveries[500].entry_id, count=1)
    assert msgspec.msgpack.decode(fields[b"e"])["event_id"] == "500"
    assert len(await reader.read(count=900)) == 100


async def test_there_is_nothing_to_trim_before_anything_has_happened(connections: Connections) -> None:
    assert await EventConsumer(connections.redis, "trimmer").trim() == 0


async def test_nothing_is_trimmed_for_a_group_that_has_not_read_yet(
    connections: Connections,
) -> None:
    await EventLog(connections.redis).append([event(n) for n in range(500)])
    reader = await consumer(connections, "one")
    await reader.acknowledge(await reader.read(count=500))
    await EventConsumer(connections.redis, "slow", group="archive").open()
    assert await reader.trim() == 0


async def test_an_entry_that_is_no_event_says_so_when_it_is_read(connections: Connections) -> None:
    await connections.redis.xadd(STREAM, {"e": b"\xc1"})
    (delivery,) = await (await consumer(connections, "one")).read()
    with pytest.raises(msgspec.DecodeError):
        delivery.event()


async def test_what_a_shop_sent_before_is_not_added_again(connections: Connections) -> None:
    log = EventLog(connections.redis)
    elsewhere = AppUninstalled(shop="b.myshopify.com", event_id="1", happened_at=NOW)
    assert await log.append_unseen([event(1), event(2), event(1)]) == 2
    assert await log.append_unseen([event(2), event(3), elsewhere]) == 2
    read = [delivery.event() for delivery in await (await consumer(connections, "one")).read()]
    assert read == [event(1), event(2), event(3), elsewhere]


async def test_a_new_process_inherits_at_once_what_a_dead_one_of_its_machine_held(
    connections: Connections,
) -> None:
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await gone.wait()
    dead = await consumer(connections, f"{socket.gethostname()}-{gone.pid}")
    await EventLog(connections.redis).append([event(1)])
    await dead.read()
    (inherited,) = await (await consumer(connections, "new", idle_ms=60_000)).inherit()
    assert (inherited.event(), inherited.deliveries) == (event(1), 2)


@pytest.mark.parametrize(
    "holder", ["another-machine-1", this_consumer(), "no number"], ids=["elsewhere", "alive", "not told"]
)
async def test_what_a_process_holds_that_may_live_is_left_to_it(
    connections: Connections, holder: str
) -> None:
    await EventLog(connections.redis).append([event(1)])
    await (await consumer(connections, holder)).read()
    assert await (await consumer(connections, "new", idle_ms=60_000)).inherit() == []


async def test_what_a_worker_still_has_in_hand_nobody_else_is_given(connections: Connections) -> None:
    await EventLog(connections.redis).append([event(1), event(2)])
    slow = await consumer(connections, "slow")
    held = await slow.read(block_ms=1)
    ids = [each.entry_id for each in held]
    await connections.redis.xclaim(STREAM, GROUP, "slow", 0, ids, idle=10 * RESTS_MS, justid=True)
    await slow.keep(held[:1])
    other = await consumer(connections, "other", idle_ms=5 * RESTS_MS)
    assert [each.entry_id for each in await other.reclaim()] == ids[1:]
    await slow.keep(held)
    await slow.put_down(held)
    pending = await connections.redis.xpending_range(STREAM, GROUP, min="-", max="+", count=9)
    given = {
        text_of(each["message_id"]): (text_of(each["consumer"]), each["times_delivered"]) for each in pending
    }
    assert given == {ids[0]: (NOBODY, 1), ids[1]: ("other", 2)}
    assert await in_hand(connections.redis) == {(ids[1], 2)}


async def test_all_that_is_in_hand_is_known_however_many(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "_PAGE", 2)
    assert await in_hand(connections.redis) == set()
    await EventLog(connections.redis).append([event(number) for number in range(5)])
    held = await (await consumer(connections, "one-1")).read(block_ms=1)
    assert await in_hand(connections.redis) == {(each.entry_id, 1) for each in held}
