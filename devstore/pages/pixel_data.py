"""A shop's records as customer events carry them (the shapes of Shopify's web pixel API)."""

from collections.abc import Iterable, Sequence
from typing import Any

from devstore.pricing import Cost
from devstore.records import Checkout, Customer, ItemLine, Product, Taken, Variant, summed
from devstore.shop import Shop
from devstore.wire import major

Json = dict[str, Any]


def money(minor: int, currency: str) -> Json:
    return {"amount": float(major(minor, currency)), "currencyCode": currency}


def variant(shop: Shop, found: Variant, country: str) -> Json:
    """Return the variant as the market of a country sells it."""
    product, market = shop.products[found.product_id], shop.market_of(country)
    return {
        "id": str(found.id),
        "title": found.title,
        "untranslatedTitle": found.title,
        "sku": found.sku,
        "price": money(market.price(found.price_minor), market.currency),
        "image": {"src": f"/images/{product.id}.svg"},
        "product": {
            "id": str(product.id),
            "title": product.title,
            "untranslatedTitle": product.title,
            "type": product.product_type,
            "vendor": product.vendor,
            "url": f"/products/{product.handle}",
        },
    }


def first_variants(shop: Shop, products: Iterable[Product], country: str) -> list[Json]:
    return [variant(shop, product.variants[0], country) for product in products if product.variants]


def cart_line(shop: Shop, line: ItemLine, country: str) -> Json:
    found, market = shop.variants[line.variant_id], shop.market_of(country)
    total = money(market.price(found.price_minor) * line.quantity, market.currency)
    return {
        "cost": {"totalAmount": total},
        "merchandise": variant(shop, found, country),
        "quantity": line.quantity,
    }


def cart(shop: Shop, token: str, lines: Sequence[ItemLine], country: str) -> Json:
    drawn = [cart_line(shop, line, country) for line in lines if line.variant_id in shop.variants]
    total = sum(line["cost"]["totalAmount"]["amount"] for line in drawn)
    currency = shop.market_of(country).currency
    return {
        "id": f"gid://shopify/Cart/{token}",
        "attributes": [],
        "lines": drawn,
        "cost": {"totalAmount": {"amount": round(total, 2), "currencyCode": currency}},
        "totalQuantity": sum(line["quantity"] for line in drawn),
    }


def customer(shop: Shop, found: Customer | None) -> Json | None:
    if found is None:
        return None
    return {
        "id": str(found.id),
        "email": found.email,
        "firstName": found.first_name,
        "lastName": found.last_name,
        "phone": None,
        "ordersCount": len(shop.orders_of(found.id)),
    }


def shop_data(shop: Shop) -> Json:
    return {
        "name": shop.name,
        "myshopifyDomain": shop.domain,
        "countryCode": shop.country,
        "paymentSettings": {"currencyCode": shop.currency},
        "storefrontUrl": f"https://{shop.domain}",
    }


def checkout(shop: Shop, found: Checkout, cost: Cost) -> Json:
    """Return the checkout; its address stays out, since the dev store asks for none that is real."""
    currency = found.currency
    lines = [
        {
            "id": str(priced.line.id),
            "title": shop.product_of(priced.line.variant_id).title,
            "quantity": priced.line.quantity,
            "variant": variant(shop, shop.variants[priced.line.variant_id], found.country),
            "properties": [{"key": key, "value": value} for key, value in priced.line.attributes],
            "finalLinePrice": money(priced.total_minor, currency),
            "discountAllocations": [
                {
                    "amount": money(a.amount_minor, currency),
                    "discountApplication": _application(a.taken),
                }
                for a in priced.allocations
            ],
            "sellingPlanAllocation": None,
        }
        for priced in cost.lines
    ]
    return {
        "token": found.token,
        "currencyCode": currency,
        "email": found.email,
        "lineItems": lines,
        "attributes": [{"key": key, "value": value} for key, value in found.attributes.items()],
        "discountApplications": [_application(each) for each in _applied(found, cost)],
        "discountsAmount": money(cost.discount_minor, currency),
        "subtotalPrice": money(cost.subtotal_minor, currency),
        "totalPrice": money(cost.total_minor, currency),
        "totalTax": money(0, currency),
        "shippingLine": {"price": money(0, currency)},
        "order": _order(found),
        "billingAddress": None,
        "shippingAddress": None,
        "phone": None,
        "transactions": [],
    }


def _order(found: Checkout) -> Json | None:
    if found.order_id is None:
        return None
    who = str(found.customer_id) if found.customer_id else None
    return {"id": str(found.order_id), "customer": {"id": who, "isFirstOrder": None}}


def _applied(found: Checkout, cost: Cost) -> list[Taken]:
    """Return every code of the checkout, and what took something off without one."""
    taken = summed(allocation for line in cost.lines for allocation in line.allocations)
    return [*(Taken(code, False) for code in found.codes), *(each for each in taken if each.automatic)]


def _application(taken: Taken) -> Json:
    kind = "AUTOMATIC" if taken.automatic else "DISCOUNT_CODE"
    return {"type": kind, "title": taken.name, "targetType": "LINE_ITEM"}
