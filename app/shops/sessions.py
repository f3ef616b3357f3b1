"""Who is calling: Shopify's tokens and signatures, turned into claims we can rely on.

Shopify's libraries stop at the signature, `aud` and the clock. Here `exp` and `dest` must be there,
`dest` must be a shop, and a staff member's token must come from that shop's admin: a buyer's
session token is signed with the same secret and must open nothing but the checkout's routes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.config import Settings
from app.errors import InputError, NotAuthentic, ProofMissing
from app.shops.id_tokens import decode_token
from app.shops.signatures import signs_body, signs_proxy
from app.values import ShopDomain, moment, shop_domain, shopify_id

# What Shopify's own libraries allow a signed query to be old.
QUERY_FRESH = timedelta(seconds=90)

_CUSTOMER = re.compile(r"gid://shopify/Customer/[0-9]{1,19}", re.ASCII)
_REMEMBERED = 20_000
_Key = tuple[str, tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class CheckoutClaims:
    """A checkout of the shop; customer_id only for a buyer who is logged in.

    token_id: of the proof itself, which is one checkout's for five minutes.
    """

    shop: ShopDomain
    customer_id: int | None
    expires_at: datetime
    token_id: str = ""


@dataclass(frozen=True, slots=True)
class AdminClaims:
    """A member of the shop's staff, and the id token that says so (to be exchanged, not logged)."""

    shop: ShopDomain
    user_id: int
    token: str


@dataclass(frozen=True, slots=True)
class ProxyClaims:
    """A storefront visitor of the shop; customer_id only when logged in."""

    shop: ShopDomain
    customer_id: int | None


@dataclass(frozen=True, slots=True)
class WebhookHeaders:
    """What a delivery says of itself. event_id is the same on a repeat."""

    shop: ShopDomain
    topic: str
    event_id: str
    webhook_id: str
    api_version: str
    triggered_at: datetime | None


class TokenMemory:
    """Verified tokens until they expire; the oldest goes when it is full."""

    def __init__(self, limit: int = _REMEMBERED) -> None:
        self._limit = limit
        self._claims: dict[_Key, CheckoutClaims] = {}

    def recall(self, key: _Key, now: datetime) -> CheckoutClaims | None:
        """Return the claims of a token that is still good, None for one to be verified."""
        claims = self._claims.get(key)
        return claims if claims is not None and now < claims.expires_at else None

    def remember(self, key: _Key, claims: CheckoutClaims) -> None:
        """Cache the claims of a verified token."""
        while len(self._claims) >= self._limit:
            # Checkout tokens all live five minutes, so the first in is the first to expire.
            del self._claims[next(iter(self._claims))]
        self._claims[key] = claims

    def __len__(self) -> int:
        return len(self._claims)


_memory = TokenMemory()


def verify_checkout_token(
    authorization: str | None, settings: Settings, now: datetime, memory: TokenMemory = _memory
) -> CheckoutClaims:
    """Return whose checkout it is, from the header a checkout extension sends.

    Raises ProofMissing without a bearer token, NotAuthentic for one that is not good.
    """
    token = bearer_token(authorization)
    key = (settings.api_key, settings.secrets, token)
    if known := memory.recall(key, now):
        return known
    claims = _checkout_claims(decode_token(token, settings, now))
    if now < claims.expires_at:
        memory.remember(key, claims)
    return claims


def verify_admin_token(token: str, settings: Settings, now: datetime) -> AdminClaims:
    """Return who of which shop's staff is asking, from an id token. Raises NotAuthentic."""
    claims = decode_token(token, settings, now)
    shop, issuer = _shop_of(claims), urlsplit(str(claims.get("iss", "")))
    if (issuer.scheme, issuer.netloc, issuer.path.rstrip("/")) != ("https", shop, "/admin"):
        raise NotAuthentic("the token was not issued by the admin of the shop it is for")
    try:
        user_id = shopify_id(str(claims.get("sub", "")), "sub")
    except InputError:
        raise NotAuthentic("the token names no member of the shop's staff") from None
    return AdminClaims(shop, user_id, token)


