from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import respx

from app.admin.routes import routes
from app.connections import Connections, redis_key
from app.shops.store import get_shop
from app.shops.tokens import has_token
from tests.admin.factories import (
    OTHER,
    SHOP,
    bearer,
    decision,
    entrance,
    imported,
    keep,
    keep_busy_shop,
    opened,
    order,
    parked,
    policy_of,
    product,
    shop_row,
)
from tests.shops.factories import NOW, admin_claims, checkout_claims, forget_token, signed_token
from tests.shops.web import browsing

TOKEN_URL = f"https://{SHOP}/admin/oauth/access_token"


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


@pytest.mark.parametrize("path", ["/", "/admin", "/admin/decisions", "/admin/products"])
async def test_document_without_a_good_id_token_goes_to_the_bounce_page_and_back(
    browser: httpx.AsyncClient, path: str
) -> None:
    stale = signed_token(admin_claims(NOW.replace(year=2020)))
    forged = signed_token(admin_claims(), "guessed")
    buyers = signed_token(checkout_claims())
    for token in (None, "", stale, forged, buyers):
        address, query = entrance(path, id_token=token, q="rye bread")
        answer = await browser.get(address, params=query)
        bounced = urlsplit(answer.headers["location"])
        asked = parse_qs(bounced.query)
        assert (answer.status_code, bounced.path) == (302, "/auth/bounce")
        assert asked["shop"] == [SHOP]
        assert "id_token" not in asked
        back = urlsplit(asked["shopify-reload"][0])
        assert (back.path, parse_qs(back.query)["q"]) == (path, ["rye bread"])
        assert "id_token" not in back.query


async def test_bounce_page_loads_app_bridge_with_our_key_in_this_shops_frame_only(
    browser: httpx.AsyncClient,
) -> None:
    query = {"shop": SHOP, "shopify-reload": f"/admin?shop={SHOP}"}
    answer = await browser.get("/auth/bounce", params=query)
    assert answer.status_code == 200
    assert '<meta name="shopify-api-key" content="test-key">' in answer.text
    assert "https://cdn.shopify.com/shopifycloud/app-bridge.js" in answer.text
    assert policy_of(answer)["frame-ancestors"] == [f"https://{SHOP}", "https://admin.shopify.com"]


@pytest.mark.parametrize(
    "back", ["", "https://evil.com", "//evil.com", "/\\evil.com", "/\t/evil.com", "evil"]
)
async def test_bounce_page_leads_nowhere_but_into_the_app(browser: httpx.AsyncClient, back: str) -> None:
    for several in ([back], [back, "/admin"], ["/admin", back]):  # scripts read the first one
        asked = {"shop": SHOP, "shopify-reload": several}
        assert (await browser.get("/auth/bounce", params=asked)).status_code == 400


@pytest.mark.parametrize("token", ["good", None])
async def test_a_page_that_app_bridge_would_leave_with_the_token_is_opened_without_that(
    browser: httpx.AsyncClient, token: str | None
) -> None:
    address, query = entrance("/admin/products", **{"shopify-reload": "https://evil.com", "q": "rye"})
    answer = await browser.get(address, params=query if token else query | {"id_token": ""})
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    (back,) = asked["shopify-reload"]
    assert (answer.status_code, urlsplit(back).path) == (302, "/admin/products")
    assert parse_qs(urlsplit(back).query)["q"] == ["rye"]
    assert "evil" not in back


@pytest.mark.parametrize("shop", ["evil.com", "evil.com;script-src *", ""])
async def test_what_is_no_shop_never_gets_into_a_header(browser: httpx.AsyncClient, shop: str) -> None:
    for path in ("/auth/bounce", "/admin"):
        answer = await browser.get(path, params={"shop": shop, "shopify-reload": "/", "embedded": "1"})
        assert answer.status_code == 400
        assert "content-security-policy" not in answer.headers


