"""A checkout as the extension API shows it: the CheckoutState of browser/src/contract.ts.

What is taken off the order as a whole stands beside the lines, whose costs, and the subtotal, are without it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from devstore.checkout import cost
from devstore.pricing import Cost, PricedLine
from devstore.records import Allocation, Checkout, Customer, Metafield, gid, summed
from devstore.shop import Shop
from devstore.wire import major

Json = dict[str, Any]
VALUE_TYPES = {
    "boolean": "boolean",
    "number_integer": "integer",
    "number_decimal": "float",
    "json": "json_string",
}


def state(shop: Shop, checkout: Checkout, now: datetime, base_url: str) -> Json:
    """Return what the `shopify` global of an extension shows of this checkout now."""
    priced = cost(shop, checkout, now)
    return {
        "checkoutToken": checkout.token,
        "lines": [_line(shop, checkout, line, base_url) for line in priced.lines],
        "cost": _cost(priced, checkout.currency),
        "discountCodes": [{"code": code} for code in checkout.codes],
        "discountAllocations": [_allocation(a, checkout.currency) for a in _of_the_order(priced)],
        "attributes": [{"key": key, "value": value} for key, value in checkout.attributes.items()],
        "buyerIdentity": _buyer(shop, checkout),
        "shop": {
            "id": gid("Shop", shop.id),
            "name": shop.name,
            "myshopifyDomain": shop.domain,
            "storefrontUrl": f"https://{shop.domain}",
        },
        "appMetafields": [_metafield(m) for m in _metafields(shop, checkout)],
        "orderConfirmation": _confirmation(shop, checkout),
    }


def _money(minor: int, currency: str) -> Json:
    return {"amount": float(major(minor, currency)), "currencyCode": currency}


def _cost(priced: Cost, currency: str) -> Json:
    return {
        "subtotalAmount": _money(sum(line.before_order_minor for line in priced.lines), currency),
        "totalAmount": _money(priced.total_minor, currency),
    }


def _line(shop: Shop, checkout: Checkout, priced: PricedLine, base_url: str) -> Json:
    line, currency = priced.line, checkout.currency
    variant, product = shop.variants[line.variant_id], shop.product_of(line.variant_id)
    return {
        "id": gid("CartLine", line.id),
        "quantity": line.quantity,
        "attributes": [{"key": key, "value": value} for key, value in line.attributes],
        "cost": {"totalAmount": _money(priced.before_order_minor, currency)},
        "discountAllocations": [_allocation(a, currency) for a in priced.allocations if not a.across],
        "lineComponents": [],
        "parentRelationship": None,
        "merchandise": {
            "type": "variant",
            "id": gid("ProductVariant", variant.id),
            "title": product.title,
            "subtitle": "" if variant.title == "Default Title" else variant.title,
            "sku": variant.sku,
            "image": {"url": f"{base_url}/images/{product.id}.svg", "altText": product.title},
            "requiresShipping": True,
            "selectedOptions": [{"name": "Title", "value": variant.title}],
            **({"sellingPlan": _plan(line.plan_id)} if line.plan_id else {}),
            "product": {
                "id": gid("Product", product.id),
                "vendor": product.vendor,
                "productType": product.product_type,
            },
        },
    }


def _plan(plan_id: int) -> Json:
    return {"id": gid("SellingPlan", plan_id), "recurringDeliveries": True}


def _of_the_order(priced: Cost) -> list[Allocation]:
    """Return what each discount on the order takes off in all."""
    shares = (a for line in priced.lines for a in line.allocations if a.across)
    return [Allocation(taken.name, amount, taken.automatic) for taken, amount in summed(shares).items()]


def _allocation(allocation: Allocation, currency: str) -> Json:
    amount = _money(allocation.amount_minor, currency)
    if allocation.automatic:  # by a Function, as every discount without a code is here
        return {"type": "custom", "title": allocation.code, "discountedAmount": amount}
    return {"type": "code", "code": allocation.code, "discountedAmount": amount}


def _buyer(shop: Shop, checkout: Checkout) -> Json:
    """Return who buys. The app has no level 2 access, so names and e-mail addresses stay out."""
    customer = shop.customers.get(checkout.customer_id or 0)
    if customer is None:
        return {"customer": None, "email": None, "purchasingCompany": None}
    orders = len(shop.orders_of(customer.id))
    known = {"id": gid("Customer", customer.id), "ordersCount": orders}
    return {"customer": known, "email": None, "purchasingCompany": _company(customer)}


def _company(customer: Customer) -> Json | None:
    """Return whom the customer buys for, one location each."""
    if not customer.company:
        return None
    named = {"name": customer.company, "externalId": None}
    return {
        "company": {"id": gid("Company", customer.id), **named},
        "location": {"id": gid("CompanyLocation", customer.id), **named},
    }


def _metafields(shop: Shop, checkout: Checkout) -> Iterable[Metafield]:
    """Return the app's metafields of the shop, the buyer and what is in the checkout."""
    if shop.installation is None:
        return []
    variants = [line.variant_id for line in checkout.lines if line.variant_id in shop.variants]
    owners = {gid("Shop", shop.id), gid("Customer", checkout.customer_id or 0)}
    owners |= {gid("ProductVariant", variant) for variant in variants}
    owners |= {gid("Product", shop.variants[variant].product_id) for variant in variants}
    return [m for m in shop.installation.metafields.values() if m.owner in owners]


def _metafield(found: Metafield) -> Json:
    kind = found.owner.split("/")[-2]
    kinds = {"ProductVariant": "variant"}
    return {
        "target": {"type": kinds.get(kind, kind.lower()), "id": found.owner},
        "metafield": {
            "namespace": _as_asked(found.namespace),
            "key": found.key,
            "value": found.value,
            "type": found.type,
            "valueType": VALUE_TYPES.get(found.type, "string"),
        },
    }


def _as_asked(namespace: str) -> str:
    """Return the namespace as an extension is told it: the app's own is $app there, never spelt out."""
    own, _, rest = namespace.removeprefix("app--").partition("--")
    if not namespace.startswith("app--"):
        return namespace
    return f"$app:{rest}" if rest and own else "$app"


def _confirmation(shop: Shop, checkout: Checkout) -> Json | None:
    order = shop.orders.get(checkout.order_id or 0)
    if order is None:
        return None
    first = order.customer_id is not None and len(shop.orders_of(order.customer_id)) == 1
    return {"order": {"id": gid("Order", order.id)}, "number": str(order.number), "isFirstOrder": first}