def verify_webhook(headers: Mapping[str, str], body: bytes, settings: Settings) -> WebhookHeaders:
    """Return what the delivery says of itself, once its signature over the raw bytes is checked.

    Raises ProofMissing without a signature, NotAuthentic for a wrong one or one of something else, InputError
    for a body or header that is missing or a shop that is none. Header names in any case, with or without
    their `X-`.
    """
    sent = {name.lower().removeprefix("x-"): value for name, value in headers.items()}
    signature = sent.get("shopify-hmac-sha256")
    if not signature:
        raise ProofMissing("the delivery carries no HMAC")
    if not signs_body(signature, body, settings.secrets):
        raise NotAuthentic("the delivery's HMAC is not of its body")
    if not body:
        raise InputError("the delivery has no body")
    # The same secret signs session tokens, queries and the cookie of an install. Whoever holds one of those
    # holds a signature too, and could say in the headers that it is of any shop; none of them begins so.
    if not body.startswith(b"{"):
        raise NotAuthentic("what is signed is no delivery: those are JSON objects")
    webhook_id = _header(sent, "shopify-webhook-id")
    return WebhookHeaders(
        shop=shop_domain(_header(sent, "shopify-shop-domain")),
        topic=_header(sent, "shopify-topic").lower(),
        event_id=sent.get("shopify-event-id") or webhook_id,
        webhook_id=webhook_id,
        api_version=_header(sent, "shopify-api-version"),
        triggered_at=_triggered_at(sent.get("shopify-triggered-at", "")),
    )


def verify_app_proxy(query: str, settings: Settings, now: datetime) -> ProxyClaims:
    """Return whose storefront it is, from the raw query string the app proxy signed.

    Raises ProofMissing without a signature, NotAuthentic for a wrong or an old one.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    signed = [(key, value) for key, value in pairs if key != "signature"]
    signature = _only(pairs, "signature")
    if not signature:
        raise ProofMissing("the query carries no signature")
    if not signs_proxy(signature, signed, settings.secrets):
        raise NotAuthentic("the query's signature is not of its parameters")
    check_fresh(_only(signed, "timestamp"), now)
    customer = _only(signed, "logged_in_customer_id")
    try:
        shop = shop_domain(_only(signed, "shop"))
        return ProxyClaims(shop, shopify_id(customer, "customer") if customer else None)
    except InputError as error:
        raise NotAuthentic(str(error)) from None


def bearer_token(authorization: str | None) -> str:
    """Return the token of an Authorization header. Raises ProofMissing when there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ProofMissing("no bearer token was sent")
    return token.strip()


def check_fresh(timestamp: str, now: datetime) -> None:
    """Return when the signed Unix time is within 90 seconds of now. Raises NotAuthentic."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise NotAuthentic("the query carries no timestamp")
    if abs(now.timestamp() - int(timestamp)) > QUERY_FRESH.total_seconds():
        raise NotAuthentic("the query was signed too long ago")


def _checkout_claims(claims: Mapping[str, Any]) -> CheckoutClaims:
    return CheckoutClaims(
        shop=_shop_of(claims),
        customer_id=_customer(claims.get("sub")),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        token_id=str(claims.get("jti") or claims["exp"]),
    )


def _shop_of(claims: Mapping[str, Any]) -> ShopDomain:
    try:
        return shop_domain(str(claims["dest"]))
    except InputError as error:
        raise NotAuthentic(f"the token's dest is no shop: {error}") from None


def _customer(sub: object) -> int | None:
    """Return the buyer's number, None for one who is not logged in."""
    if sub is None or sub == "":
        return None
    if not isinstance(sub, str) or not _CUSTOMER.fullmatch(sub):
        raise NotAuthentic("the token's sub is not a customer")
    try:
        return shopify_id(sub, "sub")
    except InputError as error:
        raise NotAuthentic(str(error)) from None


def _header(sent: Mapping[str, str], name: str) -> str:
    if not (value := sent.get(name)):
        raise InputError(f"the delivery carries no {name} header", name)
    return value


def _triggered_at(text: str) -> datetime | None:
    """Return the time, None for a header that is missing or unreadable: it only orders."""
    try:
        # Shopify writes nanoseconds; Python reads six digits.
        return moment(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except InputError:
        return None


def _only(pairs: list[tuple[str, str]], name: str) -> str:
    """Return the parameter's value, empty when absent. Raises NotAuthentic for a repeated one."""
    values = [value for key, value in pairs if key == name]
    if len(values) > 1:
        raise NotAuthentic(f"the query carries {name} more than once")
    return values[0] if values else ""
