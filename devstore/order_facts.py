"""The single facts and the sums in an order's webhook payload, in Shopify's REST field names."""

from devstore.payloads import Json, money_set
from devstore.records import Order, Pair, gid
from devstore.shop import Shop
from devstore.wire import money, rest_when


def facts(shop: Shop, order: Order) -> Json:
    """Return what the order is and where it comes from."""
    cancelled = order.cancelled_at
    return {
        "id": order.id,
        "admin_graphql_api_id": gid("Order", order.id),
        "app_id": None,
        "browser_ip": None,
        "cancel_reason": order.cancel_reason,
        "cancelled_at": rest_when(cancelled) if cancelled else None,
        "cart_token": order.cart_token,
        "checkout_token": order.checkout_token,
        "client_details": None,
        "closed_at": None,
        "confirmation_number": None,
        "confirmed": True,
        "created_at": rest_when(order.created_at),
        "customer_locale": "en",
        "device_id": None,
        "duties_included": False,
        "estimated_taxes": False,
        "financial_status": order.financial_status,
        "fulfillment_status": None,
        "landing_site": None,
        "landing_site_ref": None,
        "location_id": None,
        "merchant_business_entity_id": "devstore",
        "merchant_of_record_app_id": None,
        "name": order.name,
        "note": order.note or None,
        "note_attributes": pairs(order.attributes),
        "number": order.number - 1000,
        "order_number": order.number,
        "order_status_url": f"https://{shop.domain}/{shop.id}/orders/{order.token}/authenticate?key=devstore",
        "payment_gateway_names": ["bogus"],
        "phone": None,
        "po_number": None,
        "processed_at": rest_when(order.created_at),
        "reference": None,
        "referring_site": None,
        "source_identifier": None,
        "source_name": "web",
        "source_url": None,
        "tags": ", ".join(order.tags),
        "tax_exempt": False,
        "tax_lines": [],
        "taxes_included": shop.tax_rate > 0,
        "test": True,
        "token": order.token,
        "total_weight": 0,
        "updated_at": rest_when(order.updated_at),
        "user_id": None,
    }


def amounts(shop: Shop, order: Order) -> Json:
    """Return every sum of the order, as text and as a set in both currencies."""
    refunded = sum(made.total_minor for made in order.refunds)
    left = 0 if order.cancelled_at else order.total_minor - refunded
    summed = {
        "current_subtotal_price": left - order.shipping_minor if left else 0,
        "current_total_discounts": order.discount_minor,
        "current_total_price": left,
        "current_total_tax": shop.tax_in(left),
        "subtotal_price": order.subtotal_minor,
        "total_discounts": order.discount_minor,
        "total_line_items_price": order.gross_minor,
        "total_price": order.total_minor,
        "total_tax": shop.tax_in(order.total_minor),
    }
    sets = {
        "current_shipping_price": order.shipping_minor,
        "total_cash_rounding_payment_adjustment": 0,
        "total_cash_rounding_refund_adjustment": 0,
        "total_shipping_price": order.shipping_minor,
    }
    never = (
        "current_total_additional_fees",
        "current_total_duties",
        "original_total_additional_fees",
        "original_total_duties",
    )
    market, both = shop.market_of(order.country), summed | sets
    return (
        {name: money(amount, shop.currency) for name, amount in summed.items()}
        | {f"{name}_set": money_set(amount, shop.currency, market) for name, amount in both.items()}
        | {f"{name}_set": None for name in never}
        | {"currency": shop.currency, "presentment_currency": market.currency, "total_tip_received": "0.00"}
        | {"total_outstanding": "0.00" if order.financial_status != "pending" else money(left, shop.currency)}
    )


def pairs(pairs: tuple[Pair, ...]) -> list[Json]:
    """Return attributes as a list of name and value."""
    return [{"name": name, "value": value} for name, value in pairs]
