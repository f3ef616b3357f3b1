"""The shop's web pixel: one per app, created on install with the shop's publishable key."""

from __future__ import annotations

from typing import Any

from app.connections import Connections
from app.errors import ShopifyRefused
from app.shopify import accepted
from app.shops.documents import CREATE_WEB_PIXEL, FIND_WEB_PIXEL, UPDATE_WEB_PIXEL
from app.shops.tokens import ask_shop


async def connect_pixel(connections: Connections, shop: str, publishable_key: str) -> str:
    """Return the id of the shop's pixel, which now sends with this key. Raises ShopifyError."""
    pixel = {"settings": {"accountID": publishable_key}}
    found = await _find(connections, shop)
    if found is None:
        data = await ask_shop(connections, shop, CREATE_WEB_PIXEL, {"webPixel": pixel})
        return _id(accepted(data, "webPixelCreate", shop=shop), shop)
    data = await ask_shop(connections, shop, UPDATE_WEB_PIXEL, {"id": found, "webPixel": pixel})
    return _id(accepted(data, "webPixelUpdate", shop=shop), shop)


async def _find(connections: Connections, shop: str) -> str | None:
    """Return the pixel's id, None when there is none: Shopify says so with an error."""
    try:
        data = await ask_shop(connections, shop, FIND_WEB_PIXEL)
    except ShopifyRefused:
        return None
    found = data.get("webPixel")
    return str(found["id"]) if found else None


def _id(payload: dict[str, Any], shop: str) -> str:
    pixel = payload.get("webPixel")
    if not pixel:
        raise ShopifyRefused(f"{shop}: the web pixel was not made, and Shopify does not say why")
    return str(pixel["id"])
