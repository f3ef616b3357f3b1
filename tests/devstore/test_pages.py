"""The dev store's pages, asked as a browser asks them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import httpx
import jwt
import pytest

from devstore.checkout import complete, start
from devstore.images.choose import RULES, kind_of
from devstore.images.draw import draw, drawings
from devstore.main import create_app
from devstore.pages import Builds, routes
from devstore.pages.privacy import policy_of
from devstore.pages.render import script_json
from devstore.pages.visitor import Consent, consent_of
from devstore.records import Pixel
from devstore.shop import Shop
from devstore.store import Store
from devstore.tokens import signed_query
from tests.devstore.small_shop import DOMAIN, NOW, SECRET, extension_folders, small_shop, small_store

DECLARED = """
[[extensions]]
[extensions.capabilities]
api_access = false
network_access = true
[extensions.capabilities.collect_buyer_consent]
customer_privacy = true
[[extensions.settings.fields]]
key = "ask_privacy"
type = "boolean"
[[extensions.settings.fields]]
key = "max_offers"
type = "number_integer"
[[extensions.settings.fields]]
key = "heading"
type = "single_line_text_field"
"""
TOPICS = (
    "carts/create", "carts/update", "checkouts/create", "orders/create", "orders/paid", "app/scopes_update",
)  # fmt: skip


@pytest.fixture
def shop() -> Shop:
    return small_shop()


@pytest.fixture
def store(shop: Shop) -> Store:
    return small_store(shop, TOPICS)


@pytest.fixture
async def browser(store: Store, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client that keeps cookies, against a store whose extension and pixel are built."""
    builds = Builds(extension_folders(tmp_path, {"checkout-offers": "1", "web-pixel": "2"}))
    locales = tmp_path / "checkout-offers" / "locales"
    locales.mkdir()
    (locales / "en.default.json").write_text('{"add": "Add"}')
    (locales / "fr.json").write_text('{"add": "Ajouter"}')
    (tmp_path / "web-pixel" / "shopify.extension.toml").write_text(
        '[customer_privacy]\nanalytics = true\nmarketing = false\nsale_of_data = "enabled"\n'
    )
    transport = httpx.ASGITransport(app=create_app(store, routes(builds), builds=builds))
    async with httpx.AsyncClient(transport=transport, base_url="http://devstore") as client:
        yield client


