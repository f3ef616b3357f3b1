"""Shopify throttled, failing, silent or refusing: what was missed is found all the same, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlmodel import select

from app.connections import Connections
from app.errors import ShopifyUnavailable, TokenRevoked
from app.events.consume import work_off
from app.events.log import EventConsumer
from app.shops.store import install
from app.shops.tokens import exchange_id_token
from app.tables import OrderRow
from app.worker import HANDLERS
from devstore.schema import MODULES
from tests.devstore.conftest import past_order
from tests.webhooks.shopfront import Shopfront, installed
from webhooks.reconcile import reconcile, reconcile_shop

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
ORDERS = 5
Fault = Callable[[httpx.Request], httpx.Response]


def throttled(_: httpx.Request) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": "0.01"})


def failing(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


def silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("no answer in time", request=request)


def out_of_points(_: httpx.Request) -> httpx.Response:
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": 1999, "restoreRate": 100.0}
    return httpx.Response(
        200,
        json={
            "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
            "extensions": {"cost": {"requestedQueryCost": 2000, "throttleStatus": status}},
        },
    )


def revoked(_: httpx.Request) -> httpx.Response:
    return httpx.Response(401, json={"errors": "[API] Invalid API key or access token"})


class Flaky(httpx.AsyncBaseTransport):
    """A way to Shopify on which every nth question meets a fault, while there is one."""

    def __init__(self, shopify: httpx.AsyncClient) -> None:
        self._shopify = shopify
        self._asked = 0
        self.fault: Fault | None = None
        self.every = 2

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._asked += 1
        if self.fault and self._asked % self.every == 0:
            return self.fault(request)
        return await self._shopify.send(request)


@pytest.fixture
async def missed(connections: Connections) -> AsyncIterator[tuple[Shopfront, Flaky]]:
    """A shop with orders that no delivery told of, and the way to it."""
    async with installed(connections) as made:
        for number in range(1, ORDERS + 1):
            order = past_order(made.shop, 0, number)
            order.created_at = order.updated_at = datetime.now(UTC)
        way = Flaky(made.connections.http)
        async with httpx.AsyncClient(transport=way) as http:
            yield replace(made, connections=replace(made.connections, http=http)), way


async def told_of(front: Shopfront) -> Counter[int]:
    """Return how often each order was told of, all worked off."""
    consumer = EventConsumer(front.connections.redis, "test")
    await consumer.open()
    told: Counter[int] = Counter()
    while deliveries := await consumer.read(block_ms=1):
        told.update(getattr(each.event(), "order_id", 0) for each in deliveries)
        await work_off(front.connections, consumer, HANDLERS, deliveries)
    del told[0]
    return told


async def known(front: Shopfront) -> int:
    async with front.connections.read() as db:
        return len((await db.exec(select(OrderRow))).all())


@pytest.mark.parametrize("fault", [throttled, failing, silent, out_of_points])
async def test_a_shopify_that_fails_now_and_then_is_asked_again(
    missed: tuple[Shopfront, Flaky], fault: Fault
) -> None:
    front, way = missed
    way.fault, way.every = fault, 4
    await reconcile_shop(front.connections, front.installed, datetime.now(UTC))
    told = await told_of(front)
    assert (len(told), set(told.values()), await known(front)) == (ORDERS, {1}, ORDERS)


@pytest.mark.parametrize(("fault", "error"), [(throttled, ShopifyUnavailable), (revoked, TokenRevoked)])
async def test_what_an_outage_cut_short_is_found_the_next_time(
    missed: tuple[Shopfront, Flaky], fault: Fault, error: type[Exception]
) -> None:
    front, way = missed
    way.fault, way.every = fault, 1
    with pytest.raises(error):
        await reconcile_shop(front.connections, front.installed, datetime.now(UTC))
    await reconcile(front.connections)  # a shop that can't be asked holds up no other
    way.fault = None
    if fault is revoked:
        token = (await front.http.post("/control/id-token")).json()["token"]
        await sign_in_again(front, token)
    later = datetime.now(UTC) + timedelta(hours=1)
    await reconcile_shop(front.connections, front.installed, later)
    assert (len(await told_of(front)), await known(front)) == (ORDERS, ORDERS)


async def sign_in_again(front: Shopfront, id_token: str) -> None:
    grant = await exchange_id_token(front.connections, front.installed.shop, id_token)
    await install(front.connections, front.installed.shop, grant)
