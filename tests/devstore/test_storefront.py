"""What a theme and an app find in the dev store's storefront: Liquid blocks, the Ajax cart, the app proxy."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import httpx
import pytest

from devstore.checkout import add_line, apply_code, cost
from devstore.host_state import state
from devstore.main import create_app
from devstore.pages import Builds, routes
from devstore.pages.builds import THEME
from devstore.records import Discount
from devstore.shop import Shop
from devstore.store import Store
from devstore.tokens import proxy_query
from tests.devstore.browser_world import ROOT
from tests.devstore.small_shop import DOMAIN, NOW, SECRET, small_shop, small_store

FOLDER = ROOT / "extensions" / THEME


@pytest.fixture
def shop() -> Shop:
    return small_shop()


@pytest.fixture
def store(shop: Shop) -> Store:
    made = small_store(shop, ("carts/create", "carts/update"))
    made.install(shop)
    made.app = replace(made.app, proxy_url="http://app/proxy", proxy_path="apps/tillwise")
    return made


@pytest.fixture
async def browser(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """A client that keeps cookies, in a storefront whose theme has the app's blocks."""
    builds = Builds({}, FOLDER)
    transport = httpx.ASGITransport(app=create_app(store, routes(builds), builds=builds))
    async with httpx.AsyncClient(transport=transport, base_url="http://devstore") as client:
        yield client


def page_of(html: str) -> Any:
    found = re.search(r"data-tillwise-page>(.*?)</script>", html, re.DOTALL)
    assert found
    return json.loads(found[1])


async def test_a_product_page_has_the_blocks_with_their_files_each_once(browser: httpx.AsyncClient) -> None:
    html = (await browser.get("/products/whole-milk?locale=de&country=DE&most=2")).text
    assert html.count("data-tillwise-place") == 2
    assert "Das könnte Ihnen auch gefallen" in html
    assert "{%" not in html
    assert "schema" not in html
    page = page_of(html)
    assert (page["product_id"], page["locale"], page["country"], page["design"]) == (1, "de", "DE", False)
    assert page["company"] is None
    assert page["words"]["button.add_label"] == "In den Warenkorb: {title}"
    (style,) = re.findall(r'href="(/extensions/theme/[^"]*)"', html)
    assert (await browser.get(style)).text == (FOLDER / "assets" / "tillwise.css").read_text()


@pytest.mark.parametrize("locale", ["ar", "de", "en", "es", "fr", "ja"])
async def test_each_locale_has_its_own_words(browser: httpx.AsyncClient, locale: str) -> None:
    words = page_of((await browser.get(f"/cart?locale={locale}")).text)["words"]
    own = FOLDER / "locales" / ("en.default.json" if locale == "en" else f"{locale}.json")
    assert words["button.add"] == json.loads(own.read_text())["button"]["add"]


async def test_settings_are_their_defaults_unless_the_query_names_them(browser: httpx.AsyncClient) -> None:
    assert 'data-after="5"' in (await browser.get("/products/whole-milk")).text
    assert 'data-after="20"' in (await browser.get("/products/whole-milk?delay=20")).text
    assert "data-after" not in (await browser.get("/products/whole-milk?exit=0")).text
    quoted = (await browser.get("/products/whole-milk?heading=<b>")).text
    assert "&lt;b&gt;</h2>" in quoted


async def test_a_theme_without_the_blocks_has_nothing_of_the_app(browser: httpx.AsyncClient) -> None:
    assert "tillwise-" not in (await browser.get("/products/whole-milk?embed=0")).text
    assert (await browser.get("/extensions/theme/nothing.js")).status_code == 404


async def test_lines_with_other_properties_are_other_lines(browser: httpx.AsyncClient, store: Store) -> None:
    marked = {"id": 101, "quantity": 1, "properties": {"_tillwise_offer": "o1", "empty": ""}}
    added = await browser.post("/cart/add.js", json={"items": [marked]})
    assert added.json()["items"][0]["properties"] == {"_tillwise_offer": "o1"}
    await browser.post("/cart/add.js", json={"id": 101, "quantity": 2})
    await browser.post("/cart/add.js", json={"items": [marked]})
    cart = (await browser.get("/cart.js")).json()
    assert [(item["quantity"], item["properties"]) for item in cart["items"]] == [
        (2, {"_tillwise_offer": "o1"}),
        (2, {}),
    ]
    assert (cart["item_count"], cart["items_subtotal_price"], cart["currency"]) == (4, 4 * 349, "USD")
    topics = [delivery.topic for delivery in store.deliverer.log]
    assert topics == ["carts/create", "carts/update", "carts/update"]


