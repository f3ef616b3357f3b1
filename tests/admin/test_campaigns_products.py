"""The products that a campaign offers: named by their titles, and had by the shop."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlmodel import update

from app.campaigns.store import all_campaigns, change_status
from app.catalog.store import remove_product
from app.connections import Connections
from app.events.kinds import ProductDeleted
from app.tables import ExclusionRow, ProductRow, VariantRow
from app.values import ShopDomain
from tests.admin.campaign_factories import written
from tests.admin.factories import OTHER, SHOP, bearer, entrance, keep, now, opened, product, shop_row

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


async def changed(connections: Connections, row: type[Any], **values: Any) -> None:
    async with connections.write() as db:
        await db.exec(update(row).where(row.shop == SHOP, row.product_id == 8).values(**values))


@pytest.mark.parametrize(
    ("row", "values", "why"),
    [
        (ProductRow, {"deleted_at": now()}, "Wick was deleted in Shopify"),
        (ProductRow, {"published": False}, "Wick is not on sale in your online store"),
        (VariantRow, {"available": 0}, "Wick is sold out"),
        (VariantRow, {"available": 0, "sells_when_out": True}, ""),
        (VariantRow, {"available": None}, ""),
    ],
)
async def test_a_running_campaign_says_which_of_its_products_shoppers_can_not_have(
    connections: Connections, browser: httpx.AsyncClient, row: type[Any], values: dict[str, Any], why: str
) -> None:
    await keep(connections, shop_row(), *product(7, "Matches"), *product(8, "Wick"))
    kept = (await call(browser, "keep", "8, 7")).json()["id"]
    await changed(connections, row, **values)
    assert "part of this campaign" not in await opened(browser, "/admin/campaigns")  # a draft shows nothing
    await change_status(connections, ShopDomain(SHOP), kept, "running")
    for path, query in (("/admin/campaigns", {}), ("/admin/campaigns/edit", {"id": kept})):
        text = await opened(browser, path, **query)
        assert ("Shoppers see a part of this campaign" in text) is bool(why)
        assert not why or f"{why}." in text
    assert ("1 campaign offers what shoppers" in await opened(browser, "/admin")) is bool(why)


async def test_a_campaign_without_any_product_left_is_said_to_show_nothing(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), *product(8, "Wick"))
    kept = (await call(browser, "keep", "8")).json()["id"]
    await change_status(connections, ShopDomain(SHOP), kept, "running")
    await keep(connections, ExclusionRow(shop=SHOP, product_id=8, excluded_at=now()))
    text = await opened(browser, "/admin/campaigns")
    assert "Shoppers see nothing of this campaign" in text
    assert "Wick is excluded on your Products page." in text
