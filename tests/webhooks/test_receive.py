import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import msgspec
import pytest
from sqlalchemy import event
from sqlmodel import SQLModel, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.connections import Connections
from app.consent.digests import open_digests
from app.errors import TillwiseError
from app.shops.sealed import opened as unsealed
from app.tables import InboxRow
from tests.webhooks.deliveries import SHOP, headers, order_body, signature
from webhooks.batching import WAKE_CHANNEL
from webhooks.receive import LIMIT_BYTES, opened, routes


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TillwiseError)
    return JSONResponse({"error": str(error)}, error.status)


@asynccontextmanager
async def web(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    served = Starlette(routes=routes, exception_handlers={TillwiseError: _refuse})
    served.state.connections = connections
    transport = httpx.ASGITransport(served)
    async with opened(served), httpx.AsyncClient(transport=transport, base_url="http://t") as http:
        yield http


async def stored(connections: Connections) -> list[InboxRow]:
    async with connections.read() as db:
        return list((await db.exec(select(InboxRow).order_by(InboxRow.id))).all())  # type: ignore[arg-type]


async def test_a_delivery_is_stored_before_it_is_acknowledged_with_nothing_but_what_is_used(
    on_both_databases: Connections,
) -> None:
    used = order_body()
    body = order_body(note="Ring twice", billing_address={"first_name": "Jane"}, browser_ip="203.0.113.9")
    async with web(on_both_databases) as http:
        answer = await http.post("/webhooks", content=body, headers=headers(body))
        assert answer.status_code == 200
        (row,) = await stored(on_both_databases)
    assert (row.shop, row.topic, row.event_id) == (SHOP, "orders/create", "e-1")
    assert msgspec.json.decode(row.body) == msgspec.json.decode(used)
    assert row.status == "pending"
    assert row.triggered_at == datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)


async def test_a_repeat_is_acknowledged_and_changes_nothing(on_both_databases: Connections) -> None:
    body = order_body()
    async with web(on_both_databases) as http:
        for webhook_id in ("w-1", "w-2"):
            sent = headers(body, Webhook_Id=webhook_id)
            assert (await http.post("/webhooks", content=body, headers=sent)).status_code == 200
    assert [row.webhook_id for row in await stored(on_both_databases)] == ["w-1"]


async def test_two_topics_of_one_change_are_two_rows(connections: Connections) -> None:
    body = order_body()
    async with web(connections) as http:
        for topic in ("orders/create", "orders/paid"):
            await http.post("/webhooks", content=body, headers=headers(body, topic))
    assert len(await stored(connections)) == 2


async def test_the_webhook_id_stands_in_for_a_missing_event_id(connections: Connections) -> None:
    body = order_body()
    async with web(connections) as http:
        await http.post("/webhooks", content=body, headers=headers(body, Event_Id=None))
    assert [row.event_id for row in await stored(connections)] == ["w-1"]


async def test_headers_without_their_prefix_are_read(connections: Connections) -> None:
    body = order_body()
    sent = {name.removeprefix("X-"): value for name, value in headers(body).items()}
    async with web(connections) as http:
        assert (await http.post("/webhooks", content=body, headers=sent)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Hmac_Sha256": signature(b"other")}, 401),
        ({"Hmac_Sha256": signature(order_body(), "another-secret")}, 401),
        ({"Hmac_Sha256": "garbage"}, 401),
        ({"Hmac_Sha256": None}, 400),
        ({"Topic": None}, 400),
        ({"Shop_Domain": None}, 400),
        ({"Shop_Domain": "evil.example.com"}, 400),
    ],
)
async def test_what_is_not_shopifys_is_refused_and_not_stored(
    connections: Connections, changes: dict[str, str | None], status: int
) -> None:
    body = order_body()
    async with web(connections) as http:
        answer = await http.post("/webhooks", content=body, headers=headers(body, **changes))
    assert answer.status_code == status
    assert await stored(connections) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_not_allowed(connections: Connections, method: str) -> None:
    async with web(connections) as http:
        assert (await http.request(method, "/webhooks")).status_code == 405


async def test_a_delivery_without_a_body_is_refused(connections: Connections) -> None:
    async with web(connections) as http:
        assert (await http.post("/webhooks", content=b"", headers=headers(b""))).status_code == 400
    assert await stored(connections) == []


