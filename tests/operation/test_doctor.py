"""What is set up wrongly is found by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app import doctor
from app.config import read_settings
from app.connections import connect
from app.consent.digests import open_digests
from app.doctor import examine
from app.events.moved import MOVED
from app.migrations import migrate
from tests.conftest import ENVIRONMENT


@pytest.fixture
async def environment(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[pytest.MonkeyPatch]:
    """The environment of an installation in which nothing is wrong."""
    database = f"sqlite:///{tmp_path / 'tillwise.db'}"
    given = {
        "TILLWISE_DATA_DIR": str(tmp_path), "DATABASE_URL": database, "REDIS_URL": redis_url,
        "TOKEN_ENCRYPTION_KEYS": "A" * 43 + "=",
    }  # fmt: skip
    for name, value in (ENVIRONMENT | given).items():
        monkeypatch.setenv(name, value)
    await migrate(database.replace("sqlite", "sqlite+aiosqlite", 1))
    yield monkeypatch
    async with Redis.from_url(redis_url) as redis:
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("appendonly", "yes")


async def wrong() -> dict[str, str]:
    return {finding.name: finding.says for finding in await examine() if not finding.ok}


async def test_an_installation_in_which_nothing_is_wrong_has_no_finding(
    environment: pytest.MonkeyPatch,
) -> None:
    assert await wrong() == {}


async def test_a_data_directory_that_can_not_be_made_is_found(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TILLWISE_DATA_DIR", "/dev/null/models")
    assert await wrong() == {
        "data directory": "/dev/null/models: models can't be published: it is not writable"
    }


async def test_tables_of_another_version_are_found(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    assert "another version" in (await wrong())["database"]


async def test_keys_that_do_not_open_what_is_sealed_are_found(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    async with connect(read_settings(), redis_url) as connections:
        await open_digests(connections)
    assert await wrong() == {}
    environment.setenv("TOKEN_ENCRYPTION_KEYS", "B" * 43 + "=")
    assert (await wrong()).keys() == {"encryption keys"}


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


async def test_a_clock_that_is_wrong_is_found(environment: pytest.MonkeyPatch) -> None:
    real = doctor.time.time
    environment.setattr(doctor.time, "time", lambda: real() + 90)
    assert "time server" in (await wrong())["clock"]


async def test_a_secret_that_is_given_as_its_own_successor_is_found(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SHOPIFY_OLD_API_SECRET", ENVIRONMENT["SHOPIFY_API_SECRET"])
    assert "the one before" in (await wrong())["secrets"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("amqp://guest:not-told@127.0.0.1:1", "RabbitMQ: nothing listens there"),
        ("kafka://guest:not-told@127.0.0.1:1", "Connection refused"),
    ],
)
async def test_a_broker_that_does_not_answer_is_found_and_its_password_not_told(
    environment: pytest.MonkeyPatch, url: str, said: str
) -> None:
    for module in ("rabbitmq", "kafka"):
        environment.setattr(f"app.events.{module}._PATIENCE_S", 0.5)
    environment.setenv("EVENT_LOG_URL", url)
    found = await wrong()
    assert said in found["event log"]
    assert "not-told" not in str(found)


async def test_events_that_are_with_a_broker_nobody_reads_are_found(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    async with Redis.from_url(redis_url) as redis:
        await redis.zadd(MOVED, {"1-0": 1})
        try:
            assert "1 events are with a broker" in (await wrong())["event log"]
        finally:
            await redis.delete(MOVED)


async def test_stores_that_do_not_answer_are_found(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REDIS_URL", "redis://127.0.0.1:1")
    environment.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert {"redis", "database"} <= set(await wrong())
