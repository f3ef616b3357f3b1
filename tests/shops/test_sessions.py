from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from string import ascii_lowercase, ascii_uppercase, digits
from urllib.parse import urlencode

import pytest

from app.config import Settings
from app.errors import InputError, NotAuthentic, ProofMissing
from app.shops.oauth import new_state
from app.shops.sessions import (
    TokenMemory,
    verify_admin_token,
    verify_app_proxy,
    verify_checkout_token,
    verify_webhook,
)
from app.shops.signatures import hmac_hex
from tests.shops.factories import (
    NOW,
    OLD_SECRET,
    SECRET,
    SHOP,
    admin_claims,
    checkout_claims,
    proxy_pairs,
    proxy_query,
    signed_token,
    webhook_headers,
)

BODY = '{"id": 1, "note": "café"}'.encode()


def bearer(**changes: object) -> str:
    return f"Bearer {signed_token(checkout_claims(**changes))}"


def test_buyers_token_names_shop_customer_and_expiry(settings: Settings) -> None:
    claims = verify_checkout_token(bearer(), settings, NOW)
    assert (claims.shop, claims.customer_id) == (SHOP, 7)
    assert claims.expires_at == NOW + timedelta(minutes=5)


@pytest.mark.parametrize("sub", [None, ""])
def test_guest_has_no_customer_id(settings: Settings, sub: str | None) -> None:
    assert verify_checkout_token(bearer(sub=sub), settings, NOW).customer_id is None


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": int(NOW.timestamp()) - 11},
        {"exp": "tomorrow"},
        {"exp": float("nan")},
        {"exp": 1e300},
        {"exp": True},
        {"nbf": int(NOW.timestamp()) + 11},
        {"nbf": "now"},
        {"aud": None},
        {"aud": "another-app"},
        {"aud": ["test-key", "another-app"]},
        {"dest": None},
        {"dest": "evil.example.com"},
        {"dest": "acme.myshopify.com.evil.example.com"},
        {"dest": "https://evil.example.com/acme.myshopify.com"},
        {"dest": 7},
        {"sub": "gid://shopify/Order/7"},
        {"sub": "gid://shopify/Customer/99999999999999999999"},
        {"sub": "42"},
    ],
    ids=str,
)
def test_token_with_a_wrong_claim_is_refused(settings: Settings, changes: dict[str, object]) -> None:
    with pytest.raises(NotAuthentic):
        verify_checkout_token(bearer(**changes), settings, NOW)


@pytest.mark.parametrize(
    "token",
    [
        signed_token(checkout_claims(), "a-foreign-secret"),
        signed_token(checkout_claims(), algorithm="none"),
        signed_token(checkout_claims(), algorithm="HS512"),
        signed_token(checkout_claims())[:-2],
        "not.a.token",
        "€",
        "a" * 100_000,
    ],
    ids=["foreign", "none", "HS512", "cut", "garbage", "unicode", "long"],
)
def test_token_that_is_not_signed_by_us_in_hs256_is_refused(settings: Settings, token: str) -> None:
    with pytest.raises(NotAuthentic):
        verify_checkout_token(f"Bearer {token}", settings, NOW)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dGlsbA=="])
def test_no_token_is_a_missing_proof(settings: Settings, header: str | None) -> None:
    with pytest.raises(ProofMissing):
        verify_checkout_token(header, settings, NOW)


def test_old_secret_is_good_while_it_is_configured(settings: Settings) -> None:
    rotated = replace(settings, old_api_secret=OLD_SECRET)
    token = f"Bearer {signed_token(checkout_claims(), OLD_SECRET)}"
    assert verify_checkout_token(token, rotated, NOW).shop == SHOP
    with pytest.raises(NotAuthentic):
        verify_checkout_token(token, settings, NOW)


def test_clock_may_be_ten_seconds_off_either_way(settings: Settings) -> None:
    token = bearer()
    for off in (timedelta(seconds=-10), timedelta(minutes=5, seconds=9)):
        assert verify_checkout_token(token, settings, NOW + off, TokenMemory()).shop == SHOP


