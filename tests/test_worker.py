import asyncio
import errno
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import httpx
import msgspec
import pytest
from redis.asyncio.lock import Lock
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlmodel import col, func, select
from starlette.applications import Starlette

from app import job_worker as work_jobs_module
from app import jobs
from app.connections import Connections, redis_key
from app.errors import ShopifyUnavailable
from app.events.consume import work_off
from app.events.kinds import AnyEvent, CartUpdated, CheckoutDeleted, CheckoutUpdated
from app.events.log import DEAD, EventConsumer
from app.job_worker import work_jobs
from app.jobs import alone, exclusive_job, request_job
from app.shops.active import active_shops
from app.shops.changes import CATALOG_CHANGED
from app.tables import InboxRow, OrderLineRow, OrderRow, ProductRow, ShopRow
from app.worker import HANDLERS, for_known_shops, run_worker
from tests.conftest import ENVIRONMENT
from tests.webhooks.deliveries import SHOP, headers, order_body
from webhooks.inbox import LEASE
from webhooks.receive import opened, routes
from webhooks.work import process_due

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[1]
PATIENCE_S = 120  # of a machine that others use too
# Keys that do not expire, though an instance lives for years: a few of an installation and of a shop, and one
# of each customer. What is in them goes when it was worked off, or is as much as there are shops.
LASTS = re.compile(
    rb"tw:(events|active|revisions|turns|\{ledger\}:told)|\{tw:events\}:(ours|dead)"
    rb"|streaq:default:(queues:(delayed:)?\w+|index:\w+)"
    rb"|tw:\{a\.myshopify\.com\}:(visitor:customer:\d+|fired|(fresh|ahead):seen|reconciled:\w+|coupons:.+)"
)


async def install(connections: Connections) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW))


async def count(connections: Connections, column: Any) -> int:
    async with connections.read() as db:
        return (await db.exec(select(func.count(column)))).one()


async def until(condition: Any, wanted: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await condition() < wanted:  # noqa: ASYNC110  (another process decides)
            await asyncio.sleep(0.05)


def test_every_event_has_its_reactions_in_the_table() -> None:
    only_kept = {CartUpdated, CheckoutUpdated, CheckoutDeleted}
    assert set(get_args(AnyEvent)) - set(HANDLERS) == only_kept


async def test_a_webhook_reaches_the_tables_and_the_processes_that_serve(
    connections: Connections,
) -> None:
    await install(connections)
    web, stop = Starlette(routes=routes), asyncio.Event()
    web.state.connections = connections
    worker = asyncio.create_task(run_worker(connections, stop))
    product = {
        "id": 2, "title": "Tea", "status": "active", "published_at": "2026-11-01T12:00:00Z",
        "updated_at": "2026-11-01T12:00:00Z", "variants": [{"id": 3, "price": "4.20"}],
    }  # fmt: skip
    async with (
        connections.redis.pubsub() as listener,
        opened(web),
        httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://t") as http,
    ):
        await listener.subscribe(CATALOG_CHANGED)
        for topic, body in (
            ("orders/create", order_body()),
            ("products/create", msgspec.json.encode(product)),
        ):
            answer = await http.post("/webhooks", content=body, headers=headers(body, topic))
            assert answer.status_code == 200
        await until(lambda: count(connections, OrderRow.order_id), 1)
        await until(lambda: count(connections, ProductRow.product_id), 1)
        async with asyncio.timeout(PATIENCE_S):
            while not await announces(listener, SHOP):
                pass
    stop.set()
    async with asyncio.timeout(PATIENCE_S):
        await worker
    assert await lasting_keys(connections) == []


async def lasting_keys(connections: Connections) -> list[bytes]:
    """Return the keys without an end that ought to have one. What a job in the queue needs lasts with it."""
    redis = connections.redis
    put_off = await redis.zrange("streaq:default:queues:delayed:normal", 0, -1)
    asked = [entry[b"task_id"] for _, entry in await redis.xrange("streaq:default:queues:normal")]
    queued = {*put_off, *asked}
    keys = [key async for key in redis.scan_iter(count=1_000) if key.rpartition(b":")[2] not in queued]
    return [key for key in keys if await redis.ttl(key) == -1 and not LASTS.fullmatch(key)]


async def announces(listener: Any, shop: str) -> bool:
    message = await listener.get_message(ignore_subscribe_messages=True, timeout=1)
    return message is not None and message["data"] == shop.encode()


async def test_nothing_is_lost_or_doubled_when_the_worker_is_killed_again_and_again(
    connections: Connections, redis_url: str
) -> None:
    await install(connections)
    total, now = 100, datetime.now(UTC)
    async with connections.write() as db:
        for number in range(1, total + 1):
            line = {"id": number, "quantity": 1, "price": "10.00", "product_id": 2}
            body = order_body(id=number, line_items=[line])
            db.add(
                InboxRow(
                    shop=SHOP,
                    event_id=str(number),
                    topic="orders/create",
                    received_at=now,
                    next_attempt_at=now,
                    body=body,
                )
            )
    for kill_at in (1, 40):
        await kill_a_worker(connections, redis_url, kill_at)
        async with connections.write() as db:  # leases end after a minute: don't wait for that
            for row in (await db.exec(select(InboxRow).where(InboxRow.status == "pending"))).all():
                row.next_attempt_at = now
                db.add(row)
    await finish_by_hand(connections)
    assert await count(connections, OrderRow.order_id) == total
    assert await count(connections, OrderLineRow.line_id) == total
    async with connections.read() as db:
        statuses = set((await db.exec(select(col(InboxRow.status)))).all())
    assert statuses == {"done"}
    assert await connections.redis.xlen(DEAD) == 0


async def kill_a_worker(connections: Connections, redis_url: str, orders: int) -> None:
    """Start a worker and kill it, without warning, once so many orders are in the database."""
    settings = ENVIRONMENT | {"TILLWISE_DATA_DIR": str(connections.settings.data_dir)}
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.worker_process", json.dumps(settings), redis_url, cwd=ROOT
    )
    try:
        await until(lambda: count(connections, OrderRow.order_id), orders)
    finally:
        worker.kill()
        await worker.wait()


