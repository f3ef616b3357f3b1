"""Privacy topics on their way through the worker: written down with a deadline, done once, finished later."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from sqlalchemy import event as database_event
from sqlmodel import select

from app.connections import Connections, redis_key
from app.consent.digests import open_digests
from app.consent.requests import Kind, Status, read_request, requests_of
from app.events.consume import work_off
from app.events.kinds import CustomerDataRequested, CustomerRedactionRequested, Event, ShopRedactionRequested
from app.events.log import EventConsumer, EventLog, this_consumer
from app.privacy import erasure
from app.privacy import shop as shop_erasure
from app.privacy.export import answer_data_request
from app.shops.arrival import ensure_installed
from app.shops.grants import Grant
from app.shops.store import Shop
from app.shops.tokens import access_token, sealed_row
from app.tables import CustomerRow, DecisionRow, EventRow, OrderRow, ShopRow
from app.upsert import CHUNK, insert_new
from app.worker import HANDLERS
from tests.consent.issued import receipts_of
from tests.privacy.planted import OTTO, ROSA, SHOP, dump, found_in, late_events, plant
from webhooks.compliance import finish_erasures, redact_shop

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
URL = f"https://{SHOP}/admin/api/2026-07/graphql.json"
TOKEN_URL = f"https://{SHOP}/admin/oauth/access_token"
DESCRIBED = {
    "name": "A", "currencyCode": "USD", "ianaTimezone": "Europe/Berlin",
    "taxesIncluded": False, "plan": {"partnerDevelopment": False},
}  # fmt: skip


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


async def keep_token(connections: Connections) -> None:
    """Keep a token that never expires."""
    async with connections.write() as db:
        db.add(sealed_row(connections, SHOP, Grant("shpat_x", frozenset(), None, None, None)))


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
    assert request.overdue(NOW + timedelta(days=31))
    export, signed = await answer_data_request(connections, SHOP, "data")
    assert export.counts()["orders"] == signed.receipt.found["orders"] == 2  # one came through the log
    request = await read_request(connections, SHOP, "data")
    assert request is not None
    assert (request.status, request.customer_id, request.receipt_id) == (
        Status.DONE, None, signed.receipt.receipt_id,
    )  # fmt: skip


async def test_a_request_for_data_of_an_erased_shop_asks_for_nothing_that_is_held(
    connections: Connections,
) -> None:
    event = CustomerDataRequested(
        shop=SHOP, event_id="data", happened_at=NOW, request_id=1, customer_id=ROSA.customer, order_ids=()
    )
    await told(connections, event)
    assert await requests_of(connections, SHOP) == []


async def test_a_request_to_show_what_was_erased_first_is_closed_with_the_erasure(
    connections: Connections,
) -> None:
    await plant(connections, ROSA)
    await told(connections, redaction())
    by_id = {each.request_id: each for each in await requests_of(connections, SHOP)}
    shown = by_id[f"data-{ROSA.order}"]
    assert (shown.status, shown.customer_id, shown.receipt_id) == (Status.DONE, None, by_id["r"].receipt_id)


async def test_a_redacted_shop_leaves_a_receipt_without_its_name_and_nothing_else(
    on_both_databases: Connections,
) -> None:
    await plant(on_both_databases, OTTO, shop="b.myshopify.com")  # type: ignore[arg-type]
    await plant(on_both_databases, ROSA)
    await told(on_both_databases, redaction())
    async with on_both_databases.write() as db:
        row = await db.get(ShopRow, SHOP)
        assert row is not None
        row.uninstalled_at = NOW
        db.add(row)
    event = ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=NOW + timedelta(days=2))
    await told(on_both_databases, event)
    after = await dump(on_both_databases)
    assert found_in(after, [SHOP.encode()]) == set()
    assert found_in(after, OTTO.markers) >= {"table customers", "table inbox", "key {tw:events}:dead"}
    kinds = [each.receipt.kind for each in await receipts_of(on_both_databases, SHOP)]
    assert sorted(kinds) == ["redact", "shop_redact"]
    await told(on_both_databases, event)
    assert len(await receipts_of(on_both_databases, SHOP)) == 2
    assert found_in(await dump(on_both_databases), [SHOP.encode()]) == set()


async def leave(connections: Connections) -> None:
    """Let the shop have removed the app."""
    async with connections.write() as db:
        row = await db.get(ShopRow, SHOP)
        assert row is not None
        row.uninstalled_at = NOW
        db.add(row)


async def test_the_rows_of_a_large_shop_go_a_few_hundred_in_a_transaction(connections: Connections) -> None:
    await plant(connections, ROSA)
    await leave(connections)
    facts = {"shop": SHOP, "name": "viewed", "happened_at": NOW, "recorded_at": NOW, "data": {}}
    async with connections.write() as db:
        await insert_new(db, EventRow, [facts | {"event_id": f"{number}"} for number in range(1_203)])
    gone: list[int] = []

    def note(_connection: Any, cursor: Any, statement: str, *_others: Any) -> None:
        if statement.startswith("DELETE FROM events"):
            gone.append(cursor.rowcount)

    database_event.listen(connections.engine.sync_engine, "after_cursor_execute", note)
    await told(connections, ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=NOW))
    database_event.remove(connections.engine.sync_engine, "after_cursor_execute", note)
    assert (await all_of(connections, EventRow), max(gone), sum(gone) > 1_203) == ([], CHUNK, True)


async def test_what_comes_late_of_a_redacted_shop_is_not_written_down(connections: Connections) -> None:
    await plant(connections, ROSA)
    await leave(connections)
    await told(connections, ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=NOW))
    await told(connections, *late_events(ROSA))
    assert found_in(await dump(connections), [SHOP.encode(), *ROSA.markers]) == set()


async def test_a_shop_that_came_back_is_not_erased(connections: Connections) -> None:
    await plant(connections, ROSA)
    async with connections.write() as db:
        row = await db.get(ShopRow, SHOP)
        assert row is not None
        row.installed_at = NOW + timedelta(hours=47)
        db.add(row)
    await told(
        connections, ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=NOW + timedelta(days=2))
    )
    assert len(await all_of(connections, OrderRow)) > 0
    request = await read_request(connections, SHOP, "gone")
    assert request is not None
    assert (request.status, request.receipt_id) == (Status.DONE, None)


async def test_a_shop_that_comes_back_while_it_is_erased_is_let_in_afterwards(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    coming: list[asyncio.Task[Shop]] = []

    async def comes_back(*_: Any) -> None:
        if not coming:
            coming.append(asyncio.create_task(ensure_installed(connections, SHOP, "id")))
            await asyncio.wait(coming, timeout=0.3)  # it waits for us: that it is in is not waited for

    await plant(connections, ROSA)
    await leave(connections)
    monkeypatch.setattr(shop_erasure, "STEPS", (comes_back, *shop_erasure.STEPS))
    gone = ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=LATER)
    with respx.mock:
        respx.post(TOKEN_URL).respond(json={"access_token": "shpat_1", "expires_in": 3600})
        respx.post(URL).respond(json={"data": {"shop": DESCRIBED}})
        await redact_shop(connections, gone)
        back = await coming[0]
    assert back.uninstalled_at is None
    assert await all_of(connections, OrderRow) == []
    assert await access_token(connections, SHOP) == "shpat_1"


def removal(age: timedelta = timedelta()) -> ShopRedactionRequested:
    """Return a shop's request to be erased, so old."""
    return ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=datetime.now(UTC) - age)