async def test_a_truncated_body_fails_its_signature(connections: Connections) -> None:
    body = order_body()
    async with web(connections) as http:
        answer = await http.post("/webhooks", content=body[:-5], headers=headers(body))
    assert answer.status_code == 401


@pytest.mark.parametrize("told", [None, "10", "garbage"])
async def test_too_much_is_refused_whatever_its_length_is_said_to_be(
    connections: Connections, told: str | None
) -> None:
    body = b" " * (LIMIT_BYTES + 1)
    sent = headers(body) | ({"Content-Length": told} if told else {})

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    async with web(connections) as http:
        answer = await http.post("/webhooks", content=parts(), headers=sent)
    assert answer.status_code == 413


async def test_what_says_it_is_too_long_is_refused_unread(connections: Connections) -> None:
    async with web(connections) as http:
        sent = headers(b"") | {"Content-Length": str(LIMIT_BYTES + 1)}
        assert (await http.post("/webhooks", content=b"", headers=sent)).status_code == 413


@pytest.mark.parametrize(
    "body",
    [b"{\xff\xfe\x00", b"{not json", b"{\n", b'{"id":' * 50_000],
)
async def test_what_carries_the_signature_is_stored_even_when_unreadable(
    on_both_databases: Connections, body: bytes
) -> None:
    async with web(on_both_databases) as http:
        answer = await http.post("/webhooks", content=body, headers=headers(body))
    assert answer.status_code == 200
    (row,) = await stored(on_both_databases)
    assert body not in row.body
    assert unsealed(on_both_databases.settings.token_encryption_keys, row.body) == body


@pytest.mark.parametrize("topic", ["orders/create", "customers/update"])
async def test_an_address_is_stored_as_its_digest(connections: Connections, topic: str) -> None:
    body = order_body(email=" Jane@Example.com ")
    async with web(connections) as http:
        await http.post("/webhooks", content=body, headers=headers(body, topic))
    (row,) = await stored(connections)
    digests = await open_digests(connections)
    assert b"xample" not in row.body
    assert msgspec.json.decode(row.body)["email_digest"] == digests.of_email(SHOP, "jane@example.com")


async def test_a_shop_and_a_topic_we_do_not_know_are_stored_for_the_worker_to_decide(
    connections: Connections,
) -> None:
    body = b'{"name": "Jane"}'
    sent = headers(body, "themes/publish", Shop_Domain="unknown.myshopify.com")
    async with web(connections) as http:
        assert (await http.post("/webhooks", content=body, headers=sent)).status_code == 200
    assert [(row.topic, row.body) for row in await stored(connections)] == [("themes/publish", b"{}")]


async def test_deliveries_that_arrive_together_share_commits(connections: Connections) -> None:
    commits = 0

    def count(_connection: object) -> None:
        nonlocal commits
        commits += 1

    event.listen(connections.engine.sync_engine, "commit", count)
    body = order_body()
    async with web(connections) as http:
        answers = await asyncio.gather(
            *(
                http.post("/webhooks", content=body, headers=headers(body, Event_Id=f"e-{n}"))
                for n in range(100)
            )
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len(await stored(connections)) == 100
    assert commits < 20


async def test_a_database_that_is_down_asks_shopify_to_send_again(
    connections: Connections,
) -> None:
    body = order_body()
    async with web(connections) as http:
        async with connections.engine.begin() as database:
            await database.run_sync(SQLModel.metadata.drop_all)
        answer = await http.post("/webhooks", content=body, headers=headers(body))
        assert answer.status_code == 503
        async with connections.engine.begin() as database:
            await database.run_sync(SQLModel.metadata.create_all)
        answer = await http.post("/webhooks", content=body, headers=headers(body))
        assert answer.status_code == 200
    assert len(await stored(connections)) == 1


async def test_the_worker_is_woken(connections: Connections) -> None:
    body = order_body()
    async with connections.redis.pubsub() as listener:
        await listener.subscribe(WAKE_CHANNEL)
        await listener.get_message(timeout=60)
        async with web(connections) as http:
            await http.post("/webhooks", content=body, headers=headers(body))
        message = await listener.get_message(ignore_subscribe_messages=True, timeout=60)
    assert message is not None