async def test_shop_outside_the_admin_is_sent_into_it(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/", params={"shop": SHOP})
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://admin.shopify.com/store/acme/apps/test-key"


async def test_visitor_without_a_shop_is_told_where_the_app_is(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/")
    assert answer.status_code == 200
    assert "Apps menu" in answer.text
    assert policy_of(answer)["frame-ancestors"] == ["'none'"]


async def test_token_of_another_shop_opens_nothing(browser: httpx.AsyncClient) -> None:
    address, query = entrance(shop=OTHER)
    assert (await browser.get(address, params=query | {"shop": SHOP})).status_code == 401


async def test_first_open_exchanges_the_token_and_installs(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    granted = {"access_token": "shpat_1", "expires_in": 3600, "refresh_token": "shprt_1"}
    with respx.mock:
        exchange = respx.post(TOKEN_URL).respond(json=granted)
        respx.post(f"https://{SHOP}/admin/api/2026-07/graphql.json").respond(402)
        text = await opened(browser)
        await opened(browser)
    assert exchange.call_count == 1
    assert await has_token(connections, SHOP)
    assert await get_shop(connections, SHOP)
    assert "Getting to know acme" in text
    assert "Waiting to start" in text
    assert await connections.redis.exists(redis_key(SHOP, "waiting", "backfill"))


async def test_page_is_framed_by_this_shops_admin_only_and_is_not_kept(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    address, query = entrance()
    answer = await browser.get(address, params=query)
    assert policy_of(answer)["frame-ancestors"] == [f"https://{SHOP}", "https://admin.shopify.com"]
    assert answer.headers["cache-control"] == "no-store"


async def test_shopify_that_lets_us_not_in_is_said_in_a_page(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    await forget_token(connections, SHOP)
    with respx.mock:
        respx.post(TOKEN_URL).respond(400, json={"error": "invalid_client"})
        address, query = entrance()
        answer = await browser.get(address, params=query)
    assert answer.status_code == 502
    assert "Your checkout is not affected" in answer.text
    assert query["id_token"] not in answer.text


async def test_home_shows_what_offers_earned_net_of_refunds_and_how_it_is_defined(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    text = await opened(browser)
    # order 1: 2 × 5.00 from an offer, 2.50 refunded; order 2 owes nothing to us
    assert "$7.50" in text
    assert "1 order, $2.50 refunded" in text
    assert "after discounts and refunds" in text


async def test_home_shows_decisions_by_rung_arm_and_fallback(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    text = await opened(browser)
    assert "Personal: history and profile</span><span>1 · 33%" in text
    assert "Holdout</span><span>1 · 33%" in text
    assert "No model yet</span><span>1" in text
    assert "2.0 ms</div>" in text
    assert "3 answers, 99% within 3.0 ms" in text  # durations 1, 2 and 3 ms


async def test_home_shows_the_model_beside_bestsellers(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    text = await opened(browser)
    assert "on 1,234 orders" in text
    assert "0.180" in text
    assert "0.090" in text
    assert "+100%" in text


async def test_decisions_say_why_with_the_products_title(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    text = await opened(browser, "/admin/decisions")
    assert "Rye bread" in text
    assert "Often bought together with Butter" in text
    assert "shows what happens without Tillwise" in text


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/", "Training starts once your orders are imported"),
        ("/admin/decisions", "Nothing decided yet"),
        ("/admin/products", "No products yet"),
    ],
)
async def test_empty_shop_is_told_what_comes(
    connections: Connections, browser: httpx.AsyncClient, path: str, says: str
) -> None:
    await keep(connections, shop_row(), imported("products"))
    assert says in await opened(browser, path)


async def test_home_asks_for_a_hand_where_one_is_needed(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    failed = imported("orders", status="failed", error="Shopify stopped <it>")
    await keep(connections, shop_row(web_pixel_id=None), parked(), failed)
    with respx.mock:
        respx.post(f"https://{SHOP}/admin/api/2026-07/graphql.json").respond(402)
        text = await opened(browser)
    assert "Importing stopped: Orders" in text
    assert "Shopify stopped &lt;it&gt;" in text
    assert "1 message from Shopify could not be read" in text
    assert "The web pixel is not connected" in text


async def test_shop_that_checkout_never_asked_for_is_told_to_add_the_block(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    kinds = ("products", "customers", "orders")
    await keep(connections, shop_row(), *(imported(kind) for kind in kinds))
    assert "No checkout has asked for an offer yet" in await opened(browser)


async def test_missing_scopes_are_named(connections: Connections) -> None:
    await keep_busy_shop(connections)
    wanted = frozenset({"read_products", "write_pixels"})
    wider = replace(connections, settings=replace(connections.settings, scopes=wanted))
    granted = {"access_token": "shpat_1", "scope": "read_products", "expires_in": 3600}
    with respx.mock:
        respx.post(TOKEN_URL).respond(json=granted)
        async with browsing(routes, wider) as client:
            assert "Not granted: write_pixels." in await opened(client)


async def test_one_shops_page_shows_nothing_of_another(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    await keep(
        connections,
        shop_row(OTHER, name="Other"),
        imported("products", OTHER),
        *product(9, "Secret sauce", OTHER),
        decision(9, OTHER),
        *order(9, OTHER, decision_id="d9"),
        parked(OTHER),
    )
    for path in ("/", "/admin/decisions", "/admin/products"):
        assert "Secret sauce" not in await opened(browser, path)
    assert "$7.50" in await opened(browser)
    theirs = await opened(browser, "/admin/products", shop=OTHER)
    assert "Secret sauce" in theirs
    assert "Rye bread" not in theirs


@pytest.mark.parametrize("path", ["progress", "import", "exclusions"])
async def test_call_without_a_good_token_asks_app_bridge_to_try_again(
    connections: Connections, browser: httpx.AsyncClient, path: str
) -> None:
    await keep_busy_shop(connections)
    method = "GET" if path == "progress" else "POST"
    for headers in ({}, {"Authorization": f"Bearer {signed_token(checkout_claims())}"}):
        answer = await browser.request(method, f"/admin/api/{path}", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["x-shopify-retry-invalid-session-request"] == "1"


async def test_call_of_a_shop_that_has_not_installed_is_refused(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/admin/api/progress", headers=bearer())).status_code == 403


async def test_progress_says_how_far_each_kind_is(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    loading = imported("customers", status="loading", loaded=30, total=120)
    await keep(connections, shop_row(), imported("products"), loading)
    told = (await browser.get("/admin/api/progress", headers=bearer())).json()
    assert told == {
        "done": False,
        "imports": [
            {"kind": "products", "status": "done", "percent": 100, "says": "12 imported"},
            {"kind": "customers", "status": "loading", "percent": 25, "says": "30 of 120"},
            {"kind": "orders", "status": "waiting", "percent": None, "says": "Waiting to start"},
        ],
    }


async def test_import_is_asked_for_again(connections: Connections, browser: httpx.AsyncClient) -> None:
    await keep(connections, shop_row(), imported("orders", status="failed"))
    answer = await browser.post("/admin/api/import", headers=bearer())
    assert answer.status_code == 202
    assert await connections.redis.exists(redis_key(SHOP, "waiting", "backfill"))


async def test_in_development_the_dev_store_stands_in_for_shopify(connections: Connections) -> None:
    await keep_busy_shop(connections)
    settings = replace(connections.settings, dev_store_url="http://127.0.0.1:4700")
    async with browsing(routes, replace(connections, settings=settings)) as client:
        text = await opened(client)
        answer = await client.get("/", params={"shop": SHOP})
    assert 'src="http://127.0.0.1:4700/app-bridge.js"' in text
    assert 'src="/admin/static/polaris-dev.js"' in text
    assert "cdn.shopify.com" not in text
    assert answer.headers["location"] == f"http://127.0.0.1:4700/admin?shop={SHOP}"


async def test_a_browser_asks_about_scripts_each_time_and_is_sent_what_changed(
    browser: httpx.AsyncClient,
) -> None:
    first = await browser.get("/admin/static/admin.js")
    again = await browser.get("/admin/static/admin.js", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert {each.headers["cache-control"] for each in (first, again)} == {"no-cache"}
