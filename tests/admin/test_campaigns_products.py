"""The products that a campaign offers: named by their titles, and had by the shop."""

from __future__ import annotations

import httpx
import pytest

from app.campaigns.store import all_campaigns
from app.catalog.store import remove_product
from app.connections import Connections
from app.events.kinds import ProductDeleted
from tests.admin.campaign_factories import written
from tests.admin.factories import OTHER, SHOP, bearer, entrance, keep, now, product, shop_row

UPSELL = written(kind="upsell", off="")


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


async def call(browser: httpx.AsyncClient, name: str, products: str) -> httpx.Response:
    form = {"form": UPSELL | {"products": products}}
    return await browser.post(f"/admin/api/campaigns/{name}", json=form, headers=bearer(SHOP))


async def test_products_are_called_by_their_titles(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), *product(7, "Matches"), *product(8, "Wick"))
    told = (await call(browser, "check", "8, 7")).json()
    assert (told["shows"], told["chosen"]) == ("Wick and Matches", "Wick and Matches")
    assert (await call(browser, "check", "7, 8, 9, wick")).json()["chosen"] == "Matches and Wick"
    assert (await call(browser, "keep", "8, 7")).status_code == 200
    address, entered = entrance("/admin/campaigns", SHOP)
    assert "Wick and Matches" in (await browser.get(address, params=entered)).text


@pytest.mark.parametrize("number", ["8", "9", "123"])  # deleted, another shop's, nobody's
async def test_a_product_that_the_shop_does_not_have_can_not_be_offered(
    connections: Connections, browser: httpx.AsyncClient, number: str
) -> None:
    rows = *product(7, "Matches"), *product(8, "Wick"), *product(9, "Theirs", OTHER)
    await keep(connections, shop_row(), *rows)
    deleted = ProductDeleted(shop=SHOP, event_id="d", happened_at=now(), product_id=8)
    await remove_product(connections, deleted)
    why = f"Tillwise knows of no product {number} in your shop: choose it in Shopify"
    judged = (await call(browser, "check", f"7, {number}")).json()
    assert judged["errors"] == [{"field": "products", "message": why}]
    assert (await call(browser, "keep", f"7, {number}")).json() == {"error": why, "field": "products"}
    assert await all_campaigns(connections, SHOP) == []
