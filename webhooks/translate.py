"""Shopify's webhooks as our events. Names, e-mails and addresses stay behind. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.errors import InputError
from app.events.kinds import AnyEvent
from webhooks.delivery import Delivery
from webhooks.payload import Payload, parse
from webhooks.read_app import (
    read_bulk_operation,
    read_customer_redaction,
    read_data_request,
    read_scopes,
    read_shop_redaction,
    read_uninstalled,
)
from webhooks.read_catalog import (
    read_collection,
    read_cost,
    read_inventory,
    read_product,
    read_product_deleted,
)
from webhooks.read_customers import (
    read_customer,
    read_customer_deleted,
    read_email_consent,
    read_sms_consent,
)
from webhooks.read_orders import (
    read_cart,
    read_checkout,
    read_checkout_deleted,
    read_order_cancelled,
    read_order_deleted,
    read_order_paid,
    read_order_placed,
    read_order_updated,
    read_refund,
)

READERS: Mapping[str, Callable[[Payload, Delivery], AnyEvent]] = {
    "orders/create": read_order_placed,
    "orders/updated": read_order_updated,
    "orders/paid": read_order_paid,
    "orders/cancelled": read_order_cancelled,
    "orders/delete": read_order_deleted,
    "refunds/create": read_refund,
    "carts/create": read_cart,
    "carts/update": read_cart,
    "checkouts/create": read_checkout,
    "checkouts/update": read_checkout,
    "checkouts/delete": read_checkout_deleted,
    "products/create": read_product,
    "products/update": read_product,
    "products/delete": read_product_deleted,
    "collections/create": read_collection,
    "collections/update": read_collection,
    "collections/delete": read_collection,
    "inventory_items/create": read_cost,
    "inventory_items/update": read_cost,
    "inventory_levels/update": read_inventory,
    "customers/create": read_customer,
    "customers/update": read_customer,
    "customers/delete": read_customer_deleted,
    "customers_email_marketing_consent/update": read_email_consent,
    "customers_marketing_consent/update": read_sms_consent,
    "app/uninstalled": read_uninstalled,
    "app/scopes_update": read_scopes,
    "bulk_operations/finish": read_bulk_operation,
    "customers/data_request": read_data_request,
    "customers/redact": read_customer_redaction,
    "shop/redact": read_shop_redaction,
}


def is_ours(topic: str) -> bool:
    """Return whether the topic is one that shopify.app.toml subscribes to."""
    return topic in READERS


def translate(body: bytes, delivery: Delivery) -> AnyEvent:
    """Return the event that a webhook tells of.

    Raises InputError, naming the field, for a body that can't be read as its topic, and for a
    topic that is not ours.
    """
    reader = READERS.get(delivery.topic)
    if reader is None:
        raise InputError(f"not a topic of ours: {delivery.topic}", "topic")
    return reader(parse(body), delivery)
