"""Shopify's signed tokens, decoded. Pure: the clock is the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.types import Options

from app.config import Settings
from app.errors import NotAuthentic

# What Shopify's own libraries allow a clock to be off.
CLOCK_LEEWAY = timedelta(seconds=10)

_HMAC_BLOCK = 64
_LAST_SECOND = 2**33
_CHECKS: Options = {
    "require": ["exp", "aud", "dest"],
    # PyJWT reads the system's clock; the times are checked below by the caller's.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


def decode_token(token: str, settings: Settings, now: datetime) -> dict[str, Any]:
    """Return the claims of an HS256 token of this app that is good now. Raises NotAuthentic."""
    claims = _verified(token, settings)
    if claims["aud"] != settings.api_key:
        raise NotAuthentic("the token is for several apps")
    expires, begins = _seconds(claims, "exp"), _seconds(claims, "nbf", 0)
    leeway_s = CLOCK_LEEWAY.total_seconds()
    if now.timestamp() >= expires + leeway_s:
        raise NotAuthentic("the token has expired")
    if now.timestamp() < begins - leeway_s:
        raise NotAuthentic("the token is not good yet")
    return claims


def _verified(token: str, settings: Settings) -> dict[str, Any]:
    if "=" in token:  # PyJWT takes padding, by which one token would be two
        raise NotAuthentic("the token is padded")
    for secret in settings.secrets:
        # HMAC fills a short key with zeros itself; PyJWT warns of keys below 32 bytes.
        key = secret.encode().ljust(_HMAC_BLOCK, b"\0")
        try:
            return jwt.decode(token, key, algorithms=["HS256"], audience=settings.api_key, options=_CHECKS)
        except jwt.InvalidSignatureError:
            continue
        except (jwt.InvalidTokenError, ValueError) as error:
            raise NotAuthentic(f"the token is not good: {error}") from None
    raise NotAuthentic("the token is not signed with this app's secret")


def _seconds(claims: Mapping[str, Any], name: str, default: int | None = None) -> float:
    value = claims.get(name, default)
    # NaN is JSON to Python and fails every comparison, so it is told what it must be.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotAuthentic(f"the token's {name} is not a time")
    if not 0 <= value < _LAST_SECOND:
        raise NotAuthentic(f"the token's {name} is out of range")
    return value
