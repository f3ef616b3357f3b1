"""What the query root, the shop, the app's installation, discounts, pixels and bulk operations answer."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from graphql import GraphQLError

from devstore import buying_fields, fields
from devstore.bulk_operations import BulkOperation
from devstore.buying_fields import seen_orders
from devstore.connection import ordered
from devstore.fields import Location, item_of, level_of
from devstore.records import Discount, Installation, Metafield, Pixel, Subscription, gid, number
from devstore.resolve import Context, Reader
from devstore.schema import VERSIONS
from devstore.search import BadSearch, search

Args = Mapping[str, Any]


def listed(read: Callable[[Context], Iterable[Any]]) -> Reader:
    """Return a reader of a connection at the root: searched, then ordered."""

    def reader(context: Context, _source: Any, args: Args) -> Any:
        try:
            return ordered(search(list(read(context)), args.get("query")), args)
        except BadSearch as error:
            raise GraphQLError(str(error), extensions={"code": "BAD_REQUEST"}) from error

    return reader


def counted(read: Callable[[Context], Iterable[Any]]) -> Reader:
    """Return a reader of a Count, capped at its limit as Shopify's are."""

    def reader(context: Context, _source: Any, args: Args) -> Any:
        found = len(search(list(read(context)), args.get("query")))
        limit = args.get("limit")
        capped = limit is not None and found > limit
        return {"count": limit if capped else found, "precision": "AT_LEAST" if capped else "EXACT"}

    return reader


def find(context: Context, global_id: str) -> Any:
    """Return the record of a global id, or None. Raises GraphQLError when it is not one."""
    try:
        kind, key = str(global_id).split("/")[3], number(global_id)
    except (IndexError, ValueError):
        raise GraphQLError(
            f"Invalid global id '{global_id}'", extensions={"code": "argumentLiteralsIncompatible"}
        ) from None
    shop, installation = context.shop, context.shop.installation
    items = {v.inventory_item_id: v for v in shop.variants.values()} if kind.startswith("Inventory") else {}
    match kind:
        case "Product":
            return shop.products.get(key)
        case "Collection":
            return shop.collections.get(key)
        case "ProductVariant":
            return shop.variants.get(key)
        case "Customer":
            return shop.customers.get(key)
        case "Order":
            return next((order for order in seen_orders(context) if order.id == key), None)
        case "DiscountCodeNode":
            return shop.discounts.get(key)
        case "DiscountAutomaticNode":
            return shop.automatic.get(key)
        case "BulkOperation":
            made = context.store.bulk.get(key)
            return made if made is not None and made.shop == shop.domain else None
        case "InventoryItem":
            return item_of(shop, items[key]) if key in items else None
        case "InventoryLevel":
            key = int(str(global_id).rsplit("=", 1)[-1])
            return level_of(items[key]) if key in items else None
        case "Location":
            return Location() if key == Location().id else None
        case "Shop":
            return shop if key == shop.id else None
        case "AppInstallation":
            return installation if installation and installation.id == key else None
        case "WebPixel":
            return (
                installation.pixel
                if installation and installation.pixel and installation.pixel.id == key
                else None
            )
        case "WebhookSubscription":
            return (
                next((s for s in installation.subscriptions if s.id == key), None) if installation else None
            )
    return None


def by_id(context: Context, _source: Any, args: Args) -> Any:
    return find(context, args["id"])


def _pixel(context: Context, _source: Any, args: Args) -> Any:
    pixel = context.shop.installation.pixel if context.shop.installation else None
    if pixel is None or ("id" in args and gid("WebPixel", pixel.id) != args["id"]):
        raise GraphQLError("No web pixel was found for this app.", extensions={"code": "RESOURCE_NOT_FOUND"})
    return pixel


def _bulk_operations(context: Context) -> list[BulkOperation]:
    return [b for b in context.store.bulk.values() if b.shop == context.shop.domain]


def _subscriptions(context: Context, _source: Any, args: Args) -> Any:
    held = context.shop.installation.subscriptions if context.shop.installation else []
    topics = args.get("topics")
    return [s for s in held if not s.from_configuration and (topics is None or topic_name(s.topic) in topics)]


def topic_name(topic: str) -> str:
    """Return the schema's name of a topic: ORDERS_CREATE of orders/create."""
    return topic.upper().replace("/", "_").replace(".", "_")


