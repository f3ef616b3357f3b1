"""Products, customers, privacy requests and scopes, as events."""

from datetime import timedelta
from typing import Any

import pytest

from app.errors import InputError
from app.events.kinds import (
    CostChanged,
    CustomerChanged,
    CustomerRedactionRequested,
    InventoryChanged,
    MarketingConsentChanged,
    ProductChanged,
    ScopesChanged,
)
from tests.webhooks.test_translate import NOW, product, translated


def test_a_product_keeps_its_tags_image_and_variants() -> None:
    event = translated("products/update", product())
    assert isinstance(event, ProductChanged)
    assert event.tags == ("green", "organic")
    assert (event.handle, event.image_url) == ("green-tea", "https://cdn.example.com/tea.jpg")
    assert (event.variants[0].price_minor, event.variants[0].available) == (420, 7)
    assert event.published


@pytest.mark.parametrize(
    "fields", [{"status": "draft"}, {"status": "archived"}, {"status": "unlisted"}, {"published_at": None}]
)
def test_what_shoppers_cannot_see_is_not_published(fields: dict[str, Any]) -> None:
    assert not translated("products/update", product(**fields)).published


@pytest.mark.parametrize(("management", "tracked"), [({}, None), ({"inventory_management": "shopify"}, True)])
def test_whether_stock_is_counted_is_not_guessed(management: dict[str, Any], tracked: bool | None) -> None:
    event = translated("products/update", product(variants=[{"id": 3, "price": "1"} | management]))
    assert event.variants[0].tracked is tracked


def test_stock_that_is_not_tracked_has_no_number() -> None:
    event = translated(
        "inventory_levels/update", {"inventory_item_id": 1, "location_id": 2, "available": None}
    )
    assert isinstance(event, InventoryChanged)
    assert event.available is None
    assert event.updated_at == NOW


@pytest.mark.parametrize(
    ("cost", "currency", "minor"),
    [
        ("12.50", "USD", 1250),
        (12.5, "USD", 1250),
        ("1250", "JPY", 1250),
        ("0.00", "USD", 0),
        (None, "USD", None),
    ],
)
@pytest.mark.parametrize("topic", ["inventory_items/create", "inventory_items/update"])
def test_what_an_item_costs_is_in_the_shops_currency(
    topic: str, cost: str | float | None, currency: str, minor: int | None
) -> None:
    told = {"id": 9, "cost": cost, "tracked": True, "updated_at": "2026-10-31T12:00:00Z"}
    event = translated(topic, told, currency)
    assert isinstance(event, CostChanged)
    assert (event.inventory_item_id, event.cost_minor) == (9, minor)
    assert event.updated_at == NOW - timedelta(days=1)


@pytest.mark.parametrize("cost", ["-1.00", "", "dear"])
def test_a_cost_that_is_none_is_refused(cost: str) -> None:
    with pytest.raises(InputError, match="cost is"):
        translated("inventory_items/update", {"id": 9, "cost": cost})


def test_a_customer_is_a_number_and_consents() -> None:
    event = translated(
        "customers/update",
        {"id": 5, "email": "jane@example.com", "email_marketing_consent": {"state": "SUBSCRIBED"}},
    )
    assert isinstance(event, CustomerChanged)
    assert event.email_marketing == "subscribed"
    assert event.sms_marketing is None


@pytest.mark.parametrize(
    ("topic", "payload", "channel", "state"),
    [
        (
            "customers_email_marketing_consent/update",
            {"customer_id": 5, "email_marketing_consent": {"state": "subscribed"}},
            "email",
            "subscribed",
        ),
        (
            "customers_marketing_consent/update",
            {"id": 5, "sms_marketing_consent": {"state": None}},
            "sms",
            "not_subscribed",
        ),
    ],
)
def test_marketing_consent_that_is_not_told_is_not_given(
    topic: str, payload: dict[str, Any], channel: str, state: str
) -> None:
    event = translated(topic, payload)
    assert isinstance(event, MarketingConsentChanged)
    assert (event.channel, event.state) == (channel, state)


def test_privacy_requests_name_their_person_by_digest_too() -> None:
    payload = {"customer": {"id": None, "email_digest": "d1"}, "orders_to_redact": []}
    redaction = translated("customers/redact", payload)
    assert (redaction.customer_id, redaction.email_digest) == (None, "d1")
    assert translated("customers/data_request", payload).email_digest == "d1"
    assert translated("customers/update", {"id": 5, "email_digest": "d1"}).email_digest == "d1"


def test_scopes_are_those_granted_now() -> None:
    event = translated("app/scopes_update", {"previous": ["a"], "current": ["a", "b"]})
    assert isinstance(event, ScopesChanged)
    assert event.scopes == ("a", "b")


def test_a_redaction_names_the_orders_it_covers() -> None:
    event = translated("customers/redact", {"customer": {"id": 5}, "orders_to_redact": [11, 12]})
    assert isinstance(event, CustomerRedactionRequested)
    assert (event.customer_id, event.order_ids) == (5, (11, 12))
