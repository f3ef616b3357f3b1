"""A person and a shop, shown and erased, while what was told of them is on its way through a broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from confluent_kafka import Consumer, TopicPartition
from msgspec.structs import replace

from app.connections import Connections
from app.consent.requests import Kind, Status, open_request, read_request
from app.events import broker_ledger
from app.events.broker import Copy
from app.events.broker_consumer import count_unhandled
from app.events.broker_ledger import BrokerLedger
from app.events.consume import work_off
from app.events.kinds import CustomerRedactionRequested, OrderPlaced, ShopRedactionRequested
from app.events.log import DEAD
from app.privacy import unfinished
from app.privacy.erasure import erase_person
from app.privacy.export import export_person
from app.privacy.person import Person
from app.privacy.shop import erase_shop
from app.privacy.unfinished import RequestIncomplete
from app.worker import HANDLERS
from tests.brokers import Engine, engine, kafka, new_topic, read
from tests.consent.issued import receipts_of
from tests.privacy.planted import OTTO, ROSA, SHOP, dump, found_in, late_events, plant
from webhooks.compliance import finish_erasures


@pytest.fixture(scope="module")
def kafka_url() -> Iterator[str]:
    with kafka() as url:
        yield url


@pytest.fixture
async def log(
    connections: Connections, kafka_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engine]:
    """A log with Kafka behind it, a shop with two people, and nobody who waits for long."""
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0.2)
    monkeypatch.setattr(broker_ledger, "_SPAN_MS", 100)
    async with engine(connections, new_topic(kafka_url)) as opened:
        await plant(connections, ROSA, OTTO)
        await opened.settle()
        await handle_all(opened)
        await connections.redis.delete(DEAD)
        yield opened


async def handle_all(log: Engine) -> None:
    reader = await log.consumer()
    async with asyncio.timeout(60):
        while await count_unhandled(log.connections):
            deliveries = await reader.read(block_ms=100) or await reader.reclaim()
            await work_off(log.connections, reader, HANDLERS, deliveries)
    await log.lose(reader)


def in_the_topic(log: Engine) -> list[Copy]:
    """Return all that Kafka has, as whoever runs it can read it."""
    url = urlsplit(log.url or "")
    topic = url.path[1:]
    options = {"bootstrap.servers": url.netloc, "group.id": "looks", "enable.partition.eof": True}
    consumer = Consumer(options)
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, each, 0) for each in partitions])
    found, ended = list[Copy](), 0
    while ended < len(partitions):
        message = consumer.poll(10)
        assert message is not None
        if message.error():
            ended += 1
        else:
            found.append(Copy((message.key() or b"").decode(), message.value() or b""))  # type: ignore[union-attr]
    consumer.close()
    return found


async def asked(log: Engine, kind: Kind = Kind.CUSTOMER) -> str:
    await open_request(log.connections, SHOP, "r", kind, datetime.now(UTC), customer_id=ROSA.customer)
    return "r"


async def test_no_receipt_says_that_all_is_gone_while_a_broker_has_some_of_it(log: Engine) -> None:
    await log.put(*late_events(ROSA))
    with pytest.raises(RequestIncomplete, match="still being handled"):
        await erase_person(log.connections, SHOP, await asked(log))
    assert await receipts_of(log.connections, SHOP) == []
    await handle_all(log)
    signed = await erase_person(log.connections, SHOP, "r")
    assert signed.receipt.found["orders"] > 0
    assert found_in(await dump(log.connections), ROSA.markers) == set()


async def test_what_a_broker_still_has_of_an_erased_person_nobody_can_read(log: Engine) -> None:
    await log.put(*late_events(ROSA), *late_events(OTTO))
    await handle_all(log)
    assert any(await BrokerLedger(log.connections.redis).opened(in_the_topic(log)))
    await erase_person(log.connections, SHOP, await asked(log))
    copies = in_the_topic(log)
    assert len(copies) >= 2 * len(late_events(ROSA))
    assert not found_in({copy.entry_id: copy.body for copy in copies}, ROSA.markers)
    assert not any(await BrokerLedger(log.connections.redis).opened(copies))


async def test_an_event_in_somebodys_hands_holds_up_the_erasure(log: Engine) -> None:
    await log.put(late_events(ROSA)[0])
    reader = await log.consumer()
    held = await read(reader, 1)
    with pytest.raises(RequestIncomplete):
        await erase_person(log.connections, SHOP, await asked(log))
    await work_off(log.connections, reader, HANDLERS, held)
    await erase_person(log.connections, SHOP, "r")
    assert found_in(await dump(log.connections), ROSA.markers) == set()


async def test_a_redaction_that_comes_through_a_broker_is_carried_out_by_the_schedule(log: Engine) -> None:
    redaction = CustomerRedactionRequested(
        shop=SHOP, event_id="r", happened_at=datetime.now(UTC), customer_id=ROSA.customer,
        order_ids=(ROSA.order,),
    )  # fmt: skip
    await log.put(*late_events(ROSA), redaction, *late_events(OTTO))
    await handle_all(log)
    request = await read_request(log.connections, SHOP, "r")
    assert request is not None
    assert request.status is Status.OPEN
    await finish_erasures(log.connections)
    assert found_in(await dump(log.connections), ROSA.markers) == set()
    assert found_in(await dump(log.connections), OTTO.markers)
    assert len(await receipts_of(log.connections, SHOP)) == 1


async def test_what_was_told_before_and_comes_after_an_erasure_is_not_written_down(log: Engine) -> None:
    await erase_person(log.connections, SHOP, await asked(log))
    await log.put(*late_events(ROSA))
    await handle_all(log)
    assert found_in(await dump(log.connections), ROSA.markers) == set()


async def test_an_export_waits_for_what_a_broker_has(log: Engine) -> None:
    rosa = Person(shop=SHOP, customer_ids=frozenset([ROSA.customer]))
    before = (await export_person(log.connections, rosa)).counts()["orders"]
    (placed,) = [event for event in late_events(ROSA) if isinstance(event, OrderPlaced)]
    await log.put(replace(placed, event_id="another", order_id=placed.order_id + 1))
    with pytest.raises(RequestIncomplete):
        await export_person(log.connections, rosa)
    await handle_all(log)
    assert (await export_person(log.connections, rosa)).counts()["orders"] == before + 1


async def test_a_shop_is_erased_once_a_broker_has_nothing_of_it(log: Engine) -> None:
    await log.put(*late_events(ROSA))
    await open_request(log.connections, SHOP, "s", Kind.SHOP, datetime.now(UTC))
    with pytest.raises(RequestIncomplete):
        await erase_shop(log.connections, SHOP, "s")
    await log.put(ShopRedactionRequested(shop=SHOP, event_id="s", happened_at=datetime.now(UTC)))
    await handle_all(log)
    await erase_shop(log.connections, SHOP, "s")
    everything = await dump(log.connections)
    assert found_in(everything, [*ROSA.markers, *OTTO.markers, SHOP.encode()]) == set()
    assert not any(await BrokerLedger(log.connections.redis).opened(in_the_topic(log)))
