"""The same promises on every pair of engines that can be started here, chosen by URL alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette

import app.collect
import app.decide
import webhooks.receive
from app.config import Settings, read_settings
from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.requests import Kind, open_request
from app.coupons.grants import CodeRequest, grant
from app.coupons.pool import fill
from app.errors import ConfigError
from app.events.consume import work_off
from app.events.log import DEAD, EventConsumer, EventLog
from app.job_worker import work_jobs
from app.jobs import exclusive_job, request_job
from app.privacy.shop import erase_shop
from app.profiles.store import kept_profile
from app.tables import EventRow, OrderLineRow, OrderRow
from app.values import shop_domain
from app.worker import HANDLERS
from tests.conftest import ENVIRONMENT, on_postgresql, on_sqlite
from tests.offers.factories import SHOP, a_body
from tests.shops.factories import checkout_claims, signed_token
from tests.test_live import install, sell
from tests.webhooks.deliveries import headers, order_body
from webhooks.work import process_due, restore_lost

PIXEL_KEY = "pk_" + "k" * 43


REDIS = {"unix socket": "redis_url", "tcp": "tcp_redis_url", "cluster": "cluster_redis_url"}


@pytest.fixture(params=[f"{database}, {way}" for database in ("sqlite", "postgresql") for way in REDIS])
async def engines(
    request: pytest.FixtureRequest, settings: Settings, empty_database: Path
) -> AsyncIterator[Connections]:
    """The app with one shop, on a pair of engines."""
    database, way = request.param.split(", ")
    redis_url = request.getfixturevalue(REDIS[way])
    if database == "sqlite":
        opening = on_sqlite(settings, redis_url, empty_database)
    else:
        opening = on_postgresql(settings, redis_url, request.getfixturevalue("postgres_url"))
    async with opening as connections:
        await install(connections, settings={"arms": {"personalised": 1}}, publishable_key=PIXEL_KEY)
        await sell(connections, 10)
        await restore_lost(connections, datetime.now(UTC))
        yield connections


@pytest.fixture
async def http(engines: Connections) -> AsyncIterator[httpx.AsyncClient]:
    web = Starlette(routes=[*webhooks.receive.routes, *app.collect.routes, *app.decide.routes])
    web.state.connections = engines
    transport = httpx.ASGITransport(web)
    async with (
        webhooks.receive.opened(web),
        app.decide.opened(web),
        httpx.AsyncClient(transport=transport, base_url="http://t") as client,
    ):
        yield client


async def handle(connections: Connections) -> None:
    while await process_due(connections, datetime.now(UTC)):
        pass
    consumer = EventConsumer(connections.redis, "test")
    await consumer.open()
    while deliveries := await consumer.read(block_ms=1):
        await work_off(connections, consumer, HANDLERS, deliveries)


async def test_a_delivery_that_comes_twice_is_one_order(
    http: httpx.AsyncClient, engines: Connections
) -> None:
    body = order_body(id=1)
    for _ in range(2):
        answer = await http.post("/webhooks", content=body, headers=headers(body, Shop_Domain=SHOP))
        assert answer.status_code == 200
        await handle(engines)
    async with engines.read() as db:
        orders, lines = (await db.exec(select(OrderRow))).all(), (await db.exec(select(OrderLineRow))).all()
    assert (len(orders), len(lines)) == (1, 1)


async def test_an_event_that_comes_twice_is_kept_once(http: httpx.AsyncClient, engines: Connections) -> None:
    event = {
        "id": "e", "name": "product_viewed", "timestamp": datetime.now(UTC).isoformat(), "client_id": "c",
        "data": {"product_id": 10}, "consent": {"analytics": True},
    }  # fmt: skip
    proof = {"Authorization": f"Bearer {PIXEL_KEY}"}
    told = [
        (await http.post("/api/track_event", json={"events": [event]}, headers=proof)).json() for _ in "12"
    ]
    await handle(engines)
    assert [each["accepted"] for each in told] == [1, 0]
    async with engines.read() as db:
        assert len((await db.exec(select(EventRow).where(EventRow.name == "product_viewed"))).all()) == 1


async def test_a_checkout_is_answered_and_the_answer_logged(
    http: httpx.AsyncClient, engines: Connections
) -> None:
    proof = {"Authorization": f"Bearer {signed_token(checkout_claims(datetime.now(UTC)))}"}
    arms = set()
    async with asyncio.timeout(60):
        while "personalised" not in arms:  # the first may not wait until the shop is loaded
            answer = await http.post("/api/personalize", json=a_body(10), headers=proof)
            assert answer.status_code == 200
            arms.add(answer.json()["arm"])
    async with asyncio.timeout(60):
        while not await EventLog(engines.redis).count_unhandled():  # nor one until its log is slow
            await http.post("/api/personalize", json=a_body(10), headers=proof)


async def test_what_fails_is_put_aside_and_put_back(engines: Connections) -> None:
    consumer = EventConsumer(engines.redis, "test")
    await consumer.open()
    await engines.redis.xadd("tw:events", {"e": b"\xc1"})
    await handle(engines)
    assert await engines.redis.xlen(DEAD) == 1
    assert await EventLog(engines.redis).revive() == 1


async def test_what_a_customer_bought_is_in_their_profile(
    http: httpx.AsyncClient, engines: Connections
) -> None:
    body = order_body(id=1, customer={"id": 7})
    await http.post("/webhooks", content=body, headers=headers(body, Shop_Domain=SHOP))
    await handle(engines)
    assert set((await kept_profile(engines, SHOP, 7)).bought) == {2}


async def test_two_shoppers_share_no_code_and_who_asks_again_has_the_same(engines: Connections) -> None:
    now, digests = datetime.now(UTC), await open_digests(engines)
    one, other = (CodeRequest(SHOP, "c", "pool", unit, 3_600, now) for unit in ("customer:7", "customer:8"))
    assert await fill(engines, SHOP, "pool", ["A", "B"]) == 2
    first = await grant(engines.redis, digests, [one, other])
    assert sorted(each.code for each in first if each) == ["A", "B"]
    assert await grant(engines.redis, digests, [one, other]) == first


async def test_a_shop_that_is_erased_leaves_nothing_in_redis(
    http: httpx.AsyncClient, engines: Connections
) -> None:
    body = order_body(id=1, customer={"id": 7})
    await http.post("/webhooks", content=body, headers=headers(body, Shop_Domain=SHOP))
    await handle(engines)
    await fill(engines, SHOP, "pool", ["A"])
    await open_request(engines, shop_domain(SHOP), "r", Kind.SHOP, datetime.now(UTC))
    await erase_shop(engines, shop_domain(SHOP), "r")
    keys = {key async for key in engines.redis.scan_iter(match="*", count=1_000)}
    assert not [key for key in keys if SHOP.encode() in key]
    assert await EventLog(engines.redis).count("tw:events", SHOP) == 0


async def test_a_shops_job_runs_in_one_place_at_a_time(engines: Connections) -> None:
    running, most, done, stop = 0, 0, 0, asyncio.Event()

    async def work(connections: Connections, shop: str) -> None:
        nonlocal running, most, done
        async with exclusive_job(connections, "train", shop):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.2)
            running, done = running - 1, done + 1
        stop.set()

    await request_job(engines, "train", SHOP)
    workers = [asyncio.create_task(work_jobs(engines, {"train": work}, stop)) for _ in range(2)]
    async with asyncio.timeout(60):
        await asyncio.gather(*workers)
    assert (most, done) == (1, 1)


@pytest.mark.parametrize("url", ["amqp://broker", "kafka://broker"], ids=["rabbitmq", "kafka"])
def test_an_engine_that_is_no_redis_is_refused_at_boot(url: str) -> None:
    with pytest.raises(ConfigError, match="REDIS_URL"):
        read_settings(ENVIRONMENT | {"REDIS_URL": url})
