"""A shop with the app, and Shopify's answers about its automatic discounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import respx

from app.connections import Connections
from app.shops.grants import Grant
from app.shops.store import Shop, install
from tests.coupons.automatic_discounts import SHOP, Discounts
from tests.webhooks.shopfront import SCOPES, Shopfront, installed


@pytest.fixture
async def shop(connections: Connections) -> Shop:
    grant = Grant("shpat", frozenset({"write_discounts"}), datetime.now(UTC) + timedelta(hours=1), None, None)
    with respx.mock as edge:
        edge.route(host=SHOP).respond(404)  # what is left of the install is not what is tried
        return await install(connections, SHOP, grant)


@pytest.fixture
async def shopify() -> AsyncIterator[Discounts]:
    discounts = Discounts()
    with respx.mock(assert_all_called=False) as edge:
        edge.post(url__regex=rf"https://{SHOP}/admin/api/.*graphql.json").mock(side_effect=discounts.answer)
        yield discounts


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    """A shop with the app that may make discounts, and its Shopify."""
    async with installed(connections, f"{SCOPES},write_discounts") as made:
        yield made
