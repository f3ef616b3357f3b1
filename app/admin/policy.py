"""What a browser may do with a document of the admin. Pure."""

from __future__ import annotations

from app.config import Settings
from app.values import ShopDomain

# The folder of Shopify's own scripts: beside it on that host lies what merchants upload.
CDN = "https://cdn.shopify.com/shopifycloud"


def headers_for(settings: Settings, shop: ShopDomain | None) -> dict[str, str]:
    """Return what a document carries. shop: whose admin alone may frame it; None for nobody's."""
    frames = [f"https://{shop}", "https://admin.shopify.com", settings.dev_store_url] if shop else ["'none'"]
    policy = {
        "script-src": ["'self'", settings.dev_store_url or f"{CDN}/"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": filter(None, frames),
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {' '.join(who)}" for name, who in policy.items()),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }
