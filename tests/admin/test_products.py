"""The products page: what a merchant wishes of products in offers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from app.admin.routes import routes
from app.connections import Connections, connect
from app.shops.store import get_shop
from app.snapshots import load_snapshot
from app.tables import ExclusionRow
from app.values import ShopDomain
from tests.admin.factories import OTHER, SHOP, bearer, entrance, keep, now, product, shop_row
from tests.admin.test_campaigns_in_browser import violations
from tests.admin.test_in_browser import DESKTOP, PHONE, opened, served
from tests.shops.web import browsing


async def page(browser: httpx.AsyncClient, shop: str = SHOP, **about: str) -> str:
    address, query = entrance("/admin/products", shop, **about)
    answer = await browser.get(address, params=query)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


async def wish(browser: httpx.AsyncClient, product_id: Any, wished: Any, shop: str = SHOP) -> httpx.Response:
    body = {"product_id": product_id, "wish": wished}
    return await browser.post("/admin/api/products/wish", json=body, headers=bearer(shop))


async def settings(connections: Connections, shop: str = SHOP) -> dict[str, Any]:
    found = await get_shop(connections, shop)
    assert found is not None
    return found.settings


async def keep_products(connections: Connections, **told: Any) -> None:
    titles = enumerate(("Ale", "Butter", "Cheese"), start=1)
    rows = [row for number, title in titles for row in product(number, title)]
    await keep(connections, shop_row(settings=told), *rows)


async def test_a_product_is_pinned_weighed_and_let_be_again(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_products(connections, locale="de")
    assert (await wish(browser, 3, "pinned")).json() == {"title": "Cheese", "wish": "pinned"}
    await wish(browser, 2, "2")
    assert await settings(connections) == {"locale": "de", "pinned": [3], "boosts": {"2": 2.0}}
    snapshot = await load_snapshot(connections, ShopDomain(SHOP))
    assert snapshot is not None
    assert (snapshot.terms.pinned, snapshot.terms.boosts) == (frozenset({3}), {2: 2.0})
    await wish(browser, 3, "0.5")  # what is weighed is not pinned
    assert await settings(connections) == {"locale": "de", "boosts": {"2": 2.0, "3": 0.5}}
    await wish(browser, 3, "usual")
    await wish(browser, 2, "usual")
    assert await settings(connections) == {"locale": "de"}


async def test_products_with_a_wish_come_first_and_say_it(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_products(connections, pinned=[3], boosts={"2": 3.5})
    text = await page(browser)
    assert re.findall(r'data-product="(\d)"', text) == ["2", "3", "1"]
    assert '<s-option value="3.5" selected>Weighed 3.5 times</s-option>' in text
    assert '<s-option value="pinned" selected>' in text
    assert "2 with a wish of yours" in text


@pytest.mark.parametrize(
    ("product_id", "wished", "status"),
    [
        (9, "pinned", 404),
        (1, "11", 400),
        (1, "0", 400),
        (1, "nan", 400),
        (1, "-2", 400),
        (1, "always", 400),
        (1, 2, 400),
        (-1, "pinned", 400),
        ("1", "pinned", 400),
        (1, "x" * 11, 400),
    ],
)
async def test_what_can_not_be_wished_is_refused_and_changes_nothing(
    connections: Connections, browser: httpx.AsyncClient, product_id: Any, wished: Any, status: int
) -> None:
    await keep_products(connections, pinned=[2])
    assert (await wish(browser, product_id, wished)).status_code == status
    assert await settings(connections) == {"pinned": [2]}


async def test_no_more_are_pinned_than_lead(connections: Connections, browser: httpx.AsyncClient) -> None:
    await keep_products(connections, pinned=list(range(100, 120)))
    refused = await wish(browser, 1, "pinned")
    assert refused.status_code == 400
    assert "20 products are pinned" in refused.json()["error"]


async def test_what_was_deleted_in_shopify_takes_no_pins_place_and_is_in_no_count(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_products(connections, pinned=[*range(100, 119), 2], boosts={"119": 2.0, "3": 2.0})
    gone = [row for number in range(100, 120) for row in product(number, f"Old {number}")]
    for row in gone[::2]:
        row.deleted_at = now()
    left_out = [ExclusionRow(shop=SHOP, product_id=number, excluded_at=now()) for number in (1, 100)]
    await keep(connections, *gone, *left_out)
    text = await page(browser)
    assert "2 with a wish of yours" in text
    assert "<span data-excluded-count>1</span>" in text
    assert (await wish(browser, 100, "pinned")).status_code == 404
    assert (await wish(browser, 1, "pinned")).status_code == 200
    assert await settings(connections) == {"pinned": [2, 1], "boosts": {"3": 2.0}}


async def test_a_product_is_found_in_any_case_of_any_letter(on_both_databases: Connections) -> None:
    shirt = product(1, "Ärmelloses Top")
    shirt[0].vendor = "Élan"
    await keep(on_both_databases, shop_row(), *shirt, *product(2, "Butter"))
    async with browsing(routes, on_both_databases) as browser:
        for words in ("ärmel", "Ärmel", "ÄRMEL", "ärmelloses top", "élan", "ÉLAN"):
            assert re.findall(r'data-product="(\d)"', await page(browser, q=words)) == ["1"], words


async def test_settings_of_another_layout_are_replaced_by_the_wish(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_products(connections, pinned="all", boosts=[1])
    assert 'value="usual" selected' in await page(browser)
    await wish(browser, 1, "pinned")
    assert await settings(connections) == {"pinned": [1]}


async def test_a_wish_of_one_shop_is_none_of_anothers(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_products(connections)
    await keep(connections, shop_row(OTHER))
    assert (await wish(browser, 1, "pinned", OTHER)).status_code == 404
    assert await settings(connections) == await settings(connections, OTHER) == {}


async def test_without_the_database_nothing_is_kept_and_it_is_said(connections: Connections) -> None:
    away = replace(connections.settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with connect(away, connections.redis_url) as broken, browsing(routes, broken) as browser:
        refused = await wish(browser, 1, "pinned")
    assert refused.status_code == 503
    assert "can't reach its database" in refused.json()["error"]


async def test_what_is_wished_while_redis_is_away_is_kept_and_said_to_take_longer(
    connections: Connections,
) -> None:
    await keep_products(connections)
    away = connect(connections.settings, "redis://127.0.0.1:1")
    async with away as broken, browsing(routes, broken) as without:
        answer = await wish(without, 1, "pinned")
    assert (answer.status_code, answer.headers["X-Tillwise-Later"]) == (200, "1")
    assert await settings(connections) == {"pinned": [1]}


async def test_a_wish_is_kept_as_soon_as_it_is_chosen(connections: Connections) -> None:
    await keep_products(connections)
    async with served(connections) as url, opened(url, "/admin/products", DESKTOP) as page:
        await page.get_by_label("Wish of Butter").select_option(label="First wherever it fits")
        await expect(page).to_have_title("Butter: kept, from the next answer on")
        await page.reload()
        await expect(page.get_by_label("Wish of Butter")).to_have_value("pinned")
    assert await settings(connections) == {"pinned": [2]}


async def test_a_wish_that_was_not_kept_is_taken_back_on_the_page(connections: Connections) -> None:
    await keep_products(connections)
    async with served(connections) as url, opened(url, "/admin/products", DESKTOP) as page:
        await keep_products(connections, pinned=list(range(100, 120)))
        await page.get_by_label("Wish of Butter").select_option(label="First wherever it fits")
        await expect(page).to_have_title(re.compile("20 products are pinned"))
        await expect(page.get_by_label("Wish of Butter")).to_have_value("usual")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
async def test_axe_finds_nothing(connections: Connections, viewport: dict[str, int]) -> None:
    await keep_products(connections, pinned=[3])
    async with served(connections) as url, opened(url, "/admin/products", viewport) as page:
        assert await violations(page) == []
