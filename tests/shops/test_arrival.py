from __future__ import annotations

import asyncio

import respx

from app.connections import Connections
from app.shops.arrival import ensure_installed
from app.shops.store import install
from app.shops.tokens import access_token
from tests.shops.admin_api import SHOP, Admin
from tests.shops.test_store import GRANT

URL = f"https://{SHOP}/admin/api/2026-07/graphql.json"
TOKEN_URL = f"https://{SHOP}/admin/oauth/access_token"
GRANTED = {"access_token": "shpat_1", "expires_in": 3600, "refresh_token": "shprt_1"}


async def test_two_pages_opened_at_once_ask_for_one_token(on_both_databases: Connections) -> None:
    connections = on_both_databases
    with respx.mock:
        exchange = respx.post(TOKEN_URL).respond(json=GRANTED)
        respx.post(URL).mock(side_effect=Admin().answer)
        first, second = await asyncio.gather(*(ensure_installed(connections, SHOP, "id") for _ in range(2)))
    assert exchange.call_count == 1
    assert first.publishable_key == second.publishable_key
    assert await access_token(connections, SHOP) == "shpat_1"


async def test_a_shop_that_is_in_is_asked_for_nothing(connections: Connections) -> None:
    with respx.mock:
        respx.post(URL).mock(side_effect=Admin().answer)
        await install(connections, SHOP, GRANT)
        exchange = respx.post(TOKEN_URL).respond(json=GRANTED)
        await ensure_installed(connections, SHOP, "id")
    assert exchange.call_count == 0
