"""A running dev store with a small shop, an app that records what it is sent, and a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from devstore.app_config import from_dict
from devstore.checkout import complete, start
from devstore.main import create_app, create_store
from devstore.records import Customer, Order
from devstore.shop import Shop
from devstore.store import Store
from tests.devstore.browser_world import World, build_host, opened_browser, small_world
from tests.devstore.small_shop import DOMAIN, NOW, SECRET, small_shop

KEY = "the-key"
SCOPES = (
    "read_products,read_orders,read_customers,read_inventory,write_discounts,write_pixels,read_customer_events,"
    "read_privacy_settings"
)
EXCHANGE = {
    "client_id": KEY,
    "client_secret": SECRET,
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
    "expiring": "1",
}
TOML: dict[str, Any] = {
    "application_url": "https://declared.example.com",
    "auth": {"redirect_urls": ["https://declared.example.com/auth/callback"]},
    "access_scopes": {"scopes": SCOPES},
    "webhooks": {
        "api_version": "2026-07",
        "subscriptions": [
            {"topics": ["orders/create", "orders/paid", "orders/cancelled"], "uri": "/webhooks"},
            {"topics": ["products/update"], "uri": "/webhooks", "include_fields": ["id", "title"]},
            {
                "topics": ["app/uninstalled", "app/scopes_update"],
                "uri": "https://declared.example.com/webhooks",
            },
            {"topics": ["bulk_operations/finish"], "uri": "/webhooks"},
            {"compliance_topics": ["customers/redact"], "uri": "/webhooks"},
        ],
    },
}


@dataclass
class Desk:
    """A dev store, a client of its HTTP side, and what reached the app."""

    store: Store
    shop: Shop
    client: httpx.AsyncClient
    received: list[httpx.Request] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)  # of the app to the next webhooks; then 200
    passed: timedelta = timedelta()

    def take(self, request: httpx.Request) -> httpx.Response:
        self.received.append(request)
        return httpx.Response(self.answers.pop(0) if self.answers else 200)

    def now(self) -> datetime:
        return NOW + self.passed

    @property
    def topics(self) -> list[str]:
        return [request.headers["x-shopify-topic"] for request in self.received]

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.client.post(path, json=body)

    async def token(self, **changed: str) -> httpx.Response:
        """Return the answer to a token exchange with a fresh id token."""
        await self.post("/control/install")
        made = (await self.post("/control/id-token")).json()["token"]
        form = EXCHANGE | {"subject_token": made} | changed
        return await self.client.post("/admin/oauth/access_token", data=form)

    async def sign_in(self) -> None:
        """Send a good access token from here on."""
        grant = (await self.token()).json()
        self.client.headers["X-Shopify-Access-Token"] = grant["access_token"]

    async def graphql(self, query: str, version: str = "2026-07", **variables: Any) -> dict[str, Any]:
        path = f"/admin/api/{version}/graphql.json"
        answer = await self.client.post(path, json={"query": query, "variables": variables})
        assert answer.status_code == 200, answer.text
        read: dict[str, Any] = answer.json()
        return read


def past_order(shop: Shop, days_ago: int, number: int = 1) -> Order:
    """Return an order of customer 7 for two of variant 101, placed so many days ago."""
    made = complete(shop, start(shop, f"past-{number}", NOW, [(101, 2, ())], 7), NOW)
    made.created_at = made.updated_at = NOW - timedelta(days=days_ago)
    return made


def second_customer(shop: Shop) -> Customer:
    return shop.add_customer(Customer(8, "Bo", "Ek", "bo@example.com", NOW, NOW, "subscribed", NOW))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    shop = small_shop()
    made = Desk(None, shop, None)  # type: ignore[arg-type]
    to_app = httpx.AsyncClient(transport=httpx.MockTransport(made.take))
    config = from_dict(TOML, "http://app.test", KEY, SECRET)
    made.store = create_store(
        config, [shop], base_url="http://devstore.test", clock=made.now, client=to_app, time_scale=0.0
    )
    app = create_app(made.store)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=f"http://{DOMAIN}") as made.client,
    ):
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def host_built() -> None:
    build_host()


@pytest.fixture
def world(host_built: None, tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as made:
        yield made
