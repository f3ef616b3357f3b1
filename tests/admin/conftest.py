"""What the tests of the admin ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from app.admin.routes import routes
from app.connections import Connections
from tests.shops.web import browsing


@pytest.fixture
async def browser(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the admin's pages and calls."""
    async with browsing(routes, connections) as client:
        yield client
