"""What the tests of the admin ask for. Those of a file share an event loop, and so can share a Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from app.admin.routes import routes
from app.config import Settings
from app.connections import Connections
from tests.admin.chromium import CHROMIUM
from tests.conftest import on_either, on_sqlite
from tests.shops.web import browsing

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("asyncio"):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(loop_scope="module")
async def connections(settings: Settings, redis_url: str, empty_database: Path) -> AsyncIterator[Connections]:
    """Open connections on an empty database and an empty Redis."""
    async with on_sqlite(settings, redis_url, empty_database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module", params=["sqlite", "postgresql"])
async def on_both_databases(
    request: pytest.FixtureRequest, settings: Settings, redis_url: str, empty_database: Path
) -> AsyncIterator[Connections]:
    """The same as `connections`, once on SQLite and once on PostgreSQL."""
    async with on_either(request, settings, redis_url, empty_database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def browser(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the admin's pages and calls."""
    async with browsing(routes, connections) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def one_chromium() -> AsyncIterator[None]:
    """Close what the tests of the file opened their pages in."""
    yield
    await CHROMIUM.close()
