"""Webhook payloads of buying: carts, checkouts, orders and refunds, in Shopify's REST field names."""

from collections.abc import Mapping
from datetime import datetime

from devstore import payloads
from devstore.checkout import cost as checkout_cost
from devstore.order_facts import amounts, facts, pairs
from devstore.payloads import Json, money_set
from devstore.pricing import PricedLine, price
from devstore.records import Cart, Checkout, Customer, LineItem, Order, Refund, RefundLine, Taken, gid, summed
from devstore.shop import LOCATION_ID, Shop, refunded_quantity
from devstore.wire import major, money, rest_when

GUEST = ("Guest", "Buyer")  # invented
GUEST_EMAIL = "guest@example.com"  # invented
_TOLD_OF_DELETED = (
    "id", "cart_token", "presentment_currency", "buyer_accepts_sms_marketing", "sms_marketing_phone",
    "total_discounts", "total_line_items_price", "total_price", "total_tax", "subtotal_price", "total_duties",
    "reservation_token",
)  # fmt: skip


def order(shop: Shop, order: Order) -> Json:
    """Return the payload of orders/create, updated, paid and cancelled."""
    return (
        facts(shop, order)
        | amounts(shop, order)
        | _order_people(shop, order)
        | {
            "discount_applications": [
                _application(shop, x, n, shop.currency) for x, n in order.discounts.items()
            ],
            "discount_codes": _codes(shop, order.discounts_by_code, shop.currency),
            "fulfillments": [],
            "line_item_groups": [],
            "line_items": [_line_item(shop, order, line) for line in order.lines],
            "payment_terms": None,
            "refunds": [refund(shop, order, made) for made in order.refunds],
            "returns": [],
            "shipping_lines": [],
        }
    )


def _order_people(shop: Shop, order: Order) -> Json:
    buyer = shop.customers.get(order.customer_id) if order.customer_id is not None else None
    first, last = (buyer.first_name, buyer.last_name) if buyer else GUEST
    address = payloads.plain_address(shop, first, last) | {"latitude": None, "longitude": None}
    email = order.email or GUEST_EMAIL
    return {
        "buyer_accepts_marketing": bool(buyer and buyer.email_consent == "subscribed"),
        "contact_email": email,
        "email": email,
        "billing_address": address,
        "shipping_address": address,
        "customer": _buyer(shop, buyer) if buyer else None,
    }


def _buyer(shop: Shop, buyer: Customer) -> Json:
    whole = payloads.customer(shop, buyer)
    return {key: value for key, value in whole.items() if key != "addresses"}


def _line_item(shop: Shop, order: Order, line: LineItem) -> Json:
    left = line.quantity - refunded_quantity(order, line.id)
    discounts = list(order.discounts)
    market = shop.market_of(order.country)
    return _sold_line(shop, order, line) | {
        "attributed_staffs": [],
        "current_quantity": left,
        "fulfillable_quantity": left,
        "sales_line_item_group_id": None,
        "discount_allocations": [
            {
                "amount": money(a.amount_minor, shop.currency),
                "amount_set": money_set(a.amount_minor, shop.currency, market),
                "discount_application_index": discounts.index(a.taken),
            }
            for a in line.allocations
        ],
    }


def _sold_line(shop: Shop, order: Order, line: LineItem) -> Json:
    return {
        "id": line.id,
        "admin_graphql_api_id": gid("LineItem", line.id),
        "fulfillable_quantity": line.quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": _is_gift_card(shop, line.product_id),
        "grams": 0,
        "name": line.title,
        "price": money(line.price_minor, shop.currency),
        "price_set": money_set(line.price_minor, shop.currency, shop.market_of(order.country)),
        "product_exists": line.product_id in shop.products,
        "product_id": line.product_id,
        "properties": pairs(line.properties),
        "quantity": line.quantity,
        "requires_shipping": True,
        "sku": line.sku,
        "taxable": True,
        "title": line.title,
        "total_discount": "0.00",
        "total_discount_set": money_set(0, shop.currency),
        "variant_id": line.variant_id,
        "variant_inventory_management": "shopify",
        "variant_title": line.variant_title,
        "vendor": line.vendor,
        "tax_lines": [],
        "duties": [],
        "discount_allocations": [],
    }