async def finish_by_hand(connections: Connections) -> None:
    later = datetime.now(UTC) + LEASE + timedelta(seconds=1)
    while await process_due(connections, later):
        pass
    consumer = EventConsumer(connections.redis, "last", idle_ms=0)
    await consumer.open()
    while deliveries := await consumer.reclaim() or await consumer.read(block_ms=1):
        await work_off(connections, consumer, HANDLERS, deliveries)


async def test_a_job_under_way_when_the_worker_stops_is_done_by_the_next(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    began, seen, stop = asyncio.Event(), [], asyncio.Event()

    async def forever(_connections: Connections, shop: str) -> None:
        began.set()
        await asyncio.sleep(3_600)

    async def quick(_connections: Connections, shop: str) -> None:
        seen.append(shop)

    await request_job(connections, "train", SHOP)
    first = asyncio.create_task(work_jobs(connections, {"train": forever}, stop))
    async with asyncio.timeout(PATIENCE_S):
        await began.wait()
        stop.set()
        await first

    second_stop = asyncio.Event()
    second = asyncio.create_task(work_jobs(connections, {"train": quick}, second_stop))

    async def done() -> int:
        return len(seen)

    await until(done, 1)
    second_stop.set()
    async with asyncio.timeout(PATIENCE_S):
        await second
    assert seen == [SHOP]
    assert [each for each in caplog.records if each.exc_info] == []


async def test_a_job_that_fails_disturbs_no_other(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    began, stop = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def results() -> int:
        return len(await connections.redis.keys("streaq:default:task:results:*"))

    async def broken(_connections: Connections, _shop: str) -> None:
        await began.wait()
        raise LookupError("what may quote a person")

    async def under_way(_connections: Connections, shop: str) -> None:
        began.set()
        await until(results, 1)
        done.append(shop)

    await request_job(connections, "segment", SHOP)
    await request_job(connections, "train", SHOP)
    working = asyncio.create_task(work_jobs(connections, {"segment": broken, "train": under_way}, stop))
    await until(results, 2)
    stop.set()
    async with asyncio.timeout(PATIENCE_S):
        await working
    assert done == [SHOP]
    kept = await connections.redis.mget(await connections.redis.keys("streaq:default:task:results:*"))
    assert not any(b"quote a person" in each for each in kept)
    (told,) = [each for each in caplog.records if each.exc_info]
    assert (told.__dict__["shop"], told.__dict__["kind"]) == (SHOP, "segment")


async def test_a_job_is_done_for_a_shop_that_is_there_which_counts_as_active(
    connections: Connections,
) -> None:
    done: list[str] = []

    async def work(_connections: Connections, shop: str) -> None:
        done.append(shop)

    job = for_known_shops({"train": work})["train"]
    await job(connections, SHOP)
    assert (done, await active_shops(connections.redis, 60)) == ([], set())
    await install(connections)
    await job(connections, SHOP)
    assert (done, await active_shops(connections.redis, 60)) == ([SHOP], {SHOP})


async def test_a_long_job_of_one_shop_takes_no_place_of_others(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_jobs_module, "_LOCKED_RETRY_AFTER", timedelta(milliseconds=50))
    ended, stop = asyncio.Event(), asyncio.Event()
    began: list[str] = []
    meanwhile: list[str] = []

    async def long(connections: Connections, shop: str) -> None:
        async with exclusive_job(connections, "train", shop):
            began.append(shop)
            await ended.wait()

    async def quick(_connections: Connections, shop: str) -> None:
        meanwhile.append(shop)

    async def begun() -> int:
        return len(began)

    async def done() -> int:
        return len(meanwhile)

    for _ in range(6):  # asked for again and again while it takes its time, as more places as there are
        await request_job(connections, "train", SHOP)
        await connections.redis.delete(redis_key(SHOP, "waiting", "train"))
    working = asyncio.create_task(work_jobs(connections, {"train": long, "segment": quick}, stop))
    await until(begun, 1)
    await request_job(connections, "segment", SHOP)
    await until(done, 1)
    assert began == [SHOP]
    ended.set()
    await until(begun, 2)  # what was asked for meanwhile is done
    stop.set()
    async with asyncio.timeout(PATIENCE_S):
        await working


async def test_a_job_that_meets_a_full_disk_is_given_up_in_the_end(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(work_jobs_module, "_RETRY_AFTER", timedelta())
    monkeypatch.setattr(work_jobs_module, "_MAX_TRIES", 3)
    tries, stop = [], asyncio.Event()

    async def full(_connections: Connections, shop: str) -> None:
        tries.append(shop)
        raise OSError(errno.ENOSPC, "no space left on device")

    async def results() -> int:
        return len(await connections.redis.keys("streaq:default:task:results:*"))

    await request_job(connections, "train", SHOP)
    working = asyncio.create_task(work_jobs(connections, {"train": full}, stop))
    await until(results, 1)
    stop.set()
    async with asyncio.timeout(PATIENCE_S):
        await working
    assert len(tries) == 3
    (told,) = [each for each in caplog.records if each.message == "a job is given up"]
    assert (told.__dict__["shop"], told.__dict__["kind"]) == (SHOP, "train")


async def test_a_job_outlasts_an_outage_however_long(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_jobs_module, "_RETRY_AFTER", timedelta())
    tries, stop = [], asyncio.Event()

    async def out(_connections: Connections, shop: str) -> None:
        tries.append(shop)
        if len(tries) <= 25:
            raise ShopifyUnavailable("out")
        stop.set()

    await request_job(connections, "backfill", SHOP)
    async with asyncio.timeout(PATIENCE_S):
        await work_jobs(connections, {"backfill": out}, stop)
    assert len(tries) == 26


async def test_a_lock_that_redis_holds_since_its_clock_was_put_back_keeps_nobody_out(
    connections: Connections,
) -> None:
    await connections.redis.set(redis_key(SHOP, "running", "train"), "of the dead", px=24 * 3_600_000)
    async with asyncio.timeout(PATIENCE_S), exclusive_job(connections, "train", SHOP):
        assert await connections.redis.pttl(redis_key(SHOP, "running", "train")) <= 30_000


async def test_a_lock_is_held_on_once_redis_is_back(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_LEASE_S", 0.3)
    renew, tries, renewed = Lock.do_reacquire, [], asyncio.Event()

    async def do_reacquire(lock: Lock) -> Any:
        tries.append(lock)
        if len(tries) < 3:
            raise RedisConnectionError("away")
        await renew(lock)
        renewed.set()

    monkeypatch.setattr(Lock, "do_reacquire", do_reacquire)
    async with alone(connections, "train", SHOP), asyncio.timeout(PATIENCE_S):
        await renewed.wait()
    assert not await connections.redis.exists(redis_key(SHOP, "running", "train"))


async def test_a_lock_that_lapsed_is_taken_again_unless_somebody_else_has_it(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(jobs, "_LEASE_S", 0.3)
    key, redis = redis_key(SHOP, "running", "train"), connections.redis

    async def told() -> int:
        return len([each for each in caplog.records if "without its lock" in each.message])

    async with alone(connections, "train", SHOP):
        await redis.delete(key)
        await until(lambda: redis.exists(key), 1)
        assert await told() == 0
        await redis.set(key, "another's")
        await until(told, 1)
    assert await redis.get(key) == b"another's"


@pytest.mark.parametrize("key", [redis_key(SHOP, "waiting", "train")])
async def test_a_job_that_waits_is_not_asked_for_twice(connections: Connections, key: str) -> None:
    await request_job(connections, "train", SHOP)
    await request_job(connections, "train", SHOP)
    assert await connections.redis.exists(key)
    queued = await connections.redis.keys("streaq:default:task:*")
    assert len(queued) == 1
