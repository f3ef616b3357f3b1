"""Where a merchant's browser finds the app and its shop. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.config import Settings
from app.values import ShopDomain


def app_in_admin(settings: Settings, shop: ShopDomain) -> str:
    """Return the address of the app inside the shop's admin."""
    if settings.dev_store_url:
        return f"{settings.dev_store_url}/admin?shop={shop}"
    return f"https://admin.shopify.com/store/{handle(shop)}/apps/{settings.api_key}"


def for_browser(settings: Settings, url: str) -> str:
    """Return a shop's address as the browser reaches it: in development, at the dev store."""
    if not settings.dev_store_url:
        return url
    parts = urlsplit(url)
    return f"{settings.dev_store_url}{parts.path}?{parts.query}"


def handle(shop: ShopDomain) -> str:
    """Return the shop's name in the admin's addresses."""
    return shop.removesuffix(".myshopify.com")
