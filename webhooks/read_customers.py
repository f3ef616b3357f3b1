"""Customers and their marketing consent, without name, e-mail and address. Pure."""

from __future__ import annotations

from app.events.kinds import CustomerChanged, CustomerDeleted, MarketingConsentChanged
from webhooks.delivery import Delivery
from webhooks.payload import Payload


def read_customer(payload: Payload, delivery: Delivery) -> CustomerChanged:
    return CustomerChanged(
        **delivery.envelope,
        customer_id=payload.id("id"),
        orders_count=payload.count_or_none("orders_count"),
        email_marketing=_state(payload, "email_marketing_consent"),
        sms_marketing=_state(payload, "sms_marketing_consent"),
        data_sale_opt_out=payload.flag_or_none("data_sale_opt_out"),
        created_at=payload.time_or_none("created_at"),
        updated_at=payload.time_or_none("updated_at") or delivery.triggered_at,
        email_digest=payload.text_or_none("email_digest"),
    )


def read_customer_deleted(payload: Payload, delivery: Delivery) -> CustomerDeleted:
    return CustomerDeleted(**delivery.envelope, customer_id=payload.id("id"))


def read_email_consent(payload: Payload, delivery: Delivery) -> MarketingConsentChanged:
    return _consent("email", "email_marketing_consent", payload, delivery)


def read_sms_consent(payload: Payload, delivery: Delivery) -> MarketingConsentChanged:
    return _consent("sms", "sms_marketing_consent", payload, delivery)


def _consent(channel: str, field: str, payload: Payload, delivery: Delivery) -> MarketingConsentChanged:
    """Return the answer; a state that is not told counts as not given."""
    updated_at = payload.child(field).time_or_none("consent_updated_at")
    return MarketingConsentChanged(
        **delivery.envelope,
        customer_id=payload.id("customer_id" if "customer_id" in payload else "id"),
        channel=channel,
        state=_state(payload, field) or "not_subscribed",
        updated_at=updated_at or delivery.triggered_at,
    )


def _state(payload: Payload, field: str) -> str | None:
    consent = payload.child_or_none(field)
    state = consent.text_or_none("state") if consent else None
    return state.lower() if state else None