def boot_of(page: str) -> Any:
    """Return what the page hands to its scripts."""
    found = re.search(r'id="boot">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def told(store: Store) -> list[str]:
    return [delivery.topic for delivery in store.deliverer.log]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/", "a dev store"),
        ("/storefront", "Ground Coffee"),
        ("/collections/bread", "Sourdough Loaf"),
        ("/products/whole-milk", "$3.49"),
        ("/search?q=corner+loaf", "1 results"),
        ("/cart", "Your cart is empty"),
        ("/admin?shop=corner.myshopify.com", "Tillwise"),
    ],
)
async def test_every_page_answers(browser: httpx.AsyncClient, path: str, says: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 200
    assert says in answer.text


@pytest.mark.parametrize("path", ["/products/no-such", "/collections/no-such", "/checkout/no-such"])
async def test_what_does_not_exist_is_a_page_that_says_so(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 404
    assert "<h1>Not found</h1>" in answer.text


async def test_an_optional_scope_the_merchant_agrees_to_is_added_and_the_app_told(
    browser: httpx.AsyncClient, store: Store, shop: Shop
) -> None:
    store.app = replace(store.app, optional_scopes=frozenset({"write_customers"}))
    store.install(shop)
    for body in ({"scopes": ["write_themes"]}, {"scopes": "write_customers"}, {}):
        refused = await browser.post(f"/admin/scopes?shop={DOMAIN}", json=body)
        assert (refused.status_code, bool(refused.json()["error"])) == (400, True)
    given = await browser.post(f"/admin/scopes?shop={DOMAIN}", json={"scopes": ["write_customers"]})
    assert set(given.json()["granted"]) == {"write_customers", "read_customers"}
    assert told(store)[-1] == "app/scopes_update"


async def test_adding_to_the_cart_answers_the_pixel_event_and_tells_the_app(
    browser: httpx.AsyncClient, store: Store, shop: Shop
) -> None:
    store.install(shop)
    wanted = {"variant": "101", "quantity": "2"}
    added = (await browser.post("/cart/add", data=wanted, headers={"Accept": "application/json"})).json()
    assert added["count"] == 2
    (event,) = added["events"]
    assert event["name"] == "product_added_to_cart"
    assert event["data"]["cartLine"]["cost"]["totalAmount"] == {"amount": 6.98, "currencyCode": "USD"}
    await browser.post("/cart/add", data={"variant": "102"})
    assert told(store) == ["carts/create", "carts/update"]
    assert "Sourdough Loaf" in (await browser.get("/cart")).text


async def test_what_is_sold_out_stays_out_of_the_cart(browser: httpx.AsyncClient) -> None:
    refused = await browser.post("/cart/add", data={"variant": "104"}, headers={"Accept": "application/json"})
    assert refused.json()["message"] == "Sold out: Mint Ice Cream"
    assert refused.json()["events"] == []


async def test_a_line_goes_with_its_last_piece(browser: httpx.AsyncClient, shop: Shop) -> None:
    await browser.post("/cart/add", data={"variant": "101"})
    (cart,) = shop.carts.values()
    change = {"line": str(cart.lines[0].id), "quantity": "0"}
    answer = await browser.post("/cart/change", data=change, headers={"Accept": "application/json"})
    assert answer.json()["events"][0]["name"] == "product_removed_from_cart"
    assert cart.lines == []


async def test_the_cart_becomes_a_checkout_of_the_customer_who_logged_in(
    browser: httpx.AsyncClient, store: Store, shop: Shop
) -> None:
    store.install(shop)
    await browser.post("/account/login", data={"customer": "7"})
    await browser.post("/cart/add", data={"variant": "101"})
    began = await browser.post("/checkouts/new")
    (checkout,) = shop.checkouts.values()
    assert began.headers["location"] == f"/checkout/{checkout.token}"
    assert (checkout.customer_id, checkout.email) == (7, "ada@example.com")
    assert told(store)[-1] == "checkouts/create"


async def test_the_query_of_a_checkout_chooses_buyer_consent_language_and_market(
    browser: httpx.AsyncClient, shop: Shop
) -> None:
    start(shop, "ck", NOW, [(101, 1, ())])
    query = "customer=7&consent=analytics,preferences&locale=fr-CA&country=ca&province=qc"
    boot = boot_of((await browser.get(f"/checkout/ck?{query}")).text)
    assert boot["privacy"] == {
        "visitorConsent": {
            "analytics": True,
            "marketing": False,
            "preferences": True,
            "saleOfData": False,
        },
        "consentRequired": False,
        "saleOfDataRegion": False,
        "region": {"countryCode": "CA", "provinceCode": "QC"},
        "gpc": False,
    }
    extension, state = boot["checkout"]["extension"], boot["checkout"]["state"]
    assert extension["translations"] == {"add": "Ajouter"}  # no fr-CA there, so fr
    assert extension["fallback"] == {"add": "Add"}
    assert extension["country"] == "CA"
    assert state["buyerIdentity"]["customer"]["id"] == "gid://shopify/Customer/7"
    assert state["cost"]["totalAmount"] == {"amount": 4.89, "currencyCode": "CAD"}
    assert browser.cookies["devstore_consent"] == "_a1m0p1s0"
    later = boot_of((await browser.get("/storefront")).text)
    assert later["privacy"] == boot["privacy"]


@pytest.mark.parametrize(
    ("country", "province", "asked", "sale"),
    [
        ("DE", None, True, False),
        ("US", None, False, False),
        ("US", "CA", False, True),
        ("US", "TX", False, False),  # no policy of its own, so the country's
        ("DE", "CA", True, False),
        ("ZZ", None, False, False),
    ],
)
def test_the_policy_is_the_provinces_or_the_countrys(
    country: str, province: str | None, asked: bool, sale: bool
) -> None:
    assert policy_of(country, province) == (asked, sale)


async def test_a_browser_that_sends_gpc_is_heard_without_being_asked(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/storefront", headers={"Sec-GPC": "1"})
    assert boot_of(answer.text)["privacy"]["gpc"] is True


async def test_the_extension_gets_the_merchants_settings_and_its_capabilities(
    browser: httpx.AsyncClient, shop: Shop, tmp_path: Path
) -> None:
    start(shop, "ck", NOW, [(101, 1, ())])
    (tmp_path / "checkout-offers" / "shopify.extension.toml").write_text(DECLARED)
    query = "ask_privacy=1&max_offers=2&heading=Hello&unheard_of=1"
    extension = boot_of((await browser.get(f"/checkout/ck?{query}")).text)["checkout"]["extension"]
    assert extension["settings"] == {"ask_privacy": True, "max_offers": 2, "heading": "Hello"}
    assert extension["capabilities"] == ["network_access", "collect_buyer_consent.customer_privacy"]
    plain = boot_of((await browser.get("/checkout/ck")).text)["checkout"]["extension"]
    assert plain["settings"] == {}


async def test_the_checkout_page_publishes_its_start_and_the_thank_you_page_its_end(
    browser: httpx.AsyncClient, shop: Shop
) -> None:
    checkout = start(shop, "ck", NOW, [(101, 2, ())])
    begun = boot_of((await browser.get("/checkout/ck")).text)
    assert [event["name"] for event in begun["events"]] == ["page_viewed", "checkout_started"]
    order = complete(shop, checkout, NOW)
    thanks = await browser.get("/checkout/ck", follow_redirects=True)
    done = boot_of(thanks.text)
    assert done["events"][1]["name"] == "checkout_completed"
    assert done["events"][1]["data"]["checkout"]["order"]["id"] == str(order.id)
    assert done["checkout"]["state"]["orderConfirmation"]["number"] == str(order.number)
    assert 'data-extension-target="purchase.thank-you.block.render"' in thanks.text


async def test_a_pixel_runs_only_where_the_app_made_one_and_only_for_its_purposes(
    browser: httpx.AsyncClient, store: Store, shop: Shop
) -> None:
    assert boot_of((await browser.get("/storefront")).text)["pixel"] is None
    store.install(shop).pixel = Pixel(1, '{"accountID": "pk_1"}')
    pixel = boot_of((await browser.get("/storefront")).text)["pixel"]
    assert pixel["settings"] == {"accountID": "pk_1"}
    assert pixel["purposes"] == ["analytics", "saleOfData"]


async def test_the_admin_has_products_to_choose_from(shop: Shop, browser: httpx.AsyncClient) -> None:
    told = (await browser.get(f"/admin/products?shop={DOMAIN}")).json()
    assert {each["id"]: each["title"] for each in told} == {
        f"gid://shopify/Product/{each.id}": each.title for each in shop.products.values()
    }
    assert [each["title"] for each in told] == sorted(each["title"] for each in told)


async def test_the_admin_opens_the_app_with_what_shopify_sends(
    browser: httpx.AsyncClient, store: Store, shop: Shop
) -> None:
    page = (await browser.get(f"/admin?shop={DOMAIN}")).text
    source = re.search(r'<iframe data-app[^>]* src="([^"]+)"', page)
    assert source
    url = urlsplit(source[1].replace("&amp;", "&"))
    query = {key: values[0] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
    assert f"{url.scheme}://{url.netloc}" == store.app.url
    assert (query["shop"], query["embedded"]) == (DOMAIN, "1")
    proven = {key: value for key, value in query.items() if key != "hmac"}
    assert signed_query(proven, SECRET).endswith(f"hmac={query['hmac']}")
    claims = jwt.decode(query["id_token"], SECRET, algorithms=["HS256"], audience="the-key")
    assert claims["dest"] == f"https://{DOMAIN}"
    assert shop.installation is not None  # opening it installs it


async def test_what_was_built_for_an_app_elsewhere_calls_this_one(store: Store, tmp_path: Path) -> None:
    folders = extension_folders(tmp_path, {"checkout-offers": 'fetch("http://there:4701/api")'})
    builds = Builds(folders, moved=("http://there:4701", "http://here:4801"))
    transport = httpx.ASGITransport(app=create_app(store, routes(builds), builds=builds))
    async with httpx.AsyncClient(transport=transport, base_url="http://devstore") as client:
        bundle = await client.get("/extensions/checkout-offers.js")
    assert bundle.text == 'fetch("http://here:4801/api")'
    assert bundle.headers["content-type"].startswith("text/javascript")


async def test_an_extension_that_is_not_built_yet_is_said_on_the_page(shop: Shop, store: Store) -> None:
    start(shop, "ck", NOW, [(101, 1, ())])
    builds = Builds({})
    transport = httpx.ASGITransport(app=create_app(store, routes(builds), builds=builds))
    async with httpx.AsyncClient(transport=transport, base_url="http://devstore") as client:
        assert "not built yet" in (await client.get("/checkout/ck")).text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("all", Consent(True, True, True, True)),
        ("none", Consent(False, False, False, False)),
        ("", Consent()),
        ("analytics, sale_of_data", Consent(True, False, False, True)),
        ("_m1p0", Consent(marketing=True, preferences=False)),
        ("_", Consent()),
    ],
)
def test_consent_is_read_from_words_or_from_the_cookies_letters(asked: str, said: Consent) -> None:
    assert consent_of(asked) == said
    assert consent_of(said.letters) == said


@pytest.mark.parametrize(
    ("said", "decided"),
    [(Consent(), False), (Consent(sale_of_data=False), False), (Consent(marketing=False), True)],
)
def test_a_banner_is_answered_by_any_purpose_but_the_sale_of_data(said: Consent, decided: bool) -> None:
    assert said.decided is decided


def test_data_in_a_script_can_not_end_the_script() -> None:
    assert "</script>" not in script_json({"title": "</script><script>alert(1)</script>"})


def test_every_drawing_is_valid_svg_and_every_rule_has_one() -> None:
    for kind in drawings():
        ElementTree.fromstring(draw(kind, 1, "Salt & <pepper>"))
    assert {kind for kind, _ in RULES} <= drawings().keys()


@pytest.mark.parametrize(
    ("title", "product_type", "kind"),
    [
        ("2% Reduced Fat", "FLUID MILK PRODUCTS", "milk"),
        ("Creamy Peanut Butter", "PNT BTR/JELLY/JAMS", "spread"),
        ("Organic bananas", "", "banana"),
        ("Dark roast", "COFFEE", "coffee"),
        ("Bananas", "Tropical fruit", "banana"),
        ("Beef franks", "HOT DOGS", "sausage"),
        ("Frozen peas", "FRZN VEGETABLE", "frozen"),
        ("Something else", "MISC. TRANS.", "parcel"),
    ],
)
def test_the_drawing_follows_the_title_and_then_the_type(title: str, product_type: str, kind: str) -> None:
    assert kind_of(title, product_type) == kind


async def test_a_product_always_has_the_same_picture(browser: httpx.AsyncClient) -> None:
    first, second = await browser.get("/images/1.svg"), await browser.get("/images/1.svg")
    assert first.headers["content-type"] == "image/svg+xml"
    assert first.text == second.text
    assert "Whole Milk" in first.text