async def test_a_code_takes_nothing_off_what_comes_again_and_again(
    browser: httpx.AsyncClient, shop: Shop
) -> None:
    shop.products[3].requires_selling_plan = True
    await browser.get("/discount/TENTH")
    await browser.post("/cart/add.js", json={"items": [{"id": 103, "selling_plan": 5}]})
    (item,) = (await browser.get("/cart.js")).json()["items"]
    assert item["selling_plan_allocation"]["selling_plan"]["recurring_deliveries"] is True
    await browser.post("/checkouts/new")
    (checkout,) = shop.checkouts.values()
    (line,) = state(shop, checkout, NOW, "")["lines"]
    plan = {"id": "gid://shopify/SellingPlan/5", "recurringDeliveries": True}
    assert (line["merchandise"]["sellingPlan"], checkout.codes) == (plan, [])
    add_line(shop, checkout, 101, 1, NOW)
    apply_code(shop, checkout, "TENTH", NOW)
    assert [each.total_minor for each in cost(shop, checkout, NOW).lines] == [899, 314]  # 3.49 less a tenth


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"id": 104}, "Sold out: Mint Ice Cream"),
        ({"id": 9}, "no longer sold"),
        ({}, "id"),
        ({"id": "x"}, "x"),
    ],
)
async def test_what_can_not_be_added_is_a_422_with_the_reason(
    browser: httpx.AsyncClient, body: dict[str, Any], why: str
) -> None:
    answer = await browser.post("/cart/add.js", json=body)
    assert answer.status_code == 422
    assert why in answer.json()["description"]


async def test_an_empty_cart_is_a_cart_too(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/cart.js")).json()["items"] == []


@pytest.mark.parametrize(
    ("wanted", "leads"), [("/cart", "/cart"), ("https://evil.example", "/"), ("//evil.example", "/")]
)
async def test_a_discount_link_leads_on_within_the_shop(
    browser: httpx.AsyncClient, wanted: str, leads: str
) -> None:
    answer = await browser.get("/discount/TENTH", params={"redirect": wanted})
    assert (answer.status_code, answer.headers["location"]) == (302, leads)


async def test_the_cart_is_told_what_a_code_takes_off_its_lines_and_of_which_it_takes_nothing(
    browser: httpx.AsyncClient, shop: Shop
) -> None:
    shop.add_discount(Discount(79, "Milk", NOW, {"MILK": 0}, percentage=20, product_ids=frozenset({1})))
    shop.add_discount(Discount(80, "Much", NOW, {"MUCH": 0}, percentage=20, minimum_minor=10_000))
    await browser.post("/cart/add.js", json={"items": [{"id": 101, "quantity": 2}, {"id": 102}]})
    await browser.get("/discount/MILK")
    milk = (await browser.get("/cart.js")).json()
    # 2 x 3.49 less 1.40, and 4.25
    assert [item["final_line_price"] for item in milk["items"]] == [558, 425]
    assert (milk["items_subtotal_price"], milk["total_price"], milk["total_discount"]) == (983, 983, 140)
    await browser.get("/discount/MUCH")
    much = (await browser.get("/cart.js")).json()
    assert (much["discount_codes"], much["total_discount"]) == ([{"code": "MUCH", "applicable": False}], 0)


@pytest.mark.parametrize(("code", "applied"), [("TENTH", ["TENTH"]), ("NO-SUCH", [])])
async def test_the_checkout_has_the_code_of_the_link(
    browser: httpx.AsyncClient, shop: Shop, code: str, applied: list[str]
) -> None:
    await browser.get(f"/discount/{code}")
    await browser.post("/cart/add.js", json={"id": 101})
    told = (await browser.get("/cart.js")).json()
    assert told["discount_codes"] == [{"code": code, "applicable": bool(applied)}]
    # Of the order as a whole: no line's price knows of it.
    taken = 35 if applied else 0
    assert (told["items_subtotal_price"], told["items"][0]["final_line_price"]) == (349, 349)
    assert (told["total_price"], told["total_discount"]) == (349 - taken, taken)
    await browser.post("/checkouts/new")
    (checkout,) = shop.checkouts.values()
    assert checkout.codes == applied


async def test_the_proxy_signs_for_whom_it_asks_and_brings_no_cookies_back(
    browser: httpx.AsyncClient, store: Store
) -> None:
    seen: list[httpx.Request] = []

    def app(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        kept = {"set-cookie": "a=b", "cache-control": "no-store"}
        return httpx.Response(200, json={"offers": []}, headers=kept)

    store.deliverer.client = httpx.AsyncClient(transport=httpx.MockTransport(app))
    browser.cookies.set("devstore_customer", "7")
    asked = "question=%7B%7D&shop=evil.example&logged_in_customer_id=1"
    answer = await browser.get(f"/apps/tillwise/offers?{asked}")
    assert answer.json() == {"offers": []}
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    pairs = parse_qsl(seen[0].url.query.decode(), keep_blank_values=True)
    told = dict(pairs)
    assert seen[0].url.path == "/proxy/offers"
    assert (told["shop"], told["logged_in_customer_id"], told["question"]) == (DOMAIN, "7", "{}")
    unsigned = [pair for pair in pairs if pair[0] != "signature"]
    assert parse_qs(proxy_query(unsigned, SECRET))["signature"] == [told["signature"]]


async def test_an_app_that_is_down_is_a_502_and_another_path_is_nobodys(
    browser: httpx.AsyncClient, store: Store
) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    store.deliverer.client = httpx.AsyncClient(transport=httpx.MockTransport(down))
    assert (await browser.get("/apps/tillwise/offers")).status_code == 502
    assert (await browser.get("/apps/another/offers")).status_code == 404
