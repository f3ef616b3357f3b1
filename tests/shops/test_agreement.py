"""Our checks beside Shopify's own two libraries, on what is good and what is broken.

Where the answers differ, the row says why; ours refuses what theirs lets through, except where the
row says that Shopify's documentation is wider than its library. The libraries read the clock, so what
is signed for a test is signed when that test runs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from shopify_app import ShopifyApp

from app.config import Settings
from app.errors import InputError, NotAuthentic
from app.shops.grants import exchange_request, refresh_request
from app.shops.oauth import read_callback, signed_state
from app.shops.sessions import (
    TokenMemory,
    verify_admin_token,
    verify_app_proxy,
    verify_checkout_token,
    verify_webhook,
)
from app.shops.signatures import hmac_hex
from app.values import shop_domain
from tests.shops.factories import (
    NOW,
    SHOP,
    admin_claims,
    checkout_claims,
    proxy_pairs,
    proxy_query,
    webhook_headers,
)

ROOT = Path(__file__).parents[2]
KEY, SECRET = "test-key", "0123456789abcdef0123456789abcdef"
FOREIGN = SECRET[::-1]
BODY = '{"id": 1, "note": "café"}'


class Judge:
    """@shopify/shopify-api in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, what: str, **question: Any) -> Any:
        """Return the library's result, None when it refused with an error."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"id": 0, "ask": what, **question}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the judge ended: are the npm packages installed?"
        answer = json.loads(line)
        return answer["result"] if answer["ok"] else None


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    node = shutil.which("node", path=path)
    assert node, "node is needed to ask Shopify's library; `make install` brings one"
    secrets = {"SHOPIFY_API_KEY": KEY, "SHOPIFY_API_SECRET": SECRET}
    with subprocess.Popen(
        [node, str(ROOT / "scripts/judge.mjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": path, **secrets},
    ) as process:
        yield Judge(process)
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def ours(settings: Settings) -> Settings:
    return replace(settings, api_key=KEY, api_secret=SECRET)


@pytest.fixture
def library() -> ShopifyApp:
    return ShopifyApp(client_id=KEY, client_secret=SECRET)


def takes(check: Callable[[], object]) -> bool:
    """Return whether our check lets it through."""
    try:
        check()
    except (NotAuthentic, InputError):
        return False
    return True


def token(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, "" if algorithm == "none" else secret, algorithm)


def seconds(now: datetime, offset: int) -> int:
    return int((now + timedelta(seconds=offset)).timestamp())


def admin_tokens(now: datetime) -> dict[str, tuple[dict[str, Any], str | None]]:
    return {
        "good": (admin_claims(now), None),
        "expired within the leeway": (admin_claims(now, exp=seconds(now, -3)), None),
        "expired": (admin_claims(now, exp=seconds(now, -30)), None),
        "not yet valid": (admin_claims(now, nbf=seconds(now, 60)), None),
        "another app": (admin_claims(now, aud="another"), None),
        "several apps": (admin_claims(now, aud=[KEY, "another"]), None),
        "no app": (admin_claims(now, aud=None), None),
        "exp is text": (admin_claims(now, exp="later"), None),
        "no exp": (admin_claims(now, exp=None), "a token that never expires could be used for ever"),
        "no dest": (admin_claims(now, dest=None), "a token of no shop is good for nothing"),
        "foreign dest": (
            admin_claims(now, dest="https://evil.com", iss="https://evil.com/admin"),
            "our token would be exchanged at that host",
        ),
        "issuer of another shop": (
            admin_claims(now, iss="https://other.myshopify.com/admin"),
            "one shop's admin does not speak for another's",
        ),
        "a buyer's": (checkout_claims(now), "a buyer is not staff; both are signed alike"),
        "nobody's": (admin_claims(now, sub=None), "staff has a number"),
    }


@pytest.mark.parametrize("name", admin_tokens(NOW))
def test_an_admins_token_is_taken_where_shopifys_library_takes_it_or_the_row_says_why_not(
    judge: Judge, ours: Settings, name: str
) -> None:
    claims, stricter = admin_tokens(datetime.now(UTC))[name]
    signed = token(claims)
    theirs = judge.ask("session_token", token=signed) is not None
    taken = takes(lambda: verify_admin_token(signed, ours, datetime.now(UTC)))
    assert (taken, theirs) == ((False, True) if stricter else (theirs, theirs))


def broken_tokens(now: datetime) -> dict[str, str]:
    return {
        "foreign secret": token(admin_claims(now), FOREIGN),
        "unsigned": token(admin_claims(now), algorithm="none"),
        "HS384": token(admin_claims(now), SECRET + "\0" * 32, "HS384"),
        "cut": token(admin_claims(now))[:-3],
        "empty": "",
        "text": "not a token",
        "unicode": "é.ü.ß",
    }


@pytest.mark.parametrize("name", broken_tokens(NOW))
def test_no_library_and_no_check_of_ours_takes_a_broken_token(
    judge: Judge, ours: Settings, name: str
) -> None:
    broken = broken_tokens(datetime.now(UTC))[name]
    assert judge.ask("session_token", token=broken) is None
    assert not takes(lambda: verify_admin_token(broken, ours, datetime.now(UTC)))
    assert not takes(lambda: verify_checkout_token(f"Bearer {broken}", ours, datetime.now(UTC)))


def checkout_tokens(now: datetime) -> dict[str, tuple[dict[str, Any], str | None]]:
    return {
        "good": (checkout_claims(now), None),
        "guest": (checkout_claims(now, sub=None), None),
        "expired": (checkout_claims(now, exp=seconds(now, -30)), None),
        "another app": (checkout_claims(now, aud="another"), None),
        "no exp": (checkout_claims(now, exp=None), "it could be used for ever"),
        "foreign dest": (checkout_claims(now, dest="evil.com"), "it names no shop"),
        "staff": (admin_claims(now), "a staff member is not a buyer"),
    }


@pytest.mark.parametrize("name", checkout_tokens(NOW))
def test_a_checkouts_token_is_taken_where_both_libraries_take_it_or_the_row_says_why_not(
    judge: Judge, library: ShopifyApp, ours: Settings, name: str
) -> None:
    claims, stricter = checkout_tokens(datetime.now(UTC))[name]
    header = f"Bearer {token(claims)}"
    request = {"method": "POST", "url": "/", "headers": {"authorization": header}, "body": ""}
    pythons = library.verify_checkout_ui_ext_req(request).ok  # type: ignore[arg-type]
    assert pythons == (judge.ask("session_token", token=header[7:]) is not None)
    taken = takes(lambda: verify_checkout_token(header, ours, datetime.now(UTC), TokenMemory()))
    assert (taken, pythons) == ((False, True) if stricter else (pythons, pythons))


DELIVERIES: dict[str, tuple[dict[str, str], str, str | None]] = {
    "good": (webhook_headers(BODY.encode(), SECRET), BODY, None),
    "un-prefixed": (
        {k.removeprefix("X-"): v for k, v in webhook_headers(BODY.encode(), SECRET).items()},
        BODY,
        None,
    ),
    "lower case": (
        {k.lower(): v for k, v in webhook_headers(BODY.encode(), SECRET).items()},
        BODY,
        None,
    ),
    "foreign secret": (webhook_headers(BODY.encode(), FOREIGN), BODY, None),
    "changed body": (webhook_headers(BODY.encode(), SECRET), BODY + " ", None),
    "empty body": (webhook_headers(b"", SECRET), "", None),
    "no hmac": (webhook_headers(BODY.encode(), SECRET, **{"Hmac-Sha256": None}), BODY, None),
    "no topic": (webhook_headers(BODY.encode(), SECRET, Topic=None), BODY, None),
    "no shop": (webhook_headers(BODY.encode(), SECRET, Shop_Domain=None), BODY, None),
    "no version": (webhook_headers(BODY.encode(), SECRET, API_Version=None), BODY, None),
    "no webhook id": (webhook_headers(BODY.encode(), SECRET, Webhook_Id=None), BODY, None),
    "no event id": (webhook_headers(BODY.encode(), SECRET, Event_Id=None), BODY, None),
    "foreign shop": (
        webhook_headers(BODY.encode(), SECRET, Shop_Domain="evil.com"),
        BODY,
        "headers are not signed, and the shop becomes part of keys",
    ),
}


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_delivery_is_taken_where_shopifys_library_takes_it_or_the_row_says_why_not(
    judge: Judge, ours: Settings, name: str
) -> None:
    headers, body, stricter = DELIVERIES[name]
    theirs = judge.ask("webhook", headers=headers, body=body)["valid"]
    taken = takes(lambda: verify_webhook(headers, body.encode(), ours))
    assert (taken, theirs) == ((False, True) if stricter else (theirs, theirs))


@pytest.mark.parametrize("name", DELIVERIES)
def test_webhooks_beside_the_python_library(library: ShopifyApp, ours: Settings, name: str) -> None:
    """It checks the signature alone: what it refuses, we refuse."""
    headers, body, _stricter = DELIVERIES[name]
    request = {"method": "POST", "url": "/webhooks", "headers": headers, "body": body}
    theirs = library.verify_webhook_req(request).ok  # type: ignore[arg-type]
    assert theirs or not takes(lambda: verify_webhook(headers, body.encode(), ours))


def signed_in_order(pairs: list[tuple[str, str]], message: str) -> str:
    return urlencode([*pairs, ("signature", hmac_hex(SECRET, message.encode()))])


def joined(pairs: list[tuple[str, str]]) -> str:
    return "".join(f"{name}={value}" for name, value in pairs)


def proxied(now: datetime) -> dict[str, tuple[str, str | None]]:
    return {
        "good": (proxy_query(now=now, secret=SECRET), None),
        "repeated": (
            signed_in_order(
                [("ids", "1"), ("ids", "2"), *proxy_pairs(now)], "ids=1,2" + joined(proxy_pairs(now))
            ),
            None,
        ),
        "by key": (
            signed_in_order(
                [("a", "1"), ("a1", "2"), *proxy_pairs(now)], "a=1a1=2" + joined(proxy_pairs(now))
            ),
            None,
        ),
        "changed": (proxy_query(now=now, secret=SECRET).replace("acme", "other"), None),
        "foreign secret": (proxy_query(now=now, secret=FOREIGN), None),
        "unsigned": (urlencode(proxy_pairs(now)), None),
        "old": (proxy_query(now=now - timedelta(seconds=120), secret=SECRET), None),
        "ahead": (proxy_query(now=now + timedelta(seconds=120), secret=SECRET), None),
        "undated": (proxy_query(("shop", SHOP), secret=SECRET), None),
        "two shops": (proxy_query(*proxy_pairs(now), ("shop", SHOP), secret=SECRET), None),
        "foreign shop": (
            proxy_query(("shop", "evil.com"), *proxy_pairs(now)[3:], secret=SECRET),
            "a signed query still has to name a shop",
        ),
    }


@pytest.mark.parametrize("name", proxied(NOW))
def test_a_proxied_query_is_taken_where_both_libraries_take_it_or_the_row_says_why_not(
    judge: Judge, library: ShopifyApp, ours: Settings, name: str
) -> None:
    query, stricter = proxied(datetime.now(UTC))[name]
    theirs = judge.ask("proxy", query=query) is True
    request = {"method": "GET", "url": f"https://a.b/proxy?{query}", "headers": {}, "body": ""}
    assert library.verify_app_proxy_req(request).ok == theirs  # type: ignore[arg-type]
    taken = takes(lambda: verify_app_proxy(query, ours, datetime.now(UTC)))
    assert (taken, theirs) == ((False, True) if stricter else (theirs, theirs))


def test_app_proxy_signed_as_the_documentation_says_is_wider_than_the_library(
    judge: Judge, ours: Settings
) -> None:
    """The docs sort whole `key=value` strings, so `a1=2` comes before `a=1`."""
    now = datetime.now(UTC)
    pairs = [("a", "1"), ("a1", "2"), *proxy_pairs(now)]
    query = signed_in_order(pairs, "a1=2a=1" + joined(proxy_pairs(now)))
    assert judge.ask("proxy", query=query) is False
    assert takes(lambda: verify_app_proxy(query, ours, datetime.now(UTC)))


def callback(now: datetime, secret: str = SECRET, **changes: str) -> dict[str, str]:
    pairs = {
        "code": "0123abcd",
        "host": "YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYWNtZQ",
        "shop": SHOP,
        "state": "a-nonce",
        "timestamp": str(seconds(now, 0)),
    } | changes
    return pairs | {"hmac": hmac_hex(secret, "&".join(f"{k}={v}" for k, v in sorted(pairs.items())).encode())}


def callbacks(now: datetime) -> dict[str, tuple[dict[str, str], str | None]]:
    return {
        "good": (callback(now), None),
        "foreign secret": (callback(now, FOREIGN), None),
        "changed": (callback(now) | {"shop": "other.myshopify.com"}, None),
        "old": (callback(now, timestamp=str(seconds(now, -120))), None),
        "ahead": (callback(now, timestamp=str(seconds(now, 120))), None),
        "undated": (callback(now, timestamp="soon"), None),
        "unsigned": ({k: v for k, v in callback(now).items() if k != "hmac"}, None),
        "foreign shop": (callback(now, shop="evil.com"), "the code would be sent there"),
        "another nonce": (callback(now, state="another"), "this browser did not begin that install"),
        "no code": (callback(now, code=""), "there is nothing to exchange"),
    }


@pytest.mark.parametrize("name", callbacks(NOW))
def test_a_callback_is_taken_where_shopifys_library_takes_it_or_the_row_says_why_not(
    judge: Judge, ours: Settings, name: str
) -> None:
    query, stricter = callbacks(datetime.now(UTC))[name]
    theirs = judge.ask("oauth", query=query) is True
    cookie = signed_state(ours, shop_domain(SHOP), "a-nonce")
    taken = takes(lambda: read_callback(query, cookie, ours, datetime.now(UTC)))
    assert (taken, theirs) == ((False, True) if stricter else (theirs, theirs))


SHOPS = {
    "acme.myshopify.com": None,
    "a-1.myshopify.com": None,
    "ACME.myshopify.com": None,
    "acme.myshopify.com/": None,
    "": None,
    "acme": None,
    "evil.com": None,
    "acme.myshopify.com.evil.com": None,
    "evil.com/acme.myshopify.com": None,
    "acme.myshopify.com/admin": None,
    "acme.myshopify.com:444": None,
    "user@acme.myshopify.com": None,
    "-acme.myshopify.com": None,
    "a.b.myshopify.com": None,
    "аcme.myshopify.com": None,  # a Cyrillic а
    "acme.myshopify.com\n.evil.com": None,
    "acme.shopify.com": "not a merchant's shop",
    "acme.myshopify.io": "Shopify's own development",
    "acme.shop.dev": "Shopify's own development",
    "admin.shopify.com/store/acme": "an address of the admin, not a shop's domain",
    "ac_me.myshopify.com": "no shop's name has an underscore",
}


@pytest.mark.parametrize("text", SHOPS)
def test_a_shops_domain_is_taken_where_shopifys_library_takes_it_or_the_row_says_why_not(
    judge: Judge, text: str
) -> None:
    theirs = judge.ask("shop", shop=text) is not None
    taken = takes(lambda: shop_domain(text))
    assert (taken, theirs) == ((False, True) if SHOPS[text] else (theirs, theirs))


def test_token_exchange_asks_for_the_same(judge: Judge, ours: Settings) -> None:
    id_token = token(admin_claims(datetime.now(UTC)))
    theirs = judge.ask("exchange", shop=SHOP, token=id_token)
    assert theirs["url"] == f"https://{SHOP}/admin/oauth/access_token"
    assert theirs["body"] == exchange_request(ours, id_token)


def test_refresh_asks_for_the_same(judge: Judge, ours: Settings) -> None:
    theirs = judge.ask("refresh", shop=SHOP, refresh_token="shprt_x")
    assert theirs["url"] == f"https://{SHOP}/admin/oauth/access_token"
    assert theirs["body"] == refresh_request(ours, "shprt_x")