def test_remembered_token_is_not_decoded_again_and_is_refused_once_expired(
    settings: Settings,
) -> None:
    memory, token = TokenMemory(), bearer()
    first = verify_checkout_token(token, settings, NOW, memory)
    assert verify_checkout_token(token, settings, NOW, memory) is first
    with pytest.raises(NotAuthentic):
        verify_checkout_token(token, settings, NOW + timedelta(minutes=6), memory)


def test_remembered_token_opens_nothing_under_another_secret(settings: Settings) -> None:
    memory, token = TokenMemory(), bearer()
    verify_checkout_token(token, settings, NOW, memory)
    with pytest.raises(NotAuthentic):
        verify_checkout_token(token, replace(settings, api_secret="another"), NOW, memory)


def test_memory_keeps_the_newest_and_never_more_than_its_limit(settings: Settings) -> None:
    memory = TokenMemory(limit=3)
    tokens = [bearer(jti=str(number)) for number in range(5)]
    firsts = [verify_checkout_token(token, settings, NOW, memory) for token in tokens]
    assert len(memory) == 3
    assert verify_checkout_token(tokens[-1], settings, NOW, memory) is firsts[-1]


def test_a_token_is_remembered_once_however_its_header_is_written(settings: Settings) -> None:
    memory, token = TokenMemory(), bearer()
    first = verify_checkout_token(token, settings, NOW, memory)
    for scheme in ("Bearer  ", "bearer ", "BEARER" + " " * 9_000):
        assert verify_checkout_token(token.replace("Bearer ", scheme), settings, NOW, memory) is first
    assert len(memory) == 1


@pytest.mark.parametrize("more", ["=", "==", "!", "-"])
def test_a_token_is_taken_in_one_spelling_only(settings: Settings, more: str) -> None:
    """Each of many spellings had a rate of its own, and a place among those that are remembered."""
    memory, token = TokenMemory(), bearer()
    head, _, signature = token.rpartition(".")
    for spelling in (
        token + more,
        f"{head}.{more}{signature}",
        f"{head}.{signature[:20]}{more}{signature[20:]}",
    ):
        with pytest.raises(NotAuthentic):
            verify_checkout_token(spelling, settings, NOW, memory)
    assert len(memory) == 0


def test_the_bits_that_a_tokens_last_letter_does_not_need_are_zero(settings: Settings) -> None:
    token = bearer()
    letters = f"{ascii_uppercase}{ascii_lowercase}{digits}-_"
    first = letters.index(token[-1])  # of 6 bits, 256 leave 2
    for spare in (1, 2, 3):
        with pytest.raises(NotAuthentic):
            verify_checkout_token(token[:-1] + letters[first + spare], settings, NOW, TokenMemory())
    assert verify_checkout_token(token, settings, NOW, TokenMemory()).shop == SHOP


def test_staffs_token_names_shop_and_user(settings: Settings) -> None:
    claims = verify_admin_token(token := signed_token(admin_claims()), settings, NOW)
    assert (claims.shop, claims.user_id, claims.token) == (SHOP, 42, token)
    assert token not in str(NotAuthentic(claims.shop))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": "https://other.myshopify.com/admin"},
        {"iss": f"https://{SHOP}/checkouts"},
        {"iss": f"http://{SHOP}/admin"},
        {"iss": f"https://{SHOP}:444/admin"},
        {"dest": "https://other.myshopify.com"},
        {"sub": None},
        {"sub": "gid://shopify/Customer/7", "iss": f"https://{SHOP}/checkouts"},
    ],
    ids=str,
)
def test_token_not_from_the_shops_own_admin_is_refused(
    settings: Settings, changes: dict[str, object]
) -> None:
    with pytest.raises(NotAuthentic):
        verify_admin_token(signed_token(admin_claims(**changes)), settings, NOW)


def test_buyers_token_does_not_open_the_admin(settings: Settings) -> None:
    with pytest.raises(NotAuthentic):
        verify_admin_token(signed_token(checkout_claims()), settings, NOW)


