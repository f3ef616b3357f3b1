"""What each field of products, variants and inventory reads. By type, then field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devstore.records import (
    Collection,
    InventoryItem,
    Product,
    Variant,
    gid,
)
from devstore.resolve import Context, Reader
from devstore.shop import LOCATION_ID, Shop

Args = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InventoryLevel:
    """How much of an item the shop's one location holds."""

    id: str
    variant: Variant


@dataclass(frozen=True, slots=True)
class Location:
    id: int = LOCATION_ID
    name: str = "Main store"


def item_of(shop: Shop, variant: Variant) -> InventoryItem:
    product = shop.product_of(variant.id)
    updated_at = max(product.updated_at, variant.cost_at or product.updated_at)
    return InventoryItem(variant.inventory_item_id, variant, product.created_at, updated_at)


def level_of(variant: Variant) -> InventoryLevel:
    return InventoryLevel(
        f"{gid('InventoryLevel', LOCATION_ID)}?inventory_item_id={variant.inventory_item_id}", variant
    )


def metafields(kind: str) -> dict[str, Reader]:
    """Return the readers of the app's metafields on records of this kind."""

    def some(context: Context, source: Any, args: Args) -> Any:
        owned = _owned(context, gid(kind, source.id))
        namespace = args.get("namespace")
        return [m for m in owned if namespace is None or m.namespace == app_namespace(context, namespace)]

    def one(context: Context, source: Any, args: Args) -> Any:
        namespace = app_namespace(context, args.get("namespace"))
        found = (
            m
            for m in _owned(context, gid(kind, source.id))
            if (m.namespace, m.key) == (namespace, args["key"])
        )
        return next(found, None)

    return {"metafields": some, "metafield": one, "legacyResourceId": lambda c, s, a: s.id}


def _owned(context: Context, owner: str) -> list[Any]:
    installation = context.shop.installation
    return [m for m in installation.metafields.values() if m.owner == owner] if installation else []


def own_namespace(shop: Shop) -> str:
    """Return what $app is spelt out as in the shop."""
    return shop.installation.namespace if shop.installation else "app--0"


def app_namespace(context: Context, namespace: str | None) -> str:
    """Return the namespace with $app, or none at all, spelt out as the app's own."""
    own = own_namespace(context.shop)
    if namespace is None or namespace == "$app":
        return own
    return namespace.replace("$app:", f"{own}--", 1) if namespace.startswith("$app:") else namespace


def _image(context: Context, product: Product) -> dict[str, Any] | None:
    if product.image is None:
        return None
    url = product.image if "://" in product.image else context.store.base_url + product.image
    return {
        "id": gid("ProductImage", product.id),
        "url": url,
        "src": url,
        "originalSrc": url,
        "altText": product.title,
        "width": 600,
        "height": 600,
    }


def _media(context: Context, product: Product) -> list[dict[str, Any]]:
    image = _image(context, product)
    if image is None:
        return []
    return [
        {
            "__typename": "MediaImage",
            "id": gid("MediaImage", product.id),
            "alt": product.title,
            "image": image,
            "mediaContentType": "IMAGE",
            "status": "READY",
            "fileStatus": "READY",
            "mimeType": "image/svg+xml",
            "preview": {"image": image, "status": "READY"},
            "createdAt": product.created_at,
            "updatedAt": product.updated_at,
        }
    ]


def _price_range(product: Product) -> dict[str, int]:
    prices = [variant.price_minor for variant in product.variants] or [0]
    return {"minVariantPrice": min(prices), "maxVariantPrice": max(prices)}


def _options(product: Product) -> list[dict[str, Any]]:
    return [
        {
            "id": gid("ProductOption", product.id),
            "name": "Title",
            "position": 1,
            "values": [v.title for v in product.variants],
            "optionValues": [
                {"id": gid("ProductOptionValue", v.id), "name": v.title} for v in product.variants
            ],
        }
    ]


PRODUCT: dict[str, Reader] = metafields("Product") | {
    "descriptionHtml": lambda c, p, a: p.body_html,
    "description": lambda c, p, a: re.sub(r"<[^>]*>", "", p.body_html),
    "totalInventory": lambda c, p, a: sum(v.inventory for v in p.variants if v.tracked),
    "tracksInventory": lambda c, p, a: any(v.tracked for v in p.variants),
    "hasOnlyDefaultVariant": lambda c, p, a: len(p.variants) == 1,
    "hasOutOfStockVariants": lambda c, p, a: any(not v.available for v in p.variants),
    "isGiftCard": lambda c, p, a: p.gift_card,
    "publishedAt": lambda c, p, a: p.created_at if p.published else None,
    "onlineStoreUrl": lambda c, p, a: f"https://{c.shop.domain}/products/{p.handle}" if p.published else None,
    "onlineStorePreviewUrl": lambda c, p, a: f"https://{c.shop.domain}/products/{p.handle}",
    "variantsCount": lambda c, p, a: len(p.variants),
    "totalVariants": lambda c, p, a: len(p.variants),
    "featuredImage": lambda c, p, a: _image(c, p),
    "featuredMedia": lambda c, p, a: next(iter(_media(c, p)), None),
    "media": lambda c, p, a: _media(c, p),
    "mediaCount": lambda c, p, a: len(_media(c, p)),
    "images": lambda c, p, a: [_image(c, p)] if p.image else [],
    "options": lambda c, p, a: _options(p)[: a.get("first")],
    "priceRangeV2": lambda c, p, a: _price_range(p),
    "priceRange": lambda c, p, a: _price_range(p),
    "collections": lambda c, p, a: c.shop.collections_of(p.id),
    "publishedOnCurrentPublication": lambda c, p, a: p.published,
    "seo": lambda c, p, a: {"title": p.title, "description": ""},
}

