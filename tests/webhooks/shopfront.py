"""The app installed in a dev store's shop, both in this process: real requests, no network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx

from app.connections import Connections
from app.shopify import ShopTransport
from app.shops.store import Shop, install
from app.shops.tokens import exchange_id_token
from app.values import ShopDomain
from devstore.app_config import from_dict
from devstore.main import create_app, create_store
from devstore.shop import Shop as StoreShop
from devstore.store import Store
from tests.devstore.conftest import past_order
from tests.devstore.small_shop import DOMAIN, SECRET, small_shop

KEY = "the-key"
ORIGIN = "http://devstore.test"
SCOPES = (
    "read_products,read_orders,read_customers,read_inventory,read_locations,write_pixels,read_customer_events"
)


@dataclass(frozen=True)
class Shopfront:
    """connections: the app's, which reach the dev store; installed: the shop as the app knows it."""

    connections: Connections
    installed: Shop
    store: Store
    shop: StoreShop
    http: httpx.AsyncClient


@asynccontextmanager
async def installed(
    connections: Connections,
    scopes: str = SCOPES,
    *,
    topics: Sequence[str] = (),
    to_app: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Shopfront]:
    """Yield the app installed. topics: what the shop tells it of, to_app: the way there."""
    shop = small_shop()
    deliveries = httpx.AsyncClient(transport=to_app or httpx.MockTransport(lambda _: httpx.Response(200)))
    toml = {
        "access_scopes": {"scopes": scopes},
        "application_url": "https://app.test",
        "webhooks": {"api_version": "2026-07", "subscriptions": [{"topics": [*topics], "uri": "/webhooks"}]},
    }
    store = create_store(
        from_dict(toml, "https://app.test", KEY, SECRET),
        [shop],
        base_url=ORIGIN,
        client=deliveries,
        time_scale=0.0,
    )
    served = create_app(store)
    transport = httpx.ASGITransport(served)
    settings = replace(
        connections.settings, api_key=KEY, api_secret=SECRET, scopes=frozenset(scopes.split(","))
    )
    async with (
        served.router.lifespan_context(served),
        httpx.AsyncClient(transport=transport, base_url=f"http://{DOMAIN}") as http,
        httpx.AsyncClient(transport=ShopTransport(transport, ORIGIN)) as to_shopify,
    ):
        ours = replace(connections, settings=settings, http=to_shopify)
        await http.post("/control/install")
        token = (await http.post("/control/id-token")).json()["token"]
        domain = ShopDomain(DOMAIN)
        grant = await exchange_id_token(ours, domain, token)
        yield Shopfront(ours, await install(ours, domain, grant), store, shop, http)


@asynccontextmanager
async def installed_late(connections: Connections) -> AsyncIterator[Shopfront]:
    """Yield the app installed where five orders were placed before it came, and may all be read."""
    async with installed(connections, SCOPES + ",read_all_orders") as made:
        for number in range(1, 6):
            past_order(made.shop, number * 20, number)
        yield made