QUERY: dict[str, Reader] = {
    "shop": lambda c, s, a: c.shop,
    "products": listed(lambda c: c.shop.products.values()),
    "productsCount": counted(lambda c: c.shop.products.values()),
    "collections": listed(lambda c: c.shop.collections.values()),
    "collectionsCount": counted(lambda c: c.shop.collections.values()),
    "productVariants": listed(lambda c: c.shop.variants.values()),
    "customers": listed(lambda c: c.shop.customers.values()),
    "customersCount": counted(lambda c: c.shop.customers.values()),
    "orders": lambda c, s, a: listed(seen_orders)(c, s, {"sortKey": "PROCESSED_AT"} | dict(a)),
    "ordersCount": counted(seen_orders),
    "inventoryItems": listed(lambda c: [item_of(c.shop, v) for v in c.shop.variants.values()]),
    "locations": lambda c, s, a: [Location()],
    "location": lambda c, s, a: find(c, a["id"]) if a.get("id") else Location(),
    "codeDiscountNodes": lambda c, s, a: list(c.shop.discounts.values()),
    "codeDiscountNodeByCode": lambda c, s, a: c.shop.discount_of(a["code"]),
    "bulkOperations": lambda c, s, a: _bulk_operations(c),
    "currentBulkOperation": lambda c, s, a: (
        next(reversed(_bulk_operations(c)), None) if a.get("type") != "MUTATION" else None
    ),
    "nodes": lambda c, s, a: [find(c, i) for i in a["ids"]],
    "webPixel": _pixel,
    "currentAppInstallation": lambda c, s, a: c.shop.installation,
    "publicApiVersions": lambda c, s, a: [
        {"handle": version, "displayName": version, "supported": True} for version in VERSIONS
    ],
    "appInstallation": lambda c, s, a: find(c, a["id"]) if a.get("id") else c.shop.installation,
    "webhookSubscriptions": _subscriptions,
    "privacySettings": lambda c, s, a: {
        "banner": {"enabled": True, "autoManaged": True},
        "dataSaleOptOutPage": {"autoManaged": True},
    },
    "consentPolicy": lambda c, s, a: [p for p in consent_policies(c) if _wanted(p, a)],
    "consentPolicyRegions": lambda c, s, a: [
        {"countryCode": p["countryCode"], "regionCode": p["regionCode"]} for p in consent_policies(c)
    ],
    **dict.fromkeys(
        (
            "node",
            "product",
            "collection",
            "productVariant",
            "customer",
            "order",
            "inventoryItem",
            "inventoryLevel",
            "bulkOperation",
            "codeDiscountNode",
            "webhookSubscription",
        ),
        by_id,
    ),
}

# country, region, consent asked before, opt-out of data sale offered
POLICIES = (
    ("US", None, False, False),
    ("US", "CA", False, True),
    ("DE", None, True, False),
    ("FR", None, True, False),
)


def consent_policies(context: Context) -> list[dict[str, Any]]:
    """Return the shop's consent policies: invented, one of each kind that Shopify knows."""
    return [
        {
            "id": gid("ConsentPolicy", f"{country}-{region or 'all'}"),
            "shopId": gid("Shop", context.shop.id),
            "countryCode": country,
            "regionCode": region,
            "consentRequired": asked,
            "dataSaleOptOutRequired": sale,
        }
        for country, region, asked, sale in POLICIES
    ]


def _wanted(policy: Mapping[str, Any], args: Args) -> bool:
    return all(policy.get(key) == value for key, value in args.items() if value is not None)


def _domain(context: Context) -> dict[str, Any]:
    host = context.shop.domain
    return {"id": gid("Domain", context.shop.id), "host": host, "url": f"https://{host}", "sslEnabled": True}


SHOP: dict[str, Reader] = fields.metafields("Shop") | {
    "myshopifyDomain": lambda c, s, a: s.domain,
    "currencyCode": lambda c, s, a: s.currency,
    "contactEmail": lambda c, s, a: s.email,
    "shopAddress": lambda c, s, a: {"formatted": ["1 Invented Street"], "countryCodeV2": s.country},
    "ianaTimezone": lambda c, s, a: s.timezone,
    "primaryDomain": lambda c, s, a: _domain(c),
    "url": lambda c, s, a: f"https://{s.domain}",
    "plan": lambda c, s, a: {
        "partnerDevelopment": True,
        "publicDisplayName": "Development",
        "shopifyPlus": True,
        "displayName": "Development",
    },
    "shopOwnerName": lambda c, s, a: "Shop owner",
    "enabledPresentmentCurrencies": lambda c, s, a: s.currencies,
    "taxesIncluded": lambda c, s, a: s.tax_rate > 0,
    "weightUnit": lambda c, s, a: "OUNCES",
    "updatedAt": lambda c, s, a: s.created_at,
    "setupRequired": lambda c, s, a: False,
    "checkoutApiSupported": lambda c, s, a: True,
}


def _scopes(scopes: Iterable[str]) -> list[dict[str, str]]:
    return [{"handle": scope, "description": scope.replace("_", " ")} for scope in sorted(scopes)]


INSTALLATION: dict[str, Reader] = fields.metafields("AppInstallation") | {
    "accessScopes": lambda c, i, a: _scopes(i.scopes),
    "activeSubscriptions": lambda c, i, a: [],
    "launchUrl": lambda c, i, a: c.store.app.url,
    "app": lambda c, i, a: {
        "id": gid("App", 1),
        "title": c.store.app.name,
        "apiKey": c.store.app.key,
        "embedded": True,
        "handle": c.store.app.name.lower(),
        "requestedAccessScopes": _scopes(c.store.app.scopes),
        "optionalAccessScopes": _scopes(c.store.app.optional_scopes),
        "installation": i,
    },
}


