import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlmodel import select

from app.connections import Connections
from app.events.kinds import AnyEvent, AppUninstalled, OrderPlaced
from app.events.log import EventConsumer
from app.shops.sealed import sealed
from app.tables import InboxRow, ShopRow
from tests.webhooks.deliveries import SHOP, order_body
from tests.webhooks.examples import example_payloads
from webhooks.delivery import Delivery
from webhooks.inbox import LEASE
from webhooks.payload import Payload
from webhooks.translate import READERS, is_ours
from webhooks.work import process_due

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


async def install(connections: Connections, **fields: Any) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW, **fields))


async def deliver(connections: Connections, body: bytes, topic: str = "orders/create", **fields: Any) -> None:
    facts: dict[str, Any] = {
        "shop": SHOP,
        "event_id": f"{topic}-{len(body)}",
        "topic": topic,
        "received_at": NOW,
        "next_attempt_at": NOW,
        "body": body,
    }
    async with connections.write() as db:
        db.add(InboxRow(**facts | fields))


async def logged(connections: Connections) -> list[AnyEvent]:
    reader = EventConsumer(connections.redis, "test", group="test")
    await reader.open()
    return [delivery.event() for delivery in await reader.read(count=10_000, block_ms=1)]


async def inbox(connections: Connections) -> list[InboxRow]:
    async with connections.read() as db:
        return list((await db.exec(select(InboxRow))).all())


async def test_a_delivery_becomes_an_event_in_the_shops_currency(on_both_databases: Connections) -> None:
    await install(on_both_databases, currency="JPY")
    await deliver(on_both_databases, order_body(currency=None, total_price="1200"))
    assert await process_due(on_both_databases, NOW) == 1
    (event,) = await logged(on_both_databases)
    assert isinstance(event, OrderPlaced)
    assert (event.total_minor, event.currency) == (1200, "JPY")
    assert event.happened_at == NOW
    assert [row.status for row in await inbox(on_both_databases)] == ["done"]
    assert await process_due(on_both_databases, NOW + LEASE) == 0


async def test_a_body_stays_for_the_log_but_not_one_that_names_whom_its_event_may_not(
    connections: Connections,
) -> None:
    await install(connections)
    order, cart = order_body(), b'{"token": "c1", "line_items": [], "updated_at": "2026-11-01T11:59:00Z"}'
    await deliver(connections, order)
    await deliver(connections, cart, topic="carts/update")
    await process_due(connections, NOW)
    assert len(await logged(connections)) == 2
    assert {row.topic: row.body for row in await inbox(connections)} == {
        "orders/create": order,
        "carts/update": b"",
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\xfe", "the body is not JSON"),
        (b'{"id":' * 5_000, "the body is"),
        (b"{}", "created_at is missing"),
        (b"[]", "not a JSON object"),
    ],
)
async def test_what_can_never_be_read_is_parked_at_once_with_its_reason(
    connections: Connections, body: bytes, reason: str
) -> None:
    await install(connections)
    await deliver(connections, body)
    await deliver(connections, order_body())
    await process_due(connections, NOW)
    kept = {row.status: row for row in await inbox(connections)}
    assert reason in kept["parked"].error
    assert kept["parked"].body == body
    assert "done" in kept
    assert len(await logged(connections)) == 1


async def test_a_sealed_body_is_read_once_opened(connections: Connections) -> None:
    await install(connections)
    keys = connections.settings.token_encryption_keys
    await deliver(connections, sealed(keys, order_body()))
    await deliver(connections, sealed(keys, b'{"first_name": "Jane", '), event_id="cut off")
    await process_due(connections, NOW)
    kept = {row.status: row for row in await inbox(connections)}
    assert set(kept) == {"done", "parked"}
    assert "the body is not JSON" in kept["parked"].error
    assert "Jane" not in kept["parked"].error + kept["parked"].body.decode()
    assert len(await logged(connections)) == 1


async def test_a_body_whose_key_is_gone_is_parked_until_the_key_is_back(connections: Connections) -> None:
    await install(connections)
    await deliver(connections, sealed((Fernet.generate_key().decode(),), order_body()))
    await process_due(connections, NOW)
    (row,) = await inbox(connections)
    assert row.status == "parked"
    assert "TOKEN_ENCRYPTION_KEYS" in row.error


async def test_a_failure_of_ours_is_kept_without_what_it_failed_on(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_payload: Payload, _delivery: Delivery) -> AnyEvent:
        raise ValueError("no such person: jane@example.com")

    monkeypatch.setitem(READERS, "orders/create", fail)  # type: ignore[misc]
    await install(connections)
    await deliver(connections, order_body())
    await process_due(connections, NOW)
    (row,) = await inbox(connections)
    assert row.status == "pending"
    assert re.fullmatch(r"ValueError at test_work\.py:\d+: a message of 32 characters, left out", row.error)


@pytest.mark.parametrize(
    ("topic", "shop", "note"),
    [
        ("themes/publish", SHOP, "not a topic of ours: themes/publish"),
        ("orders/create", "stranger.myshopify.com", "the shop does not have the app"),
    ],
)
async def test_what_does_not_concern_us_is_done_with_a_note(
    connections: Connections, topic: str, shop: str, note: str
) -> None:
    await install(connections)
    await deliver(connections, order_body(), topic, shop=shop)
    await process_due(connections, NOW)
    (row,) = await inbox(connections)
    assert (row.status, row.error) == ("done", note)
    assert await logged(connections) == []


async def test_a_shop_that_left_is_heard_about_leaving_and_privacy_only(
    connections: Connections,
) -> None:
    await install(connections, uninstalled_at=NOW)
    await deliver(connections, order_body())
    await deliver(connections, b"{}", "app/uninstalled")
    await process_due(connections, NOW)
    assert [type(event) for event in await logged(connections)] == [AppUninstalled]


async def test_without_the_log_nothing_is_marked_and_no_attempt_is_lost(
    connections: Connections,
) -> None:
    await install(connections)
    await deliver(connections, order_body())
    nowhere: Redis = Redis.from_url("unix:///nowhere.sock")
    for _ in range(20):
        with pytest.raises(RedisError):
            await process_due(replace(connections, redis=nowhere), NOW)
    (row,) = await inbox(connections)
    assert (row.status, row.attempts) == ("pending", 0)
    assert await process_due(connections, NOW) == 1
    assert len(await logged(connections)) == 1


async def test_a_crash_before_the_mark_only_repeats_the_event(connections: Connections) -> None:
    await install(connections)
    await deliver(connections, order_body())
    await process_due(connections, NOW)
    async with connections.write() as db:  # as if the process had died before this
        (row,) = (await db.exec(select(InboxRow))).all()
        row.status, row.body = "pending", order_body()
        db.add(row)
    await process_due(connections, NOW + LEASE + timedelta(seconds=1))
    first, second = await logged(connections)
    assert first == second


async def test_every_example_of_shopify_is_done_or_parked_with_a_reason(
    connections: Connections,
) -> None:
    await install(connections)
    ours = 0
    for number, (_, topic, body) in enumerate(example_payloads()):
        ours += is_ours(topic) and body != b"{}"
        await deliver(connections, body, topic, event_id=str(number))
    while await process_due(connections, NOW):
        pass
    rows = await inbox(connections)
    assert {row.status for row in rows} == {"done", "parked"}
    assert {row.error for row in rows if row.status == "parked"} == {"inventory_item_id is missing"}
    assert sum(not row.error for row in rows) == ours == len(await logged(connections))