async def install_before(connections: Connections, event: ShopRedactionRequested) -> None:
    """Plant the shop as one that has had the app since long before the event, as far as its row knows."""
    await plant(connections, ROSA)
    await keep_token(connections)
    async with connections.write() as db:
        row = await db.get(ShopRow, SHOP)
        assert row is not None
        row.installed_at = event.happened_at - timedelta(days=3)
        db.add(row)


@pytest.mark.parametrize(
    ("answer", "erased"),
    [(httpx.Response(200, json={"data": {"shop": DESCRIBED}}), False), (httpx.Response(401), True)],
    ids=["lets us in", "does not"],
)
async def test_a_shop_whose_leaving_nobody_told_is_erased_unless_it_lets_us_in(
    connections: Connections, answer: httpx.Response, erased: bool
) -> None:
    event = removal()
    await install_before(connections, event)
    with respx.mock:
        respx.post(URL).mock(return_value=answer)
        await told(connections, event)
    assert (await all_of(connections, OrderRow) == []) is erased


# Frozen, locked, taken for an attacker, our secret is wrong, and one that nobody can read.
CANT_SAY = [
    httpx.Response(402),
    httpx.Response(423),
    httpx.Response(430),
    httpx.Response(401, json={"error": "invalid_client"}),
    httpx.Response(200, text="down for maintenance"),
]


@pytest.mark.parametrize("answer", CANT_SAY)
async def test_a_shop_that_can_not_be_asked_now_is_erased_or_not_once_it_answers(
    connections: Connections, answer: httpx.Response
) -> None:
    event = removal()
    await install_before(connections, event)
    with respx.mock:
        respx.post(URL).mock(return_value=answer)
        await redact_shop(connections, event)
    request = await read_request(connections, SHOP, "gone")
    assert request is not None
    assert request.status is Status.OPEN
    assert len(await all_of(connections, OrderRow)) > 0
    with respx.mock:
        respx.post(URL).mock(return_value=httpx.Response(401))
        await finish_erasures(connections)
    assert await all_of(connections, OrderRow) == []


@pytest.mark.parametrize("answer", CANT_SAY)
async def test_a_shop_that_never_can_be_asked_is_erased_before_its_deadline(
    connections: Connections, answer: httpx.Response
) -> None:
    event = removal(age=timedelta(days=21))
    await install_before(connections, event)
    with respx.mock:
        respx.post(URL).mock(return_value=answer)
        await redact_shop(connections, event)
    assert await all_of(connections, OrderRow) == []


async def test_keys_of_other_shops_stay(connections: Connections) -> None:
    other = redis_key("b.myshopify.com", "visitor", "customer", 1)
    await connections.redis.set(other, b"profile")
    await plant(connections, ROSA)
    await told(connections, ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=NOW))
    assert await connections.redis.exists(other)


async def test_a_redaction_waits_for_what_another_worker_has_in_its_hands(
    connections: Connections,
) -> None:
    await plant(connections, ROSA)
    await told(connections)
    other = EventConsumer(connections.redis, "another-worker")
    await other.open()
    await EventLog(connections.redis).append(late_events(ROSA))
    in_its_hands = await other.read(block_ms=1)
    redacting = asyncio.create_task(told(connections, redaction()))
    await asyncio.sleep(0.3)
    assert not redacting.done()
    await work_off(connections, other, HANDLERS, [replace(each) for each in in_its_hands])
    await redacting
    assert found_in(await dump(connections), ROSA.markers) == set()