def _status(discount: Discount, now: datetime) -> str:
    return "ACTIVE" if discount.is_open(now) else "SCHEDULED" if now < discount.starts_at else "EXPIRED"


def _value(discount: Discount) -> dict[str, Any]:
    if discount.percentage is not None:
        return {"__typename": "DiscountPercentage", "percentage": discount.percentage / 100}
    return {"__typename": "DiscountAmount", "amount": discount.amount_minor, "appliesOnEachItem": False}


def _items(context: Context, discount: Discount) -> dict[str, Any]:
    if not discount.product_ids:
        return {"__typename": "AllDiscountItems", "allItems": True}
    products = [context.shop.products[i] for i in sorted(discount.product_ids) if i in context.shop.products]
    return {"__typename": "DiscountProducts", "products": products, "productVariants": []}


def _basic(context: Context, discount: Discount) -> dict[str, Any]:
    return {
        "__typename": "DiscountCodeFreeShipping" if discount.free_shipping else "DiscountCodeBasic",
        "title": discount.title,
        "status": _status(discount, context.now),
        "startsAt": discount.starts_at,
        "endsAt": discount.ends_at,
        "usageLimit": discount.usage_limit,
        "appliesOncePerCustomer": discount.once_per_customer,
        "asyncUsageCount": sum(discount.codes.values()),
        "codes": [_code(discount, code) for code in discount.codes],
        "codesCount": len(discount.codes),
        "summary": discount.summary or discount.title,
        "shortSummary": discount.title,
        "tags": [],
        "customerGets": {
            "value": _value(discount),
            "items": _items(context, discount),
            "appliesOnOneTimePurchase": True,
            "appliesOnSubscription": False,
        },
        "combinesWith": {
            f"{kind}Discounts": kind in discount.combines_with for kind in ("order", "product", "shipping")
        },
        "discountClasses": [discount.kind.upper()],
        "discountClass": discount.kind.upper(),
        "createdAt": discount.starts_at,
        "updatedAt": discount.starts_at,
        "context": {"__typename": "DiscountBuyerSelectionAll", "all": "ALL"},
    }


def _code(discount: Discount, code: str) -> dict[str, Any]:
    return {
        "id": gid("DiscountRedeemCode", discount.code_ids[code]),
        "code": code,
        "asyncUsageCount": discount.codes[code],
    }


METAFIELD: dict[str, Reader] = {
    "legacyResourceId": lambda c, m, a: m.id,
    "ownerType": lambda c, m, a: m.owner.split("/")[3],
    "owner": lambda c, m, a: find(c, m.owner),
    "jsonValue": lambda c, m, a: json.loads(m.value) if m.type == "json" else m.value,
    "sizeInBytes": lambda c, m, a: len(m.value.encode()),
}
SUBSCRIPTION: dict[str, Reader] = {
    "topic": lambda c, s, a: topic_name(s.topic),
    "format": lambda c, s, a: "json",
    "includeFields": lambda c, s, a: list(s.include_fields),
    "callbackUrl": lambda c, s, a: s.uri,
    "metafieldNamespaces": lambda c, s, a: [],
    "legacyResourceId": lambda c, s, a: s.id,
    "createdAt": lambda c, s, a: c.now,
    "updatedAt": lambda c, s, a: c.now,
}
BULK: dict[str, Reader] = {
    "url": lambda c, b, a: b.url if b.status == "COMPLETED" and b.object_count else None,
    "partialDataUrl": lambda c, b, a: (
        b.url if b.status in ("FAILED", "CANCELED") and b.object_count else None
    ),
    "fileSize": lambda c, b, a: b.size if b.completed_at else None,
    "type": lambda c, b, a: "query",
}
EDGES = {
    "DiscountCodeNode": {"codeDiscount": lambda c, d, a: _basic(c, d)} | fields.metafields("DiscountCodeNode")
}

TABLES: dict[str, dict[str, Reader]] = (
    fields.TABLES
    | buying_fields.TABLES
    | EDGES
    | {
        "QueryRoot": QUERY,
        "Shop": SHOP,
        "AppInstallation": INSTALLATION,
        "Metafield": METAFIELD,
        "WebhookSubscription": SUBSCRIPTION,
        "BulkOperation": BULK,
    }
)
NAMES: dict[type, str] = (
    fields.NAMES
    | buying_fields.NAMES
    | {
        Discount: "DiscountCodeNode",
        Installation: "AppInstallation",
        Metafield: "Metafield",
        Pixel: "WebPixel",
        Subscription: "WebhookSubscription",
        BulkOperation: "BulkOperation",
    }
)