COLLECTION: dict[str, Reader] = metafields("Collection") | {
    "products": lambda c, k, a: [c.shop.products[each] for each in k.product_ids],
    "productsCount": lambda c, k, a: len(k.product_ids),
    "hasProduct": lambda c, k, a: a["id"] in {gid("Product", each) for each in k.product_ids},
    "description": lambda c, k, a: "",
    "descriptionHtml": lambda c, k, a: "",
}

VARIANT: dict[str, Reader] = metafields("ProductVariant") | {
    "product": lambda c, v, a: c.shop.products[v.product_id],
    "displayName": lambda c, v, a: f"{c.shop.products[v.product_id].title} - {v.title}",
    "price": lambda c, v, a: v.price_minor,
    "inventoryQuantity": lambda c, v, a: v.inventory,
    "sellableOnlineQuantity": lambda c, v, a: v.inventory if c.shop.sells_online else 0,
    "availableForSale": lambda c, v, a: v.available,
    "inventoryItem": lambda c, v, a: item_of(c.shop, v),
    "inventoryPolicy": lambda c, v, a: "continue" if v.sells_when_out else "deny",
    "position": lambda c, v, a: 1 + c.shop.products[v.product_id].variants.index(v),
    "selectedOptions": lambda c, v, a: [{"name": "Title", "value": v.title}],
    "taxable": lambda c, v, a: True,
    "requiresComponents": lambda c, v, a: False,
    "createdAt": lambda c, v, a: c.shop.products[v.product_id].created_at,
    "updatedAt": lambda c, v, a: c.shop.products[v.product_id].updated_at,
    "image": lambda c, v, a: _image(c, c.shop.products[v.product_id]),
    "media": lambda c, v, a: _media(c, c.shop.products[v.product_id]),
}

INVENTORY_ITEM: dict[str, Reader] = {
    "sku": lambda c, i, a: i.variant.sku,
    "tracked": lambda c, i, a: i.variant.tracked,
    "requiresShipping": lambda c, i, a: True,
    "legacyResourceId": lambda c, i, a: i.id,
    "variant": lambda c, i, a: i.variant,
    "variants": lambda c, i, a: [i.variant],
    "inventoryLevels": lambda c, i, a: [level_of(i.variant)],
    "inventoryLevel": lambda c, i, a: (
        level_of(i.variant) if a["locationId"] == gid("Location", LOCATION_ID) else None
    ),
    "locationsCount": lambda c, i, a: 1,
    "unitCost": lambda c, i, a: i.variant.cost_minor,
}


def _quantity(context: Context, level: InventoryLevel, name: str) -> dict[str, Any]:
    stocked = level.variant.inventory if name in ("available", "on_hand") else 0
    number = f"{level.variant.inventory_item_id}?name={name}"
    return {
        "id": gid("InventoryQuantity", number),
        "name": name,
        "quantity": stocked,
        "updatedAt": context.now,
    }


INVENTORY_LEVEL: dict[str, Reader] = {
    "item": lambda c, n, a: item_of(c.shop, n.variant),
    "location": lambda c, n, a: Location(),
    "isActive": lambda c, n, a: True,
    "canDeactivate": lambda c, n, a: False,
    "quantities": lambda c, n, a: [_quantity(c, n, name) for name in a["names"]],
    "createdAt": lambda c, n, a: c.shop.created_at,
    "updatedAt": lambda c, n, a: c.now,
}

LOCATION: dict[str, Reader] = {
    "isActive": lambda c, p, a: c.shop.location_is_open,
    "fulfillsOnlineOrders": lambda c, p, a: c.shop.sells_online,
    "shipsInventory": lambda c, p, a: True,
    "hasActiveInventory": lambda c, p, a: True,
    "legacyResourceId": lambda c, p, a: p.id,
    "createdAt": lambda c, p, a: c.shop.created_at,
    "updatedAt": lambda c, p, a: c.shop.created_at,
}


TABLES: dict[str, dict[str, Reader]] = {
    "Product": PRODUCT,
    "Collection": COLLECTION,
    "ProductVariant": VARIANT,
    "InventoryItem": INVENTORY_ITEM,
    "InventoryLevel": INVENTORY_LEVEL,
    "Location": LOCATION,
}
NAMES: dict[type, str] = {
    Product: "Product",
    Collection: "Collection",
    Variant: "ProductVariant",
    InventoryItem: "InventoryItem",
    InventoryLevel: "InventoryLevel",
    Location: "Location",
}
