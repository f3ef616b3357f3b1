"""OAuth as Shopify answers it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from devstore.tokens import admin_id_token, checkout_session_token, proxy_query, signed_query
from tests.devstore.conftest import EXCHANGE, KEY, Desk
from tests.devstore.small_shop import DOMAIN, NOW, SECRET

SHOP = "{shop{name}}"
API = "/admin/api/2026-07/graphql.json"


async def test_an_id_token_is_exchanged_for_an_expiring_offline_token(desk: Desk) -> None:
    grant = (await desk.token()).json()
    assert grant["expires_in"] == 3600
    assert grant["refresh_token_expires_in"] == 90 * 24 * 3600
    assert "read_discounts" in grant["scope"].split(",")  # write_discounts brings it along


async def test_without_expiring_the_token_never_expires(desk: Desk) -> None:
    grant = (await desk.token(expiring="0")).json()
    assert grant.keys() == {"access_token", "scope"}


async def test_an_online_token_names_its_user_and_has_no_refresh_token(desk: Desk) -> None:
    online = "urn:shopify:params:oauth:token-type:online-access-token"
    grant = (await desk.token(requested_token_type=online)).json()
    assert grant["associated_user"] == {"id": 1}
    assert "refresh_token" not in grant


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "invalid_request"),
        ({"requested_token_type": "urn:other"}, "invalid_requested_token_type"),
        ({"subject_token": "not.a.token"}, "invalid_subject_token"),
        ({"subject_token": admin_id_token(DOMAIN, "other-app", SECRET, NOW)}, "invalid_subject_token"),
        ({"subject_token": admin_id_token(DOMAIN, KEY, "x" * 32, NOW)}, "invalid_subject_token"),
        ({"subject_token": admin_id_token("b.myshopify.com", KEY, SECRET, NOW)}, "invalid_subject_token"),
        (
            {"subject_token": admin_id_token(DOMAIN, KEY, SECRET, NOW - timedelta(seconds=60))},
            "invalid_subject_token",
        ),
    ],
)
async def test_a_wrong_exchange_is_refused_in_shopifys_words(
    desk: Desk, changed: dict[str, str], error: str
) -> None:
    answer = await desk.token(**changed)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_no_token_for_an_app_that_is_not_installed(desk: Desk) -> None:
    form = EXCHANGE | {"subject_token": admin_id_token(DOMAIN, KEY, SECRET, NOW)}
    answer = await desk.client.post("/admin/oauth/access_token", data=form)
    assert answer.json()["error"] == "invalid_subject_token"


async def test_a_refresh_token_works_once_and_gives_way_to_the_next(desk: Desk) -> None:
    first = (await desk.token()).json()
    form = {"client_id": KEY, "client_secret": SECRET, "grant_type": "refresh_token"}
    second = await desk.client.post(
        "/admin/oauth/access_token", data=form | {"refresh_token": first["refresh_token"]}
    )
    again = await desk.client.post(
        "/admin/oauth/access_token", data=form | {"refresh_token": first["refresh_token"]}
    )
    third = await desk.client.post(
        "/admin/oauth/access_token", data=form | {"refresh_token": second.json()["refresh_token"]}
    )
    assert [second.status_code, again.status_code, third.status_code] == [200, 400, 200]
    assert again.json()["error"] == "invalid_grant"


async def test_an_expired_or_foreign_token_is_401(desk: Desk) -> None:
    await desk.sign_in()
    assert (await desk.client.post(API, json={"query": SHOP})).status_code == 200
    desk.passed = timedelta(hours=1)
    assert (await desk.client.post(API, json={"query": SHOP})).status_code == 401
    desk.client.headers["X-Shopify-Access-Token"] = "shpat_made_up"
    assert (await desk.client.post(API, json={"query": SHOP})).status_code == 401


async def test_an_uninstall_ends_every_token(desk: Desk) -> None:
    await desk.sign_in()
    await desk.post("/control/uninstall")
    assert (await desk.client.post(API, json={"query": SHOP})).status_code == 401


async def test_authorize_returns_to_the_app_with_a_code_that_is_good_once(desk: Desk) -> None:
    asked = {"client_id": KEY, "redirect_uri": "http://app.test/auth/callback", "state": "abc"}
    sent = await desk.client.get("/admin/oauth/authorize", params=asked | {"scope": "read_products"})
    got = {key: values[0] for key, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    signature = got.pop("hmac")
    assert (sent.status_code, got["state"], got["shop"]) == (302, "abc", DOMAIN)
    assert signed_query(got, SECRET).endswith(f"hmac={signature}")
    form = {"client_id": KEY, "client_secret": SECRET, "code": got["code"]}
    first = await desk.client.post("/admin/oauth/access_token", json=form)
    again = await desk.client.post("/admin/oauth/access_token", json=form)
    assert first.json()["scope"] == "read_products"
    assert again.status_code == 400


async def test_authorize_sends_nobody_to_an_address_that_is_not_the_apps(desk: Desk) -> None:
    asked = {"client_id": KEY, "redirect_uri": "https://elsewhere.example.com/"}
    assert (await desk.client.get("/admin/oauth/authorize", params=asked)).status_code == 400


async def test_an_unknown_shop_is_404(desk: Desk) -> None:
    answer = await desk.client.post(API, headers={"Host": "nobody.myshopify.com"})
    assert answer.status_code == 404


def test_a_checkout_token_names_only_a_logged_in_buyer() -> None:
    def claims(customer: int | None) -> dict[str, object]:
        token = checkout_session_token(DOMAIN, KEY, SECRET, NOW, customer)
        read: dict[str, object] = jwt.decode(
            token,
            SECRET,
            algorithms=["HS256"],
            audience=KEY,
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
        return read

    assert "sub" not in claims(None)
    assert claims(7)["sub"] == "gid://shopify/Customer/7"
    assert claims(7)["dest"] == DOMAIN
    assert claims(7)["exp"] == int(NOW.timestamp()) + 300


def test_a_proxy_signature_joins_repeated_values() -> None:
    # Shopify's own worked example, secret "hush"
    pairs = [
        ("extra", "1"),
        ("extra", "2"),
        ("shop", "shop-name.myshopify.com"),
        ("logged_in_customer_id", "1"),
        ("path_prefix", "/apps/awesome_reviews"),
        ("timestamp", "1317327555"),
    ]
    assert proxy_query(pairs, "hush").endswith(
        "4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb"
    )