def _is_gift_card(shop: Shop, product_id: int) -> bool:
    return product_id in shop.products and shop.products[product_id].gift_card


def _application(shop: Shop, taken: Taken, amount: int, currency: str) -> Json:
    percentage = None if taken.automatic else _percentage(shop, taken.name)
    named = {"title": taken.name} if taken.automatic else {"code": taken.name}
    return {
        "target_type": "line_item",
        "type": "automatic" if taken.automatic else "discount_code",
        "allocation_method": "across",
        "value": money(amount, currency) if percentage is None else f"{percentage:.1f}",
        "value_type": "fixed_amount" if percentage is None else "percentage",
        "target_selection": "all",
        **named,
    }


def _codes(shop: Shop, taken: Mapping[str, int], currency: str) -> list[Json]:
    return [
        {
            "code": x,
            "amount": money(n, currency),
            "type": "fixed_amount" if _percentage(shop, x) is None else "percentage",
        }
        for x, n in taken.items()
    ]


def _percentage(shop: Shop, code: str) -> float | None:
    discount = shop.discount_of(code)
    return discount.percentage if discount else None


def refund(shop: Shop, order: Order, refund: Refund) -> Json:
    """Return the payload of refunds/create."""
    lines = {line.id: line for line in order.lines}
    return {
        "id": refund.id,
        "order_id": order.id,
        "created_at": rest_when(refund.created_at),
        "note": refund.note,
        "user_id": 1,
        "processed_at": rest_when(refund.created_at),
        "duties": [],
        "total_duties_set": money_set(0, shop.currency),
        "return": None,
        "refund_shipping_lines": [],
        "restock": False,
        "admin_graphql_api_id": gid("Refund", refund.id),
        "order_adjustments": [],
        "refund_line_items": [_refund_line(shop, order, lines[x.line_item_id], x) for x in refund.lines],
        "transactions": [],
    }


def _refund_line(shop: Shop, order: Order, sold: LineItem, line: RefundLine) -> Json:
    return {
        "id": line.id,
        "quantity": line.quantity,
        "line_item_id": line.line_item_id,
        "location_id": None,
        "restock_type": "no_restock",
        "subtotal": float(major(line.subtotal_minor, shop.currency)),
        "total_tax": 0,
        "subtotal_set": money_set(line.subtotal_minor, shop.currency, shop.market_of(order.country)),
        "total_tax_set": money_set(0, shop.currency),
        "line_item": _sold_line(shop, order, sold),
    }


def cart(shop: Shop, cart: Cart) -> Json:
    """Return the payload of carts/create and carts/update."""
    return {
        "id": cart.token,
        "token": cart.token,
        "note": None,
        "line_items": [_cart_line(shop, line) for line in price(shop, cart.lines, (), cart.updated_at).lines],
        "updated_at": rest_when(cart.updated_at),
        "created_at": rest_when(cart.created_at),
    }


def _cart_line(shop: Shop, priced: PricedLine) -> Json:
    line, variant = priced.line, shop.variants[priced.line.variant_id]
    product = shop.products[variant.product_id]
    amounts = {
        "discounted_price": variant.price_minor,
        "line_price": priced.total_minor,
        "original_line_price": priced.gross_minor,
        "price": variant.price_minor,
        "total_discount": priced.gross_minor - priced.total_minor,
    }
    return {
        "id": variant.id,
        "properties": dict(line.attributes) or None,
        "quantity": line.quantity,
        "variant_id": variant.id,
        "key": f"{variant.id}:{line.id}",
        "discounts": [],
        "gift_card": product.gift_card,
        "grams": 0,
        "original_price": money(variant.price_minor, shop.currency),
        "product_id": product.id,
        "sku": variant.sku,
        "taxable": True,
        "title": product.title,
        "vendor": product.vendor,
        "parent_relationship": None,
        **{name: money(amount, shop.currency) for name, amount in amounts.items()},
        **{f"{name}_set": money_set(amount, shop.currency) for name, amount in amounts.items()},
    }


def checkout_deleted(shop: Shop, gone: Checkout, now: datetime) -> Json:
    """Return the payload of checkouts/delete: neither its token nor its lines are told."""
    told = checkout(shop, gone, now)
    return {name: told[name] for name in _TOLD_OF_DELETED}


