"""What is wrong with Redis, and with what it holds, is found by name."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.driver_info import DriverInfo

from app import __version__, queued_jobs
from app.config import read_settings
from app.connections import connect
from app.doctor import examine
from app.embedded_redis import embedded_redis
from app.events.broker_ledger import MOVED
from app.jobs import request_job
from app.redis_doctor import EMBEDDED
from app.shops.redis_owner import claim_redis
from app.tables import ShopRow
from app.values import ShopDomain
from tests.operation.conftest import wrong

SHOP = ShopDomain("a.myshopify.com")


async def put_back_in_time(redis: Redis, due_for: timedelta, begun: int) -> None:
    """Make the one job of the queue be due for so long, and begun so often."""
    (key,) = await redis.keys("streaq:default:queues:normal")
    ((_, fields),) = await redis.xrange(key)
    await redis.delete(key)
    due_ms = int((datetime.now(UTC) - due_for).timestamp() * 1000)
    await redis.xadd(key, fields, id=f"{due_ms}-0")
    await redis.set(f"streaq:default:task:retry:{fields[b'task_id'].decode()}", begun)


async def test_a_redis_that_throws_events_out_is_found(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    async with Redis.from_url(redis_url) as redis:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
    assert "noeviction" in (await wrong())["redis keeps"]


async def test_a_redis_that_keeps_nothing_on_disk_is_found(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    async with Redis.from_url(redis_url) as redis:
        await redis.config_set("appendonly", "no")
    assert "appendonly yes" in (await wrong())["redis keeps"]


async def test_a_redis_that_takes_no_writes_is_found(environment: pytest.MonkeyPatch, redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        await redis.config_set("maxmemory", 1)
        try:
            found = await wrong()
            assert "it takes no writes: " in found["redis"]
            assert "nine tenths of its memory" in found["redis keeps"]
        finally:
            await redis.config_set("maxmemory", 0)
        assert await redis.exists("tw:doctor") == 0


@pytest.mark.parametrize(
    ("due_min", "begun", "says"),
    [
        (5, 0, ""),
        (180, 0, "train of a.myshopify.com waits for 3 hours: no worker is at work, or too few are"),
        (180, 1, ""),
        (800, 1, "train of a.myshopify.com is not done after 13 hours: "),
        (5, 11, "train of a.myshopify.com was begun 11 times and never ended: the workers' log says why"),
    ],
)
async def test_a_job_that_comes_to_no_end_is_named(
    environment: pytest.MonkeyPatch, redis_url: str, due_min: int, begun: int, says: str
) -> None:
    async with connect(read_settings(), redis_url) as connections:
        await request_job(connections, "train", SHOP)
        await put_back_in_time(connections.redis, timedelta(minutes=due_min), begun)
    found = await wrong()
    assert found.get("jobs", "").startswith(says)
    assert found.keys() <= ({"jobs"} if says else set())


async def test_it_is_told_how_many_workers_ask_for_jobs_and_that_none_does_where_a_shop_needs_one(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    async def told() -> tuple[bool, str]:
        return next((each.ok, each.says) for each in await examine() if each.name == "jobs")

    none, missed = "none due or under way, no worker is at work", ": nothing is done for its shops"
    assert await told() == (True, none)
    async with connect(read_settings(), redis_url) as connections:
        async with connections.write() as db:
            db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=datetime.now(UTC)))
        assert await told() == (False, f"{none}{missed}")
        redis = connections.redis
        await redis.xgroup_create("streaq:default:queues:normal", "workers", mkstream=True)
        await redis.xreadgroup("workers", "one", {"streaq:default:queues:normal": ">"})
        assert await told() == (True, "none due or under way, 1 worker at work")
        environment.setattr(queued_jobs, "_LATELY_MS", 0)
        assert await told() == (False, f"{none}{missed}")
        await request_job(connections, "train", SHOP)
        await put_back_in_time(redis, timedelta(minutes=5), 1)  # who has it may have no time to ask
        assert await told() == (True, "1 due or under way, no worker is at work")


async def test_events_that_are_with_a_broker_nobody_reads_are_found(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    async with Redis.from_url(redis_url) as redis:
        await redis.zadd(MOVED, {"1-0": 1})
        try:
            assert "1 events are with a broker" in (await wrong())["event log"]
        finally:
            await redis.delete(MOVED)


async def test_a_redis_that_is_another_installations_too_is_found(
    environment: pytest.MonkeyPatch,
    redis_url: str,
    tmp_path: Path,
    migrated: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connect(read_settings(), redis_url) as connections:
        await claim_redis(connections)
    assert await wrong() == {}
    shutil.copyfile(migrated, tmp_path / "other.db")
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    assert "another installation" not in caplog.text
    async with connect(read_settings(), redis_url) as connections:
        await claim_redis(connections)
    assert "another installation" in caplog.text
    assert (await wrong()).keys() == {"event log"}


async def test_processes_of_another_version_are_found(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    async with connect(read_settings(), redis_url) as ours:
        await ours.redis.ping()
        assert await wrong() == {}
        environment.setattr("app.connections._US", DriverInfo().add_upstream_driver("tillwise", "0.0.9"))
        async with connect(read_settings(), redis_url) as before:
            await before.redis.ping()
            says = f"this is {__version__}, and processes of 0.0.9 are at work: start them anew"
            assert await wrong() == {"versions": says}
    while await wrong():  # until Redis knows that they are gone
        pass


async def test_a_redis_that_is_away_or_full_keeps_no_worker_from_starting(
    environment: pytest.MonkeyPatch, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(read_settings(), "redis://127.0.0.1:1") as connections:
        await claim_redis(connections)
    async with connect(read_settings(), redis_url) as connections:
        await connections.redis.config_set("maxmemory", 1)
        try:
            await claim_redis(connections)
        finally:
            await connections.redis.config_set("maxmemory", 0)
    assert [each.levelname for each in caplog.records if "claimed" in each.message] == ["WARNING", "WARNING"]


async def test_the_embedded_redis_is_looked_at_where_it_runs(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.delenv("REDIS_URL")

    async def told() -> dict[str, tuple[bool, str]]:
        return {each.name: (each.ok, each.says) for each in await examine()}

    before = await told()
    assert {before[name] for name in ("redis", "redis keeps", "versions", "jobs")} == {(True, EMBEDDED)}
    with embedded_redis(tmp_path) as address:
        assert (await told())["redis"] == (True, "answers and takes writes")
        async with connect(read_settings(), address) as connections:
            await request_job(connections, "train", SHOP)
            await put_back_in_time(connections.redis, timedelta(hours=3), 0)
        assert (await told())["jobs"][0] is False
