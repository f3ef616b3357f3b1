"""Privacy topics on their way through the worker: written down with a deadline, done once, finished later."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.requests import Kind, Status, open_request, read_request, requests_of
from app.consent.withdrawal import bar_late_events
from app.events import pending
from app.events.consume import work_off
from app.events.kinds import CustomerDataRequested, CustomerRedactionRequested, Event
from app.events.log import GROUP, RESTS_MS, STREAM, Delivery, EventConsumer, EventLog, this_consumer
from app.privacy import erasure, unfinished
from app.privacy.erasure import erase_person
from app.privacy.export import answer_data_request
from app.privacy.shop import erase_shop
from app.privacy.unfinished import RequestIncomplete
from app.tables import CustomerRow, DecisionRow, EventRow, OrderRow
from app.worker import HANDLERS
from tests.consent.issued import receipts_of
from tests.privacy.planted import OTTO, ROSA, SHOP, dump, found_in, late_events, plant
from webhooks.compliance import finish_erasures, redact_customer

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def redaction(event_id: str = "r", **changes: Any) -> CustomerRedactionRequested:
    fields: dict[str, Any] = {"customer_id": ROSA.customer, "order_ids": (ROSA.order,)}
    return CustomerRedactionRequested(shop=SHOP, event_id=event_id, happened_at=NOW, **fields | changes)


async def told(connections: Connections, *events: Event) -> None:
    """Put the events into the log and let the worker handle all that is in it."""
    await EventLog(connections.redis).append(events)  # type: ignore[arg-type]
    consumer = EventConsumer(connections.redis, this_consumer(), idle_ms=0)
    await consumer.open()
    while deliveries := await consumer.read(block_ms=1):
        await work_off(connections, consumer, HANDLERS, deliveries)
    await consumer.trim()


async def all_of(connections: Connections, kind: Any) -> list[Any]:
    async with connections.read() as db:
        return list((await db.exec(select(kind).where(kind.shop == SHOP))).all())


async def test_a_redaction_that_comes_through_the_log_leaves_no_marker(
    on_both_databases: Connections,
) -> None:
    await plant(on_both_databases, ROSA, OTTO)
    await told(on_both_databases, redaction())
    assert found_in(await dump(on_both_databases), ROSA.markers) == set()
    (receipt,) = await receipts_of(on_both_databases, SHOP)
    assert receipt.receipt.requested_at == NOW
    assert {row.customer_id for row in await all_of(on_both_databases, CustomerRow)} == {OTTO.customer}


async def test_what_is_told_late_of_an_erased_person_stays_the_merchants_alone(
    on_both_databases: Connections,
) -> None:
    await plant(on_both_databases, ROSA, OTTO)
    await told(on_both_databases, redaction())
    await told(on_both_databases, *late_events(ROSA))
    assert found_in(await dump(on_both_databases), ROSA.markers) == set()
    orders = {row.order_id: row for row in await all_of(on_both_databases, OrderRow)}
    assert (orders[ROSA.order + 2].customer_id, orders[ROSA.order + 2].total_minor) == (None, 900)
    decisions = {row.decision_id: row for row in await all_of(on_both_databases, DecisionRow)}
    assert decisions[f"late-{ROSA.order}"].inputs == {}


async def test_whoever_comes_back_is_new(connections: Connections) -> None:
    await plant(connections, ROSA)
    await told(connections, redaction())
    later = datetime.now(UTC) + timedelta(minutes=1)
    browsed, _, ordered, *_ = late_events(ROSA)
    come_back = [
        type(ordered)(**fields_of(ordered) | {"happened_at": later, "created_at": later}),
        type(browsed)(**fields_of(browsed) | {"happened_at": later}),
    ]
    await told(connections, *come_back)
    assert ROSA.customer in {row.customer_id for row in await all_of(connections, OrderRow)}
    assert ROSA.client in {row.client_id for row in await all_of(connections, EventRow)}


def fields_of(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


async def test_what_follows_a_redaction_in_the_same_batch_is_kept_out(connections: Connections) -> None:
    await plant(connections, ROSA, OTTO)
    await told(connections, redaction(), *late_events(ROSA))
    assert found_in(await dump(connections), ROSA.markers) == set()


async def test_an_order_known_only_by_its_number_leads_to_its_customer(connections: Connections) -> None:
    await plant(connections, ROSA, OTTO)
    await told(connections, redaction(customer_id=None))
    assert found_in(await dump(connections), ROSA.markers) == set()
    assert await all_of(connections, CustomerRow) != []


async def test_an_address_alone_leads_to_the_customer(on_both_databases: Connections) -> None:
    await plant(on_both_databases, ROSA, OTTO)
    digest = (await open_digests(on_both_databases)).of_email(SHOP, ROSA.email.upper())
    await told(on_both_databases, redaction(customer_id=None, order_ids=(), email_digest=digest))
    assert found_in(await dump(on_both_databases), ROSA.markers) == set()
    assert {row.customer_id for row in await all_of(on_both_databases, CustomerRow)} == {OTTO.customer}


async def test_somebody_elses_order_in_a_request_is_not_touched(connections: Connections) -> None:
    await plant(connections, ROSA, OTTO)
    await told(connections, redaction(order_ids=(ROSA.order, OTTO.order)))
    orders = {row.order_id: row.customer_id for row in await all_of(connections, OrderRow)}
    assert orders[OTTO.order] == OTTO.customer


async def test_two_requests_for_one_person_each_end_in_a_receipt(connections: Connections) -> None:
    await plant(connections, ROSA)
    await told(connections, redaction("one"), redaction("two"), redaction("one"))
    says = [each.receipt.says for each in await receipts_of(connections, SHOP)]
    assert sorted(says) == ["all that was found is gone", "nothing was found"]


async def test_a_request_whose_event_is_lost_half_way_is_finished_by_the_schedule(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plant(connections, ROSA)

    async def fail(*_: Any) -> None:
        raise RuntimeError("half-way")

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "STEPS", (*erasure.STEPS[:3], fail))
        await told(connections, redaction())
    request = await read_request(connections, SHOP, "r")
    assert request is not None
    assert request.status is Status.RUNNING
    await finish_erasures(connections)
    assert found_in(await dump(connections), ROSA.markers) == set()
    assert len(await receipts_of(connections, SHOP)) == 1


async def test_a_data_request_waits_with_its_deadline_and_ends_in_a_receipt(connections: Connections) -> None:
    await plant(connections, ROSA)
    event = CustomerDataRequested(
        shop=SHOP, event_id="data", happened_at=NOW, request_id=1, customer_id=ROSA.customer, order_ids=()
    )
    await told(connections, event, event)
    request = await read_request(connections, SHOP, "data")
    assert request is not None
    assert (request.kind, request.status, request.due_at) == (
        Kind.DATA,
        Status.OPEN,
        NOW + timedelta(days=30),
    )
    export, signed = await answer_data_request(connections, SHOP, "data")
    assert export.counts()["orders"] == signed.receipt.found["orders"] == 2  # one came through the log
    request = await read_request(connections, SHOP, "data")
    assert request is not None
    assert (request.status, request.customer_id, request.receipt_id) == (
        Status.DONE, None, signed.receipt.receipt_id,
    )  # fmt: skip


async def test_a_customers_request_that_comes_after_their_shop_was_erased_writes_nothing_down(
    connections: Connections,
) -> None:
    event = CustomerDataRequested(
        shop=SHOP, event_id="data", happened_at=NOW, request_id=1, customer_id=ROSA.customer, order_ids=()
    )
    await told(connections, event, redaction())
    assert await requests_of(connections, SHOP) == []
    assert found_in(await dump(connections), [SHOP.encode(), *ROSA.markers]) == set()


async def test_a_request_to_show_what_was_erased_first_is_closed_with_the_erasure(
    connections: Connections,
) -> None:
    await plant(connections, ROSA)
    await told(connections, redaction())
    by_id = {each.request_id: each for each in await requests_of(connections, SHOP)}
    shown = by_id[f"data-{ROSA.order}"]
    assert (shown.status, shown.customer_id, shown.receipt_id) == (Status.DONE, None, by_id["r"].receipt_id)


@pytest.mark.parametrize("holder", ["another-worker", this_consumer()], ids=["another", "this process"])
async def test_an_erasure_waits_for_what_a_worker_has_in_its_hands_however_long(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, holder: str
) -> None:
    await plant(connections, ROSA)
    await told(connections)
    worker = EventConsumer(connections.redis, holder)
    await worker.open()
    await EventLog(connections.redis).append(late_events(ROSA))
    in_its_hands = await worker.read(block_ms=1)
    await rested(connections, holder, in_its_hands, RESTS_MS)
    monkeypatch.setattr(pending, "RESTS_MS", 100 * RESTS_MS)
    barred = asyncio.Event()

    async def bar(*told: Any) -> None:
        await bar_late_events(*told)
        barred.set()

    monkeypatch.setattr(erasure, "bar_late_events", bar)
    await open_request(connections, SHOP, "r", Kind.CUSTOMER, NOW, customer_id=ROSA.customer)
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    with pytest.raises(RequestIncomplete, match="still being handled"):
        await erase_person(connections, SHOP, "r")
    assert await receipts_of(connections, SHOP) == []
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 60)
    barred.clear()
    erasing = asyncio.create_task(finish_erasures(connections))
    await barred.wait()
    await work_off(connections, worker, HANDLERS, [replace(each) for each in in_its_hands])
    await erasing
    assert len(await receipts_of(connections, SHOP)) == 1
    assert found_in(await dump(connections), ROSA.markers) == set()


async def test_an_erasure_waits_neither_for_the_dead_nor_for_what_rests(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    await plant(connections, ROSA)
    await told(connections)
    failed, died = (EventConsumer(connections.redis, name) for name in ("one-1", "two-2"))
    await EventLog(connections.redis).append(late_events(ROSA)[:2])
    await failed.put_down(await failed.read(count=1, block_ms=1))
    await rested(connections, "two-2", await died.read(count=1, block_ms=1), RESTS_MS)
    await open_request(connections, SHOP, "r", Kind.CUSTOMER, NOW, customer_id=ROSA.customer)
    await erase_person(connections, SHOP, "r")
    assert found_in(await dump(connections), ROSA.markers) == set()


async def test_a_shops_erasure_waits_for_what_a_worker_has_in_its_hands(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    await plant(connections, ROSA)
    await told(connections)
    worker = EventConsumer(connections.redis, "another-worker")
    await EventLog(connections.redis).append(late_events(ROSA))
    in_its_hands = await worker.read(block_ms=1)
    await open_request(connections, SHOP, "r", Kind.SHOP, NOW)
    with pytest.raises(RequestIncomplete, match="still being handled"):
        await erase_shop(connections, SHOP, "r")
    await work_off(connections, worker, HANDLERS, in_its_hands)
    await erase_shop(connections, SHOP, "r")
    assert found_in(await dump(connections), ROSA.markers) == set()


async def test_two_workers_that_erase_do_not_wait_for_each_other(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    await plant(connections, ROSA, OTTO)
    await told(connections)
    one, two = (EventConsumer(connections.redis, name) for name in ("one-1", "two-2"))
    for who in (ROSA, OTTO):
        request = redaction(f"r{who.order}", customer_id=who.customer, order_ids=(who.order,))
        await EventLog(connections.redis).append([request, *late_events(who)])
    half = 1 + len(late_events(ROSA))
    theirs, others = await one.read(count=half, block_ms=1), await two.read(count=half, block_ms=1)
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(connections: Connections, event: CustomerRedactionRequested) -> None:
        begun.set()
        await may_end.wait()
        await redact_customer(connections, event)

    slowly = asyncio.create_task(
        work_off(connections, two, {**HANDLERS, CustomerRedactionRequested: (slow,)}, others)
    )
    await begun.wait()
    await work_off(connections, one, HANDLERS, theirs)
    assert len(await receipts_of(connections, SHOP)) == 1
    may_end.set()
    await slowly
    assert len(await receipts_of(connections, SHOP)) == 2
    assert found_in(await dump(connections), ROSA.markers + OTTO.markers) == set()


async def rested(connections: Connections, name: str, held: Sequence[Delivery], idle_ms: int) -> None:
    """Let so long have passed since a worker last said that it has them in hand."""
    ids = [each.entry_id for each in held]
    await connections.redis.xclaim(STREAM, GROUP, name, 0, ids, idle=idle_ms, justid=True)
