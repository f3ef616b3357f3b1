"""An installation in which nothing is wrong, to set something up wrongly in."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app import doctor
from app.doctor import examine
from tests.conftest import ENVIRONMENT


@pytest.fixture
async def environment(
    tmp_path: Path, redis_url: str, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[pytest.MonkeyPatch]:
    """The environment of an installation in which nothing is wrong."""
    shutil.copyfile(migrated, tmp_path / "tillwise.db")
    database = f"sqlite:///{tmp_path / 'tillwise.db'}"
    given = {
        "TILLWISE_DATA_DIR": str(tmp_path), "DATABASE_URL": database, "REDIS_URL": redis_url,
        "TOKEN_ENCRYPTION_KEYS": "A" * 43 + "=", "SCOPES": "read_orders",
    }  # fmt: skip
    for name, value in (ENVIRONMENT | given).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(doctor, "_LEAST_LEFT", 0)
    async with Redis.from_url(redis_url) as redis:
        await redis.flushall()  # other tests leave events with their brokers
    yield monkeypatch
    async with Redis.from_url(redis_url) as redis:
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("appendonly", "yes")


async def wrong() -> dict[str, str]:
    return {finding.name: finding.says for finding in await examine() if not finding.ok}