def test_staffs_token_does_not_pass_for_a_buyers(settings: Settings) -> None:
    with pytest.raises(NotAuthentic):
        verify_checkout_token(f"Bearer {signed_token(admin_claims())}", settings, NOW)


@pytest.mark.parametrize("prefix", ["X-Shopify-", "shopify-", "x-shopify-"])
def test_signed_delivery_says_what_it_is(settings: Settings, prefix: str) -> None:
    headers = {name.replace("X-Shopify-", prefix): value for name, value in webhook_headers(BODY).items()}
    read = verify_webhook(headers, BODY, settings)
    assert (read.shop, read.topic, read.event_id) == (SHOP, "orders/create", "98880550")
    assert (read.webhook_id, read.api_version) == ("b54557e4", "2026-07")
    assert read.triggered_at is not None
    assert read.triggered_at.isoformat() == "2026-11-24T11:59:59.123456+00:00"


def test_delivery_without_event_id_is_known_by_its_webhook_id(settings: Settings) -> None:
    headers = webhook_headers(BODY, Event_Id=None, Triggered_At="soon")
    read = verify_webhook(headers, BODY, settings)
    assert (read.event_id, read.triggered_at) == ("b54557e4", None)


def test_delivery_signed_with_the_old_secret_is_good(settings: Settings) -> None:
    rotated = replace(settings, old_api_secret=OLD_SECRET)
    assert verify_webhook(webhook_headers(BODY, OLD_SECRET), BODY, rotated).shop == SHOP


def test_unsigned_delivery_is_a_missing_proof(settings: Settings) -> None:
    with pytest.raises(ProofMissing):
        verify_webhook(webhook_headers(BODY, **{"Hmac-Sha256": None}), BODY, settings)


@pytest.mark.parametrize("body", [BODY + b" ", BODY[:-1], b"", b"\xff\xfe"])
def test_delivery_whose_body_changed_is_refused(settings: Settings, body: bytes) -> None:
    with pytest.raises(NotAuthentic):
        verify_webhook(webhook_headers(BODY), body, settings)


@pytest.mark.parametrize("signature", ["é" * 44, "AAAA", "\udcff"])
def test_signature_of_any_characters_is_refused_not_a_crash(settings: Settings, signature: str) -> None:
    with pytest.raises(NotAuthentic):
        verify_webhook(webhook_headers(BODY, **{"Hmac-Sha256": signature}), BODY, settings)


def test_body_that_is_no_text_at_all_can_be_signed(settings: Settings) -> None:
    raw = b"{\xff\x00\xfe"
    assert verify_webhook(webhook_headers(raw), raw, settings).shop == SHOP


@pytest.mark.parametrize(
    "signed",
    [
        signed_token(checkout_claims()).rpartition(".")[0],  # a shopper holds the signature of that
        "".join(f"{key}={value}" for key, value in proxy_pairs()),
        urlencode([("embedded", "1"), ("shop", SHOP), ("timestamp", "1795608000")]),
        # A merchant may add parameters to an address of the app, and those with a space come first.
        f' {{"id": 7, "x": "=&embedded=1&shop={SHOP}&timestamp=1795608000&z"}}=',
        f"{SHOP}.{new_state()}",  # and whoever begins an install that of the cookie
    ],
    ids=["token", "proxy", "document", "document with parameters", "state"],
)
def test_what_the_same_secret_signs_elsewhere_is_no_delivery(settings: Settings, signed: str) -> None:
    with pytest.raises(NotAuthentic):
        verify_webhook(webhook_headers(signed.encode()), signed.encode(), settings)


@pytest.mark.parametrize("name", ["Topic", "Shop-Domain", "API-Version", "Webhook-Id"])
def test_delivery_without_a_required_header_names_it(settings: Settings, name: str) -> None:
    with pytest.raises(InputError, match=name.lower()):
        verify_webhook(webhook_headers(BODY, **{name: None}), BODY, settings)