def checkout(shop: Shop, checkout: Checkout, now: datetime) -> Json:
    """Return the payload of checkouts/create and checkouts/update."""
    cost = checkout_cost(shop, checkout, now)
    buyer = shop.customers.get(checkout.customer_id) if checkout.customer_id is not None else None
    first, last = (buyer.first_name, buyer.last_name) if buyer else GUEST
    address = payloads.plain_address(shop, first, last) | {"latitude": None, "longitude": None}
    done = checkout.completed_at
    return {
        "id": checkout.id,
        "token": checkout.token,
        "cart_token": checkout.cart_token,
        "email": checkout.email or GUEST_EMAIL,
        "gateway": None,
        "buyer_accepts_marketing": bool(buyer and buyer.email_consent == "subscribed"),
        "created_at": rest_when(checkout.created_at),
        "updated_at": rest_when(checkout.updated_at),
        "completed_at": rest_when(done) if done else None,
        "closed_at": None,
        "landing_site": None,
        "referring_site": None,
        "note": None,
        "note_attributes": pairs(tuple(checkout.attributes.items())),
        "shipping_lines": [],
        "tax_lines": [],
        "taxes_included": False,
        "total_weight": 0,
        # The amounts are in what the buyer pays in all the same.
        "currency": shop.currency,
        "presentment_currency": checkout.currency,
        "user_id": None,
        "location_id": None,
        "source_identifier": None,
        "source_url": None,
        "source": None,
        "source_name": "web",
        "device_id": None,
        "phone": None,
        "customer_locale": "en",
        "line_items": [_checkout_line(shop, checkout, line) for line in cost.lines],
        "name": f"#{checkout.id}",
        "abandoned_checkout_url": f"https://{shop.domain}/{shop.id}/checkouts/{checkout.token}/recover?key=devstore",
        "discount_codes": _codes(shop, _codes_taken(cost.lines), checkout.currency),
        "buyer_accepts_sms_marketing": False,
        "sms_marketing_phone": None,
        "total_discounts": money(cost.discount_minor, checkout.currency),
        "total_line_items_price": money(cost.subtotal_minor + cost.discount_minor, checkout.currency),
        "total_price": money(cost.total_minor, checkout.currency),
        "total_tax": "0.00",
        "subtotal_price": money(cost.subtotal_minor, checkout.currency),
        "total_duties": None,
        "reservation_token": None,
        "billing_address": address,
        "shipping_address": address,
        "customer": payloads.customer(shop, buyer) if buyer else None,
    }


def _checkout_line(shop: Shop, checkout: Checkout, priced: PricedLine) -> Json:
    line, variant = priced.line, shop.variants[priced.line.variant_id]
    asked = money(shop.market_of(checkout.country).price(variant.price_minor), checkout.currency)
    product = shop.products[variant.product_id]
    return {
        "applied_discounts": [],
        "discount_allocations": [],
        "key": str(line.id),
        "destination_location_id": LOCATION_ID,
        "fulfillment_service": "manual",
        "gift_card": product.gift_card,
        "grams": 0,
        "origin_location_id": LOCATION_ID,
        "presentment_title": product.title,
        "presentment_variant_title": variant.title,
        "product_id": product.id,
        "properties": pairs(line.attributes) or None,
        "quantity": line.quantity,
        "requires_shipping": True,
        "sku": variant.sku,
        "tax_lines": [],
        "taxable": True,
        "title": product.title,
        "variant_id": variant.id,
        "variant_title": variant.title,
        "variant_price": asked,
        "vendor": product.vendor,
        "user_id": None,
        "unit_price_measurement": {
            "measured_type": None,
            "quantity_value": None,
            "quantity_unit": None,
            "reference_value": None,
            "reference_unit": None,
        },
        "rank": None,
        "compare_at_price": None,
        "line_price": money(priced.total_minor, checkout.currency),
        "price": asked,
    }


def _codes_taken(lines: tuple[PricedLine, ...]) -> dict[str, int]:
    taken = summed(allocation for line in lines for allocation in line.allocations)
    return {each.name: amount for each, amount in taken.items() if not each.automatic}
