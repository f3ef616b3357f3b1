"""The authorization-code install, for shops that do not use managed installation.

Shopify's library makes the permission address and checks the callback's signature. Its global
session is never touched: the secret lives in a class of its own for each question.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shopify import Session
from shopify.utils.shop_url import sanitize_shop_domain

from app.config import API_VERSION, Settings
from app.errors import InputError, NotAuthentic, ProofMissing
from app.shops.sessions import check_fresh
from app.shops.signatures import hmac_hex, same
from app.values import ShopDomain, shop_domain


@dataclass(frozen=True, slots=True)
class Callback:
    """A merchant agreed: the code is to be exchanged for the shop's token."""

    shop: ShopDomain
    code: str = field(repr=False)


def requested_shop(text: str) -> ShopDomain:
    """Return the shop a merchant asks to install on, `acme` for short. Raises InputError."""
    domain = sanitize_shop_domain(text)
    if domain is None:
        raise InputError(f"not a shop's domain: {text[:100]!r}", "shop")
    return shop_domain(domain)


def permission_url(settings: Settings, shop: ShopDomain, state: str) -> str:
    """Return where the merchant is asked to agree to the app's scopes."""
    session = _library(settings, settings.api_secret)(shop, API_VERSION)
    callback = f"{settings.app_url}/auth/callback"
    return str(session.create_permission_url(sorted(settings.scopes), callback, state))


def new_state() -> str:
    """Return a nonce that only the browser that began the install can bring back."""
    return secrets.token_urlsafe(24)


def signed_state(settings: Settings, shop: ShopDomain, state: str) -> str:
    """Return the cookie that binds the nonce to this shop."""
    return f"{state}.{hmac_hex(settings.api_secret, f'{shop}.{state}'.encode())}"


def read_callback(
    query: Mapping[str, str], cookie: str | None, settings: Settings, now: datetime
) -> Callback:
    """Return the shop and the code that Shopify sent the merchant back with.

    Raises ProofMissing without a signature or the cookie, NotAuthentic for one that is wrong or
    old, InputError for a shop that is none or no code.
    """
    if not query.get("hmac") or not cookie:
        raise ProofMissing("the callback carries no hmac, or the browser did not begin the install")
    check_fresh(query.get("timestamp", ""), now)
    if not _signed_by_shopify(query, settings):
        raise NotAuthentic("the callback's hmac is not of its query")
    shop = shop_domain(query.get("shop", ""))
    if not same(cookie, signed_state(settings, shop, query.get("state", ""))):
        raise NotAuthentic("the callback's state is not the one this browser was given")
    if not (code := query.get("code")):
        raise InputError("the callback carries no code", "code")
    return Callback(shop, code)


def _signed_by_shopify(query: Mapping[str, str], settings: Settings) -> bool:
    return any(_library(settings, secret).validate_params(query) for secret in settings.secrets)


def _library(settings: Settings, secret: str) -> type[Session]:
    """Return Shopify's session class with this app's key and secret, apart from its globals."""
    return type("AppSession", (Session,), {"api_key": settings.api_key, "secret": secret})
