"""Signed deliveries, as Shopify makes them."""

import base64
import hashlib
import hmac
from typing import Any

import msgspec

SECRET = "test-secret"
SHOP = "a.myshopify.com"


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def headers(body: bytes, topic: str = "orders/create", **changes: str | None) -> dict[str, str]:
    """Return Shopify's headers; a change of None leaves that header out."""
    sent: dict[str, str | None] = {
        "X-Shopify-Hmac-Sha256": signature(body),
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": SHOP,
        "X-Shopify-API-Version": "2026-07",
        "X-Shopify-Webhook-Id": "w-1",
        "X-Shopify-Event-Id": "e-1",
        "X-Shopify-Triggered-At": "2026-11-01T12:00:00.123456789Z",
    }
    sent |= {f"X-Shopify-{name.replace('_', '-')}": value for name, value in changes.items()}
    return {name: value for name, value in sent.items() if value is not None}


def order_body(**fields: Any) -> bytes:
    order: dict[str, Any] = {
        "id": 11,
        "created_at": "2026-11-01T12:00:00Z",
        "updated_at": "2026-11-01T12:00:00Z",
        "currency": "USD",
        "total_price": "10.00",
        "line_items": [{"id": 1, "quantity": 1, "price": "10.00", "product_id": 2}],
    }
    return msgspec.json.encode(order | fields)
