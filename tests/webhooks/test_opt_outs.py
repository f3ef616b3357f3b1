from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from app.connections import Connections
from app.consent.requests import Kind, open_request
from app.events.erased import only_kept
from app.events.kinds import CustomerChanged, CustomerDeleted, OrderDeleted, OrderUpdated
from app.events.log import STREAM, EventLog
from app.orders.customers import record_customers, remove_customer
from app.orders.store import record_order, remove_order
from app.privacy import unfinished
from app.privacy.erasure import erase_person
from app.privacy.unfinished import RequestIncomplete
from app.privacy_tables import ConsentRow
from app.tables import CustomerRow, OrderRow
from devstore.schema import MODULES
from devstore.shop import cancel
from tests.devstore.conftest import past_order, second_customer
from tests.webhooks.shopfront import Shopfront, installed
from webhooks import bulk, opt_outs
from webhooks.backfill import run_backfill
from webhooks.opt_outs import compare_opt_outs

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@pytest.fixture
async def front(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shopfront]:
    monkeypatch.setattr(bulk, "_LOOK_EVERY_S", 0.02)
    async with installed(connections) as made:
        yield made


async def rows(front: Shopfront, kind: Any) -> list[Any]:
    async with front.connections.read() as db:
        return list((await db.exec(select(kind).order_by(col(kind.shop)))).all())


async def told(connections: Connections, kind: Any = CustomerDeleted) -> list[Any]:
    events = [entry.event() async for entry in EventLog(connections.redis).entries(STREAM)]
    return [event for event in events if isinstance(event, kind)]


async def compare(front: Shopfront) -> int:
    return await compare_opt_outs(front.connections, front.installed.shop)


async def test_an_opt_out_that_changed_nothing_else_is_found_and_told_the_ledger(
    front: Shopfront,
) -> None:
    (customer,) = front.shop.customers.values()
    assert await compare(front) == 0
    assert await rows(front, ConsentRow) == []
    for opted_out in (True, False):
        customer.data_sale_opt_out = opted_out
        assert await compare(front) == 1
        assert await compare(front) == 0
        (known,) = await rows(front, CustomerRow)
        assert known.data_sale_opt_out is opted_out
    entries = [(row.source, row.told) for row in await rows(front, ConsentRow)]
    assert entries == [
        ("customer_record", {"data_sale_opt_out": True}),
        ("customer_record", {"data_sale_opt_out": False}),
    ]


async def test_an_erasure_does_not_end_while_an_opt_out_is_written_by_an_earlier_look(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    (customer,) = front.shop.customers.values()
    customer.data_sale_opt_out = True
    connections, shop = front.connections, front.installed.shop
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    await open_request(connections, shop, "r", Kind.CUSTOMER, datetime.now(UTC), customer_id=customer.id)

    async def look_then_redact(connections: Connections, events: Sequence[Any]) -> list[Any]:
        kept = await only_kept(connections, events)
        with pytest.raises(RequestIncomplete):
            await erase_person(connections, shop, "r")
        return kept

    monkeypatch.setattr(opt_outs, "only_kept", look_then_redact)
    assert await compare(front) == 1
    await erase_person(connections, shop, "r")
    assert await rows(front, CustomerRow) == []


async def test_a_customer_who_is_gone_without_a_word_is_told_of_once(front: Shopfront) -> None:
    connections = front.connections
    (customer,) = front.shop.customers.values()
    gone = [replace(customer, id=number) for number in (8, 9)]
    front.shop.customers |= {each.id: each for each in gone}
    for each in front.shop.customers.values():
        event = CustomerChanged(
            shop=front.installed.shop, event_id="c", happened_at=NOON, customer_id=each.id,
            orders_count=1, email_marketing=None, sms_marketing=None, data_sale_opt_out=None,
            created_at=NOON, updated_at=NOON,
        )  # fmt: skip
        await record_customers(connections, [event])
    assert await compare(front) == 0
    assert await told(connections) == []
    del front.shop.customers[8], front.shop.customers[9]
    await compare(front)
    events = await told(connections)
    assert [event.customer_id for event in events] == [8, 9]
    for event in events:
        await remove_customer(connections, event)
    await compare(front)
    assert len(await told(connections)) == 2
    assert [row.deleted_at is None for row in await rows(front, CustomerRow)] == [True, False, False]


async def test_an_order_that_is_gone_without_a_word_is_told_of_once(front: Shopfront) -> None:
    connections, now = front.connections, datetime.now(UTC)
    made = [past_order(front.shop, 0, number) for number in range(1, 5)]
    for order in made:
        order.created_at = order.updated_at = now - timedelta(days=1)
    stays, goes, called_off, just_placed = made
    just_placed.created_at = now  # who began to read all of them a moment ago need not have seen it
    cancel(called_off, now)
    await run_backfill(connections, front.installed.shop)
    for order in (goes, called_off, just_placed):
        front.shop.remove_order(order)
    await compare(front)
    (event,) = await told(connections, OrderDeleted)
    assert (event.order_id, event.currency) == (goes.id, "USD")
    await remove_order(connections, event)
    await compare(front)
    assert len(await told(connections, OrderDeleted)) == 1
    async with connections.read() as db:
        query = select(OrderRow.order_id).where(col(OrderRow.cancelled_at).is_(None))
        assert sorted((await db.exec(query)).all()) == sorted([stays.id, just_placed.id])


async def test_the_orders_of_a_customer_who_was_merged_become_the_others(front: Shopfront) -> None:
    connections, now = front.connections, datetime.now(UTC)
    second_customer(front.shop)
    mine, other = past_order(front.shop, 0, 1), past_order(front.shop, 0, 2)
    other.customer_id = 8
    for record in (mine, other, *front.shop.customers.values()):
        record.created_at = record.updated_at = now - timedelta(days=1)
    await run_backfill(connections, front.installed.shop)
    other.customer_id = 7
    del front.shop.customers[8]
    await compare(front)
    for event in await told(connections):
        await remove_customer(connections, event)
    await compare(front)
    (whose,) = await told(connections, OrderUpdated)
    assert (whose.order_id, whose.customer_id) == (other.id, 7)
    await record_order(connections, whose)
    await compare(front)
    assert len(await told(connections, OrderUpdated)) == 1


async def test_a_shop_that_left_is_asked_again_another_day(front: Shopfront) -> None:
    await front.http.post("/control/uninstall")
    assert await compare(front) == 0
    assert await rows(front, ConsentRow) == []
