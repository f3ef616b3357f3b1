"""Stores that fall silent and do not hang up: nobody waits for ever, and all goes on once they answer."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from redis.exceptions import RedisError
from sqlalchemy import make_url
from sqlmodel import select
from starlette.applications import Starlette

import app.decide
import webhooks.receive
from app import jobs, postgres, shopify
from app.config import Settings
from app.connections import Connections
from app.errors import ConfigError, ShopifyUnavailable
from app.events import kafka, rabbitmq
from app.events.broker import BrokerAway, open_broker
from app.jobs import request_job
from app.migrations import migrate
from app.shopify import open_http
from app.tables import InboxRow
from tests.chaos.stage import open_shop
from tests.conftest import on_postgresql, on_sqlite
from tests.offers.factories import SHOP, a_body
from tests.shops.factories import checkout_claims, signed_token
from tests.way import Way, way_to
from tests.webhooks.deliveries import headers, order_body

PATIENCE_S = 60  # of a machine that others use too


@pytest.fixture
async def redis_way(redis_url: str) -> AsyncIterator[Way]:
    async with way_to(urlsplit(redis_url).path) as way:
        yield way


@pytest.fixture
async def connections(settings: Settings, redis_way: Way, empty_database: Path) -> AsyncIterator[Connections]:
    """The app with one shop, whose way to Redis can be made silent."""
    async with on_sqlite(settings, f"redis://127.0.0.1:{redis_way.port}/0", empty_database) as opened:
        await open_shop(opened)
        yield opened


@asynccontextmanager
async def answering(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    web = Starlette(routes=[*webhooks.receive.routes, *app.decide.routes])
    web.state.connections = connections
    async with (
        webhooks.receive.opened(web),
        app.decide.opened(web),
        httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://t") as http,
    ):
        yield http


async def fallback(http: httpx.AsyncClient) -> str | None:
    proof = {"Authorization": f"Bearer {signed_token(checkout_claims(datetime.now(UTC)))}"}
    answer = await http.post("/api/personalize", json=a_body(10), headers=proof)
    assert answer.status_code == 200
    told: str | None = answer.json()["fallback"]
    return told


async def test_checkouts_are_answered_while_redis_is_silent_and_in_full_once_it_is_not(
    connections: Connections, redis_way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("READ_MS", "LOG_MS"):
        monkeypatch.setattr(app.decide, limit, 20)
    async with answering(connections) as http, asyncio.timeout(PATIENCE_S):
        while await fallback(http) in ("timeout", "log"):  # a busy machine may be slow
            pass
        redis_way.silence()
        assert {await fallback(http) for _ in range(3)} <= {"redis", "log"}
        redis_way.heal(forgetting=True)
        while await fallback(http) in ("redis", "log"):
            pass


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux alone bounds a silent connection")
async def test_a_redis_or_shopify_that_vanished_holds_no_connection_for_ever(
    connections: Connections, redis_way: Way, settings: Settings
) -> None:
    await connections.redis.ping()
    (idle,) = connections.redis.connection_pool._available_connections
    ways = [idle._writer.get_extra_info("socket")]
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        here = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with open_http(replace(settings, dev_store_url=here)) as http:
            response = await http.get(f"https://{SHOP}/")
            ways.append(response.extensions["network_stream"].get_extra_info("socket"))
            assert [way.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) for way in ways] == [
                15_000
            ] * 2
            assert all(way.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) for way in ways)


async def test_who_listens_to_a_redis_that_vanished_is_told_so(connections: Connections) -> None:
    async with connections.redis.pubsub() as channel:
        await channel.subscribe("news")
        assert await channel.get_message(timeout=PATIENCE_S)
        given_up = TimeoutError(errno.ETIMEDOUT, "Connection timed out")
        asyncio.get_running_loop().call_soon(channel.connection._reader.set_exception, given_up)
        with pytest.raises(RedisError):
            await channel.get_message(timeout=PATIENCE_S)


async def test_a_shopify_that_is_silent_is_asked_again_and_answers_once_it_is_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shopify, "_TIMEOUT", httpx.Timeout(0.2))
    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0) as server,
        way_to(server.sockets[0].getsockname()[1]) as way,
        open_http(replace(settings, dev_store_url=f"http://127.0.0.1:{way.port}")) as http,
    ):
        asked = partial(shopify.graphql, http, settings, SHOP, "token", "query Shop { shop { id } }")
        assert await asked() == {"shop": {"id": "1"}}
        way.silence()
        with pytest.raises(ShopifyUnavailable):
            await asked(sleep=at_once)
        way.heal(forgetting=True)
        async with asyncio.timeout(PATIENCE_S):
            assert await asked() == {"shop": {"id": "1"}}


async def at_once(_seconds: float) -> None:
    return


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be a Shopify that answers every question alike."""
    body = b'{"data": {"shop": {"id": "1"}}}'
    with suppress(asyncio.IncompleteReadError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    writer.close()


async def test_who_asks_for_a_job_is_told_that_the_queue_is_silent(
    connections: Connections, redis_way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_READ_TIMEOUT_S", 0.2)
    monkeypatch.setattr(jobs, "_CONNECT_TIMEOUT_S", 0.2)
    queue = jobs.job_queue
    await connections.redis.ping()

    def silent_queue(*asked: object) -> object:
        redis_way.silence()  # after it was noted that the job is asked for
        return queue(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "job_queue", silent_queue)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises((RedisError, OSError)):
            await request_job(connections, "train", SHOP)


async def test_deliveries_are_refused_while_postgresql_is_silent_and_stored_once_it_is_not(
    settings: Settings, redis_url: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (webhooks.receive, webhooks.batching):
        monkeypatch.setattr(module, "PATIENCE_MS", 300)
    async with way_to(f"{make_url(postgres_url).query['host']}/.s.PGSQL.5432") as way:
        url = f"postgresql+asyncpg://postgres@127.0.0.1:{way.port}/postgres?sslmode=disable"
        async with on_postgresql(settings, redis_url, url) as connections, answering(connections) as http:
            async with asyncio.timeout(PATIENCE_S):
                while await deliver(http, "1") != 200:  # a busy machine may be slow
                    pass
            way.silence()
            assert [await deliver(http, "2") for _ in range(2)] == [503, 503]
            way.heal(forgetting=True)
            async with asyncio.timeout(PATIENCE_S):
                while await deliver(http, "2") != 200:
                    pass
            async with connections.read() as db:
                assert sorted((await db.exec(select(InboxRow.event_id))).all()) == ["1", "2"]


async def test_a_postgresql_that_is_silent_from_the_start_is_told_at_boot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "_EACH_S", 0.2)
    async with way_to(0) as way, asyncio.timeout(PATIENCE_S):
        way.silence()
        with pytest.raises(ConfigError, match="no connection to the database: it does not answer in time"):
            await migrate(f"postgresql+asyncpg://postgres@127.0.0.1:{way.port}/postgres")


async def deliver(http: httpx.AsyncClient, event_id: str) -> int:
    body = order_body()
    return (await http.post("/webhooks", content=body, headers=headers(body, Event_Id=event_id))).status_code


@pytest.mark.parametrize("scheme", ["amqp", "kafka"])
async def test_a_broker_that_is_silent_is_an_outage(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq, "_PATIENCE_S", 0.2)
    monkeypatch.setattr(kafka, "_PATIENCE_S", 0.2)
    async with way_to(0) as way:
        way.silence()
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(BrokerAway):
                async with open_broker(f"{scheme}://127.0.0.1:{way.port}"):
                    pass
