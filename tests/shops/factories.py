"""Tokens, deliveries and queries as Shopify makes them, each with one thing changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
from sqlmodel import col, delete

from app.connections import Connections
from app.shops.signatures import hmac_base64, hmac_hex, proxy_messages
from app.tables import TokenRow

KEY, SECRET, OLD_SECRET = "test-key", "test-secret", "an-older-secret"
SHOP = "acme.myshopify.com"
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


async def forget_token(connections: Connections, shop: str) -> None:
    """Delete the shop's tokens, as an uninstall does or Shopify refusing them."""
    async with connections.write() as db:
        await db.exec(delete(TokenRow).where(col(TokenRow.shop) == shop))


def signed_token(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    """Return a JWT; zeros after a short key are what HMAC adds itself."""
    key = "" if algorithm == "none" else secret.encode().ljust(64, b"\0")
    return jwt.encode(claims, key, algorithm=algorithm)


def checkout_claims(now: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """Return a buyer's claims; a change to None leaves the claim out."""
    claims = {
        "dest": SHOP,
        "aud": KEY,
        "exp": int((now + timedelta(minutes=5)).timestamp()),
        "nbf": int(now.timestamp()),
        "iat": int(now.timestamp()),
        "jti": "6f1a",
        "sub": "gid://shopify/Customer/7",
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def admin_claims(now: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """Return a staff member's claims; a change to None leaves the claim out."""
    staff = {"iss": f"https://{SHOP}/admin", "dest": f"https://{SHOP}", "sub": "42", "sid": "s"}
    return checkout_claims(now, **(staff | changes))


def webhook_headers(body: bytes, secret: str = SECRET, **changes: str | None) -> dict[str, str]:
    """Return a delivery's headers; names in `changes` are without `X-Shopify-`."""
    headers: dict[str, str | None] = {
        "Hmac-Sha256": hmac_base64(secret, body),
        "Topic": "orders/create",
        "Shop-Domain": SHOP,
        "API-Version": "2026-07",
        "Webhook-Id": "b54557e4",
        "Event-Id": "98880550",
        "Triggered-At": "2026-11-24T11:59:59.123456789Z",
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {f"X-Shopify-{name}": value for name, value in headers.items() if value is not None}


def proxy_query(*pairs: tuple[str, str], now: datetime = NOW, secret: str = SECRET) -> str:
    """Return a query the app proxy signed: the given pairs, else what every request carries."""
    sent = list(pairs) or proxy_pairs(now)
    message = max(proxy_messages(sent))
    return urlencode([*sent, ("signature", hmac_hex(secret, message.encode()))])


def proxy_pairs(now: datetime = NOW) -> list[tuple[str, str]]:
    """Return what every proxied request carries."""
    return [
        ("logged_in_customer_id", "7"),
        ("path_prefix", "/apps/tillwise"),
        ("shop", SHOP),
        ("timestamp", str(int(now.timestamp()))),
    ]
