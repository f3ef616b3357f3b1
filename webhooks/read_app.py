"""What concerns the app itself: its installation, its bulk operations, privacy requests. Pure."""

from __future__ import annotations

from app.events.kinds import (
    AppUninstalled,
    BulkOperationFinished,
    CustomerDataRequested,
    CustomerRedactionRequested,
    ScopesChanged,
    ShopRedactionRequested,
)
from webhooks.delivery import Delivery
from webhooks.payload import Payload


def read_uninstalled(payload: Payload, delivery: Delivery) -> AppUninstalled:
    return AppUninstalled(**delivery.envelope)


def read_scopes(payload: Payload, delivery: Delivery) -> ScopesChanged:
    return ScopesChanged(**delivery.envelope, scopes=payload.texts("current"))


def read_bulk_operation(payload: Payload, delivery: Delivery) -> BulkOperationFinished:
    return BulkOperationFinished(
        **delivery.envelope,
        operation_id=payload.text("admin_graphql_api_id"),
        status=payload.text("status").lower(),
        error_code=payload.text_or_none("error_code"),
    )


def read_data_request(payload: Payload, delivery: Delivery) -> CustomerDataRequested:
    return CustomerDataRequested(
        **delivery.envelope,
        request_id=payload.id_of("data_request"),
        customer_id=payload.id_of("customer"),
        order_ids=payload.ids("orders_requested"),
        email_digest=_email_digest(payload),
    )


def read_customer_redaction(payload: Payload, delivery: Delivery) -> CustomerRedactionRequested:
    return CustomerRedactionRequested(
        **delivery.envelope,
        customer_id=payload.id_of("customer"),
        order_ids=payload.ids("orders_to_redact"),
        email_digest=_email_digest(payload),
    )


def read_shop_redaction(payload: Payload, delivery: Delivery) -> ShopRedactionRequested:
    return ShopRedactionRequested(**delivery.envelope)


def _email_digest(payload: Payload) -> str | None:
    """Return what the address was replaced with on arrival."""
    customer = payload.child_or_none("customer")
    return customer.text_or_none("email_digest") if customer else None
