from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import respx

from app.config import Settings
from app.connections import Connections
from app.errors import InputError, NotAuthentic, ProofMissing
from app.shops.oauth import new_state, permission_url, read_callback, requested_shop, signed_state
from app.shops.routes import routes
from app.shops.signatures import hmac_hex
from app.shops.store import get_shop
from app.values import shop_domain
from tests.shops.web import browsing

SHOP = shop_domain("acme.myshopify.com")


def callback_query(state: str, secret: str = "test-secret", **changes: str) -> dict[str, str]:
    """Return what Shopify sends the merchant back with, signed now."""
    pairs = {
        "code": "a-code",
        "host": "YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYWNtZQ",
        "shop": SHOP,
        "state": state,
        "timestamp": str(int(datetime.now(UTC).timestamp())),
    } | changes
    message = "&".join(f"{name}={value}" for name, value in sorted(pairs.items()))
    return pairs | {"hmac": hmac_hex(secret, message.encode())}


def read(settings: Settings, query: dict[str, str], state: str, shop: str = SHOP) -> str:
    cookie = signed_state(settings, shop_domain(shop), state)
    return read_callback(query, cookie, settings, datetime.now(UTC)).shop


def test_callback_that_shopify_signed_and_this_browser_began_is_good(settings: Settings) -> None:
    state = new_state()
    assert read(settings, callback_query(state), state) == SHOP


def test_callback_of_another_browser_is_refused(settings: Settings) -> None:
    with pytest.raises(NotAuthentic, match="state"):
        read(settings, callback_query(new_state()), new_state())


def test_nonce_of_one_shop_does_not_install_another(settings: Settings) -> None:
    state = new_state()
    with pytest.raises(NotAuthentic, match="state"):
        read(settings, callback_query(state), state, shop="other.myshopify.com")


@pytest.mark.parametrize("changes", [{"timestamp": "1"}, {"timestamp": "soon"}, {"timestamp": ""}], ids=str)
def test_callback_that_is_old_or_undated_is_refused(settings: Settings, changes: dict[str, str]) -> None:
    state = new_state()
    with pytest.raises(NotAuthentic):
        read(settings, callback_query(state, **changes), state)


def test_callback_that_was_changed_is_refused(settings: Settings) -> None:
    state = new_state()
    query = callback_query(state) | {"shop": "other.myshopify.com"}
    with pytest.raises(NotAuthentic, match="hmac"):
        read(settings, query, state)


def test_callback_without_proof_is_a_missing_proof(settings: Settings) -> None:
    state = new_state()
    query = callback_query(state)
    with pytest.raises(ProofMissing):
        read_callback(query, None, settings, datetime.now(UTC))
    with pytest.raises(ProofMissing):
        read(settings, {**query, "hmac": ""}, state)


def test_callback_for_what_is_no_shop_is_refused(settings: Settings) -> None:
    state = new_state()
    with pytest.raises(InputError):
        read(settings, callback_query(state, shop="evil.com"), state)


@pytest.mark.parametrize("text", ["acme", "acme.myshopify.com", "https://ACME.myshopify.com"])
def test_merchant_may_name_the_shop_as_they_know_it(text: str) -> None:
    assert requested_shop(text) == SHOP


@pytest.mark.parametrize("text", ["", "evil.com", "acme.myshopify.com.evil.com", "a b", "../"])
def test_what_is_no_shop_is_never_redirected_to(text: str) -> None:
    with pytest.raises(InputError):
        requested_shop(text)


def test_permission_address_asks_for_our_scopes_and_leads_back(settings: Settings) -> None:
    url = urlsplit(permission_url(settings, SHOP, "nonce"))
    asked = parse_qs(url.query)
    assert (url.netloc, url.path) == (SHOP, "/admin/oauth/authorize")
    assert asked["redirect_uri"] == ["https://tillwise.example.com/auth/callback"]
    assert (asked["client_id"], asked["state"]) == (["test-key"], ["nonce"])


@pytest.fixture
async def browser(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    async with browsing(routes, connections) as client:
        yield client


async def test_merchant_agrees_and_comes_back_to_an_installed_app(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    sent = await browser.get("/auth", params={"shop": "acme"})
    assert sent.status_code == 302
    cookie = sent.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
    with respx.mock:
        granted = {"access_token": "shpat_x", "scope": "read_products", "expires_in": 3600}
        token = respx.post(f"https://{SHOP}/admin/oauth/access_token").respond(json=granted)
        respx.post(f"https://{SHOP}/admin/api/2026-07/graphql.json").respond(402)
        back = await browser.get(f"/auth/callback?{urlencode(callback_query(state))}")
    assert b'"code":"a-code","expiring":"1"' in token.calls.last.request.content
    assert back.headers["location"] == "https://admin.shopify.com/store/acme/apps/test-key"
    assert await get_shop(connections, SHOP)


async def test_forged_callback_asks_shopify_nothing(browser: httpx.AsyncClient) -> None:
    await browser.get("/auth", params={"shop": "acme"})
    with respx.mock:
        query = callback_query("a-guess", secret="guessed")
        answer = await browser.get("/auth/callback", params=query)
    assert answer.status_code == 401


async def test_shop_that_is_none_is_named_in_a_400(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/auth", params={"shop": "evil.com"})
    assert (answer.status_code, answer.json()["field"]) == (400, "shop")


async def test_repeated_parameter_is_refused(browser: httpx.AsyncClient) -> None:
    query = urlencode([*callback_query("x").items(), ("shop", "other.myshopify.com")])
    assert (await browser.get(f"/auth/callback?{query}")).status_code == 400


def test_query_signed_a_day_ago_is_refused_though_the_library_would_take_it(
    settings: Settings,
) -> None:
    state = new_state()
    query = callback_query(state)
    later = datetime.now(UTC) + timedelta(minutes=2)
    with pytest.raises(NotAuthentic, match="long ago"):
        read_callback(query, signed_state(settings, SHOP, state), settings, later)
