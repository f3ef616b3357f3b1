"""Which grant of a discount without a code an order used, as webhooks and the Admin API tell it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from app.events.kinds import GrantUsed
from webhooks.delivery import Delivery
from webhooks.payload import Payload
from webhooks.read_admin import read_order
from webhooks.read_orders import read_order_placed

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
GRANT = f"1.4f9d0c1b2a3e5d67.2026112507.c7.9c5c35ae84fa.{'ab' * 32}"
NAMED = GrantUsed(terms_id="4f9d0c1b2a3e5d67", number="9c5c35ae84fa")


@pytest.mark.parametrize(
    ("applied", "value", "used"),
    [
        (["automatic"], GRANT, NAMED),
        (["discount_code", "automatic"], GRANT, NAMED),
        (["discount_code"], GRANT, None),  # it took nothing off, so it was not used
        ([], GRANT, None),
        (["automatic"], GRANT.replace("9c5c", "9C5C"), None),
        (["automatic"], GRANT.removeprefix("1."), None),
        (["automatic"], "For Jane", None),
    ],
)
def test_a_grant_was_used_where_an_order_carries_it_and_something_was_taken_off(
    applied: list[str], value: str, used: GrantUsed | None
) -> None:
    order = {
        "id": 11, "created_at": "2026-11-01T10:00:00-05:00",
        "note_attributes": [{"name": "Gift", "value": "yes"}, {"name": "_tillwise_grant", "value": value}],
        "discount_applications": [{"type": kind, "value": "10.0"} for kind in applied],
    }  # fmt: skip
    placed = read_order_placed(Payload(order), Delivery("a.myshopify.com", "orders/create", "e", NOW, "USD"))
    assert placed.grant == used


@pytest.mark.parametrize(
    ("kind", "used"), [("AutomaticDiscountApplication", NAMED), ("DiscountCodeApplication", None)]
)
def test_an_order_that_was_missed_tells_of_its_grant_too(kind: str, used: GrantUsed | None) -> None:
    node = {
        "id": "gid://shopify/Order/1", "createdAt": "2026-11-01T12:00:00Z",
        "updatedAt": "2026-11-01T12:00:00Z", "currencyCode": "USD",
        "customAttributes": [{"key": "_tillwise_grant", "value": GRANT}, {"key": "Gift", "value": None}],
        "discountApplications": {"nodes": [{"__typename": kind}]},
    }  # fmt: skip
    assert read_order("a.myshopify.com", Payload(node), []).grant == used


def test_an_order_with_a_grant_tells_what_became_cheaper_without_a_code() -> None:
    """What needs no code names no grant, but how it is called, and whether it is for goods."""
    applied = [("automatic", "shipping_line"), ("discount_code", "line_item")]
    order = {
        "id": 11, "created_at": "2026-11-01T12:00:00Z",
        "note_attributes": [{"name": "_tillwise_grant", "value": GRANT}],
        "discount_applications": [
            {"type": kind, "target_type": target, "title": f"{target} off"} for kind, target in applied
        ],
    }  # fmt: skip
    typed = {"automatic": "AutomaticDiscountApplication", "discount_code": "DiscountCodeApplication"}
    node = {
        "id": "gid://shopify/Order/11", "createdAt": "2026-11-01T12:00:00Z",
        "updatedAt": "2026-11-01T12:00:00Z", "currencyCode": "USD",
        "customAttributes": [{"key": "_tillwise_grant", "value": GRANT}],
        "discountApplications": {
            "nodes": [
                {"__typename": typed[kind], "targetType": to.upper(), "title": f"{to} off"}
                for kind, to in applied
            ]
        },
    }  # fmt: skip
    told = Delivery("a.myshopify.com", "orders/create", "e", NOW, "USD")
    found = read_order_placed(Payload(order), told)
    assert found.grant == replace(NAMED, off=("shipping_line",), titles=("shipping_line off",))
    assert read_order("a.myshopify.com", Payload(node), []).grant == found.grant


@pytest.mark.parametrize(
    ("placed", "until", "used"),
    [
        ("2026-11-25T19:59:59-08:00", "2026112507", NAMED),  # in a shop at UTC-12 its last hours run on
        ("2026-11-25T20:00:00-08:00", "2026112507", None),
        ("2026-12-30T12:00:00+01:00", "2026112507", None),
        ("2026-12-30T12:00:00+01:00", "", NAMED),  # as it was kept before its end was
        ("2026-12-30T12:00:00+01:00", "someday---", NAMED),
    ],
)
def test_what_is_taken_off_after_a_grant_is_over_is_not_its_doing(
    placed: str, until: str, used: GrantUsed | None
) -> None:
    grant = GRANT.replace("2026112507", until)
    order = {
        "id": 11, "created_at": placed, "discount_applications": [{"type": "automatic"}],
        "note_attributes": [{"name": "_tillwise_grant", "value": grant}],
    }  # fmt: skip
    node = {
        "id": "gid://shopify/Order/11", "createdAt": placed, "updatedAt": placed, "currencyCode": "USD",
        "customAttributes": [{"key": "_tillwise_grant", "value": grant}],
        "discountApplications": {"nodes": [{"__typename": "AutomaticDiscountApplication"}]},
    }  # fmt: skip
    told = Delivery("a.myshopify.com", "orders/create", "e", NOW, "USD")
    assert read_order_placed(Payload(order), told).grant == used
    assert read_order("a.myshopify.com", Payload(node), []).grant == used
