"""A small shop and what is asked of it; each test varies only what matters to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from app.catalog.catalog import Catalog, Product, Variant
from app.offers.situation import Situation
from app.offers.snapshot import ShopSnapshot, take_snapshot
from app.offers.sources import Sources
from app.recommend.model import Model
from app.values import ShopDomain
from tests.recommend.factories import a_model, linked

SHOP = ShopDomain("acme.myshopify.com")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVERYTHING = {"analytics": True, "marketing": True, "preferences": True, "sale_of_data": True}


def a_product(product_id: int, price_minor: int = 500, **changes: Any) -> Product:
    """Return product 10 with variant 1010, in stock."""
    in_stock = changes.pop("in_stock", True)
    variant = Variant(1000 + product_id, "", price_minor, in_stock)
    return Product(
        **({"product_id": product_id, "title": f"Product {product_id}", "variants": (variant,)} | changes)
    )


def a_catalog(*products: Product, currency: str = "USD") -> Catalog:
    """Return a catalogue of these products, else of 10, 20, 30 and 40."""
    sold = products or tuple(a_product(n) for n in (10, 20, 30, 40))
    return Catalog(currency, {product.product_id: product for product in sold})


def goes_together(links: Mapping[tuple[int, int], float], items: int = 4, **changes: Any) -> Model:
    """Return a model in which these pairs of products (10, 20, 30 …) go together."""
    positions = {(a // 10 - 1, b // 10 - 1): weight for (a, b), weight in links.items()}
    return a_model(items, **(linked(items, positions) | changes))


def a_shop(*products: Product, model: Model | None = None, **changes: Any) -> ShopSnapshot:
    """Return a snapshot; nobody is held out unless the settings say so.

    changes: of its sources, and of what no choice depends on.
    """
    given = {each.name: changes.pop(each.name) for each in fields(Sources) if each.name in changes}
    given["settings"] = {"arms": {"personalised": 1}} | given.get("settings", {})
    if "intent" in changes:
        given["weights"] = changes["intent"].weights
    catalog = a_catalog(*products, currency=changes.pop("currency", "USD"))
    sources = Sources(catalog, model.version if model else None, **given)
    return replace(take_snapshot(SHOP, sources, model), **changes)


def a_situation(*cart: int, **changes: Any) -> Situation:
    """Return a personalised decision about a cart worth 100.00."""
    fields: dict[str, Any] = {
        "decision_id": "d",
        "arm": "personalised",
        "cart": cart,
        "subtotal_minor": 10_000,
    }
    return Situation(**(fields | changes))


def a_body(*cart: int, **changes: Any) -> dict[str, Any]:
    """Return a question as a checkout extension asks it."""
    lines = [
        {
            "product_id": f"gid://shopify/Product/{product_id}",
            "variant_id": f"gid://shopify/ProductVariant/{1000 + product_id}",
            "quantity": 1,
            "price": "5.00",
        }
        for product_id in cart
    ]
    fields = {
        "surface": "checkout",
        "checkout_token": "token",
        "locale": "en",
        "country": "US",
        "cart": {"currency": "USD", "subtotal": "100.00", "lines": lines},
        "consent": {},
    }
    return fields | changes


def as_json(body: object) -> bytes:
    """Return the body as it is sent."""
    return json.dumps(body).encode()