def test_delivery_for_what_is_no_shop_is_refused(settings: Settings) -> None:
    with pytest.raises(InputError):
        verify_webhook(webhook_headers(BODY, **{"Shop-Domain": "evil.com"}), BODY, settings)


def test_proxied_request_names_shop_and_customer(settings: Settings) -> None:
    claims = verify_app_proxy(proxy_query(), settings, NOW)
    assert (claims.shop, claims.customer_id) == (SHOP, 7)


def test_proxied_visitor_who_is_not_logged_in_has_no_customer_id(settings: Settings) -> None:
    pairs = [("logged_in_customer_id", ""), *proxy_pairs()[1:]]
    assert verify_app_proxy(proxy_query(*pairs), settings, NOW).customer_id is None


def test_repeated_parameters_are_signed_joined_by_commas(settings: Settings) -> None:
    ids = [("ids", "1"), ("ids", "2")]
    message = "ids=1,2" + "".join(f"{key}={value}" for key, value in proxy_pairs())
    query = urlencode([*ids, *proxy_pairs(), ("signature", hmac_hex(SECRET, message.encode()))])
    assert verify_app_proxy(query, settings, NOW).shop == SHOP


def test_both_of_shopifys_orders_of_parameters_are_good(settings: Settings) -> None:
    pairs = [("a", "1"), ("a1", "2"), *proxy_pairs()]
    rest = "".join(f"{key}={value}" for key, value in proxy_pairs())
    for message in (f"a1=2a=1{rest}", f"a=1a1=2{rest}"):
        signature = hmac_hex(SECRET, message.encode())
        query = urlencode([*pairs, ("signature", signature)])
        assert verify_app_proxy(query, settings, NOW).shop == SHOP


def test_what_a_merchant_adds_to_an_address_of_the_app_is_no_query_of_another(settings: Settings) -> None:
    """Shopify signs the address too, in a form that can be parted anew: `a=1&shop=…&timestamp=…`."""
    added = "".join(f"{key}={value}" for key, value in proxy_pairs())
    address = f"a=1{added}z=&embedded=1&shop=mine.myshopify.com&timestamp=1795608000"
    pairs = [("a", "1"), *proxy_pairs(), ("z", address.partition("z=")[2])]
    query = urlencode([*pairs, ("signature", hmac_hex(SECRET, address.encode()))])
    with pytest.raises(NotAuthentic):
        verify_app_proxy(query, settings, NOW)


@pytest.mark.parametrize("age_s", [91, -91])
def test_query_signed_too_long_ago_or_ahead_is_refused(settings: Settings, age_s: int) -> None:
    with pytest.raises(NotAuthentic):
        verify_app_proxy(proxy_query(), settings, NOW + timedelta(seconds=age_s))


@pytest.mark.parametrize(
    "pairs",
    [
        [("shop", SHOP)],
        [("shop", SHOP), ("timestamp", "soon")],
        [("shop", "evil.com"), *proxy_pairs()[3:]],
        [("shop", SHOP), ("shop", "other.myshopify.com"), *proxy_pairs()[3:]],
        [*proxy_pairs(), *proxy_pairs()[3:]],
        [("logged_in_customer_id", "x"), *proxy_pairs()[1:]],
    ],
    ids=["no time", "no number", "no shop", "two shops", "two times", "no customer"],
)
def test_signed_query_that_makes_no_sense_is_refused(
    settings: Settings, pairs: list[tuple[str, str]]
) -> None:
    with pytest.raises(NotAuthentic):
        verify_app_proxy(proxy_query(*pairs), settings, NOW)


def test_query_that_was_changed_is_refused_and_one_unsigned_is_a_missing_proof(
    settings: Settings,
) -> None:
    with pytest.raises(NotAuthentic):
        verify_app_proxy(proxy_query().replace("acme", "other"), settings, NOW)
    with pytest.raises(ProofMissing):
        verify_app_proxy(urlencode(proxy_pairs()), settings, NOW)
