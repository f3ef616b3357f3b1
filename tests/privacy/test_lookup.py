"""An address that no row knows is asked for at Shopify."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import respx
from graphql import build_client_schema, parse, validate

from app.connections import Connections
from app.errors import ShopifyUnavailable
from app.privacy.lookup import FIND_CUSTOMER, customer_of_address
from app.shops.vault import seal
from app.tables import TokenRow
from tests.privacy.planted import ROSA, SHOP, plant

SCHEMAS = Path(__file__).parents[2] / "node_modules/@shopify/dev-mcp/dist/data"
URL = f"https://{SHOP}/admin/api/2026-07/graphql.json"


@pytest.mark.skipif(not SCHEMAS.exists(), reason="npm packages are not installed: make setup")
@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
def test_the_question_is_good_in_shopifys_schema(version: str) -> None:
    with gzip.open(SCHEMAS / f"admin_{version}.json.gz") as packed:
        schema = build_client_schema(json.load(packed)["data"], assume_valid=True)
    assert validate(schema, parse(FIND_CUSTOMER)) == []


async def with_token(connections: Connections) -> None:
    keys = connections.settings.token_encryption_keys
    async with connections.write() as db:
        db.add(TokenRow(shop=SHOP, access_token=seal(keys, "shpat_x"), updated_at=datetime.now(UTC)))


async def test_a_known_address_needs_no_question(connections: Connections) -> None:
    await plant(connections, ROSA)
    assert await customer_of_address(connections, SHOP, f" {ROSA.email.upper()} ") == ROSA.customer


@respx.mock
async def test_an_unknown_address_is_asked_for(connections: Connections) -> None:
    await with_token(connections)
    found = {"data": {"customerByIdentifier": {"id": "gid://shopify/Customer/77"}}}
    route = respx.post(URL).mock(return_value=httpx.Response(200, json=found))
    assert await customer_of_address(connections, SHOP, "who@example.com ") == 77
    assert json.loads(route.calls.last.request.content)["variables"] == {"address": "who@example.com"}
    respx.post(URL).mock(return_value=httpx.Response(200, json={"data": {"customerByIdentifier": None}}))
    assert await customer_of_address(connections, SHOP, "nobody@example.com") is None


@respx.mock
async def test_a_shopify_that_does_not_answer_is_told(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_token(connections)

    async def at_once(_: float) -> None:
        return

    monkeypatch.setattr("app.shopify.asyncio.sleep", at_once)
    monkeypatch.setattr("app.shopify._ATTEMPTS", 1)
    respx.post(URL).mock(return_value=httpx.Response(503))
    with pytest.raises(ShopifyUnavailable):
        await customer_of_address(connections, SHOP, "who@example.com")


async def test_a_shop_without_the_app_can_not_be_asked(connections: Connections) -> None:
    assert await customer_of_address(connections, SHOP, "who@example.com") is None
