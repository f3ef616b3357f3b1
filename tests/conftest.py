"""What every test may ask for: settings, a real Valkey, real connections on a fresh SQLite."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

import app.tables  # noqa: F401  (fills the metadata)
from app.config import Settings, read_settings
from app.connections import Connections, connect
from app.embedded_redis import embedded_redis

ENVIRONMENT = {
    "SHOPIFY_API_KEY": "test-key",
    "SHOPIFY_API_SECRET": "test-secret",
    "APP_URL": "https://tillwise.example.com",
}


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="tw", ignore_cleanup_errors=True) as directory,
        embedded_redis(Path(directory)) as address,
    ):
        yield address


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(ENVIRONMENT | {"TILLWISE_DATA_DIR": str(tmp_path / "var")})


@pytest.fixture
async def connections(settings: Settings, redis_url: str) -> AsyncIterator[Connections]:
    """Open connections on an empty database and an empty Redis."""
    async with connect(settings, redis_url) as opened:
        async with opened.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        await opened.redis.flushall()
        yield opened
