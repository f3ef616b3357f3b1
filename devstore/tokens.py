"""Access tokens, refresh tokens, authorization codes and id tokens, as Shopify issues them."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt

ACCESS_SECONDS = 3600
REFRESH_SECONDS = 7_776_000  # 90 days
CODE_SECONDS = 60
ADMIN_SECONDS = 60
CHECKOUT_SECONDS = 300
STAFF_ID = "1"  # invented: the one member of staff


class GrantRefused(Exception):
    """No token for this request. code is OAuth's word for the reason."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code, self.description = code, description


@dataclass(frozen=True, slots=True)
class Grant:
    """One access token of one shop; expires_at None: it never does."""

    shop: str
    access_token: str
    scopes: frozenset[str]
    online: bool = False
    expires_at: datetime | None = None
    refresh_token: str | None = None
    refresh_expires_at: datetime | None = None

    def as_json(self, now: datetime) -> dict[str, Any]:
        body: dict[str, Any] = {"access_token": self.access_token, "scope": ",".join(sorted(self.scopes))}
        if self.expires_at is not None:
            body["expires_in"] = round((self.expires_at - now).total_seconds())
        if self.refresh_token is not None and self.refresh_expires_at is not None:
            left = self.refresh_expires_at - now
            body |= {
                "refresh_token": self.refresh_token,
                "refresh_token_expires_in": round(left.total_seconds()),
            }
        if self.online:
            body |= {"associated_user_scope": body["scope"], "associated_user": {"id": int(STAFF_ID)}}
        return body


@dataclass(slots=True)
class TokenBook:
    """Every token that is out, and what it may do."""

    by_access: dict[str, Grant] = field(default_factory=dict)
    by_refresh: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, tuple[str, frozenset[str], datetime]] = field(default_factory=dict)

    def issue(
        self, shop: str, scopes: frozenset[str], now: datetime, *, expiring: bool, online: bool = False
    ) -> Grant:
        """Return a new access token, with a refresh token when it expires and is offline."""
        rotates = expiring and not online
        grant = Grant(
            shop,
            f"shp{'ua' if online else 'at'}_{secrets.token_hex(16)}",
            scopes,
            online,
            now + timedelta(seconds=ACCESS_SECONDS) if expiring or online else None,
            f"shprt_{secrets.token_hex(16)}" if rotates else None,
            now + timedelta(seconds=REFRESH_SECONDS) if rotates else None,
        )
        self.by_access[grant.access_token] = grant
        if grant.refresh_token is not None:
            self.by_refresh[grant.refresh_token] = grant
        return grant

    def find(self, shop: str, access_token: str, now: datetime) -> Grant | None:
        """Return the grant of a token that is good for this shop now."""
        grant = self.by_access.get(access_token)
        if grant is None or grant.shop != shop:
            return None
        return grant if grant.expires_at is None or now < grant.expires_at else None

    def refresh(self, shop: str, refresh_token: str, now: datetime) -> Grant:
        """Return a new grant in place of an older one, whose refresh token is spent with this."""
        old = self.by_refresh.get(refresh_token)
        if old is None or old.shop != shop or old.refresh_expires_at is None or now >= old.refresh_expires_at:
            raise GrantRefused("invalid_grant", "The refresh token is unknown, used or expired.")
        del self.by_refresh[refresh_token]
        return self.issue(shop, old.scopes, now, expiring=True)

    def authorize(self, shop: str, scopes: frozenset[str], now: datetime) -> str:
        """Return an authorization code, good once and for a minute."""
        code = secrets.token_hex(16)
        self.codes[code] = (shop, scopes, now + timedelta(seconds=CODE_SECONDS))
        return code

    def redeem(self, shop: str, code: str, now: datetime, *, expiring: bool) -> Grant:
        """Return the grant that an authorization code stands for."""
        asked_by, scopes, until = self.codes.pop(code, ("", frozenset(), now))
        if asked_by != shop or now >= until:
            raise GrantRefused("invalid_request", "The authorization code was not found or was already used")
        return self.issue(shop, scopes, now, expiring=expiring)

    def regrant(self, shop: str, scopes: frozenset[str]) -> None:
        """Let every token of a shop do this much and no more, as a change of scopes does."""
        for book in (self.by_access, self.by_refresh):
            book.update({k: replace(v, scopes=scopes) for k, v in book.items() if v.shop == shop})

    def revoke(self, shop: str) -> None:
        """Forget every token of a shop, as an uninstall does."""
        self.by_access = {k: v for k, v in self.by_access.items() if v.shop != shop}
        self.by_refresh = {k: v for k, v in self.by_refresh.items() if v.shop != shop}
        self.codes = {k: v for k, v in self.codes.items() if v[0] != shop}


def admin_id_token(shop: str, key: str, secret: str, now: datetime, user: str = STAFF_ID) -> str:
    """Return the id token that the admin hands to an embedded app: good for a minute."""
    claims = _claims(key, now, ADMIN_SECONDS) | {
        "iss": f"https://{shop}/admin",
        "dest": f"https://{shop}",
        "sub": user,
        "sid": secrets.token_hex(16),
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def checkout_session_token(
    shop: str, key: str, secret: str, now: datetime, customer_id: int | None = None
) -> str:
    """Return the session token of a checkout extension; sub is there for a logged-in buyer only."""
    claims = _claims(key, now, CHECKOUT_SECONDS) | {"iss": f"https://{shop}/checkouts", "dest": shop}
    if customer_id is not None:
        claims["sub"] = f"gid://shopify/Customer/{customer_id}"
    return jwt.encode(claims, secret, algorithm="HS256")


def check_id_token(token: str, shop: str, key: str, secret: str, now: datetime) -> dict[str, Any]:
    """Return the claims of an id token of this app for this shop. Raises GrantRefused."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=key,
            options={
                "require": ["exp", "aud", "dest", "iss"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.InvalidTokenError as error:
        raise GrantRefused("invalid_subject_token", f"The id token is not valid: {error}.") from error
    if now.timestamp() >= claims["exp"]:
        raise GrantRefused("invalid_subject_token", "The id token has expired.")
    if claims["dest"] != f"https://{shop}":
        raise GrantRefused("invalid_subject_token", "The id token is for another shop.")
    return claims


def signed_query(params: Mapping[str, str], secret: str) -> str:
    """Return the query string with Shopify's hmac over its sorted pairs, as OAuth callbacks carry."""
    message = "&".join(f"{key}={value}" for key, value in sorted(params.items()))
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    return urlencode([*sorted(params.items()), ("hmac", digest)])


def proxy_query(pairs: list[tuple[str, str]], secret: str) -> str:
    """Return the query string of an app proxy request with its signature.

    Values of a repeated key are joined by a comma and the pairs by nothing, as Shopify's docs say.
    """
    joined: dict[str, list[str]] = {}
    for key, value in pairs:
        joined.setdefault(key, []).append(value)
    message = "".join(sorted(f"{key}={','.join(values)}" for key, values in joined.items()))
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    return urlencode([*pairs, ("signature", digest)])


def _claims(key: str, now: datetime, seconds: int) -> dict[str, Any]:
    issued = int(now.timestamp())
    return {"aud": key, "iat": issued, "nbf": issued, "exp": issued + seconds, "jti": secrets.token_hex(16)}
