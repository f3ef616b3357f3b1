from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from app.errors import InputError
from app.events.kinds import (
    CartUpdated,
    CheckoutDeleted,
    CheckoutUpdated,
    Line,
    OrderCancelled,
    OrderPaid,
    OrderPlaced,
    OrderUpdated,
    RefundCreated,
    RefundLine,
)
from app.events.log import encode
from tests.webhooks.examples import example_payloads
from webhooks.delivery import Delivery
from webhooks.payload import Payload
from webhooks.read_admin import read_order
from webhooks.translate import READERS, is_ours, translate

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOP = "a.myshopify.com"


def delivery(topic: str, currency: str = "USD") -> Delivery:
    return Delivery(SHOP, topic, "event-1", NOW, currency)


def translated(topic: str, payload: dict[str, Any], currency: str = "USD") -> Any:
    return translate(msgspec.json.encode(payload), delivery(topic, currency))


def order(**fields: Any) -> dict[str, Any]:
    return {
        "id": 11,
        "created_at": "2026-11-01T10:00:00-05:00",
        "updated_at": "2026-11-01T10:05:00-05:00",
        "currency": "USD",
        "subtotal_price": "20.00",
        "total_discounts": "2.00",
        "total_price": "24.50",
        "financial_status": "pending",
        "checkout_token": "tok",
        "customer": {"id": 5, "email": "jane@example.com", "first_name": "Jane"},
        "line_items": [
            {"id": 1, "product_id": 2, "variant_id": 3, "quantity": 2, "price": "10.00"},
        ],
    } | fields


def product(**fields: Any) -> dict[str, Any]:
    return {
        "id": 2,
        "title": "Tea",
        "handle": "green-tea",
        "vendor": "Harvest",
        "product_type": "Drinks",
        "tags": "green, organic",
        "status": "active",
        "published_at": "2026-01-01T00:00:00Z",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-02-01T00:00:00Z",
        "images": [{"src": "https://cdn.example.com/tea.jpg"}],
        "variants": [{"id": 3, "title": "50 g", "price": "4.20", "inventory_quantity": 7, "position": 1}],
    } | fields


def test_no_example_payload_of_shopify_is_lost() -> None:
    outcomes: Counter[str] = Counter()
    for version, topic, body in example_payloads():
        if not is_ours(topic) or body == b"{}":
            outcomes["not ours" if not is_ours(topic) else "empty"] += 1
            continue
        event = translate(body, delivery(topic))
        assert event.shop == SHOP, (version, topic)
        outcomes[topic] += 1
    assert set(READERS) <= set(outcomes)
    assert outcomes["empty"] == 8  # inventory_levels/update of eight older versions is `{}`
    assert outcomes.total() > 2_000


def test_an_empty_payload_is_refused_by_the_field_it_lacks() -> None:
    with pytest.raises(InputError, match="inventory_item_id is missing"):
        translated("inventory_levels/update", {})


def test_no_name_address_or_mail_of_an_example_gets_into_an_event() -> None:
    personal = [b"example.com", b"biller", b"Biller", b"Smith", b"John", b"555-625", b"Houston"]
    for _, topic, body in example_payloads():
        if is_ours(topic) and body != b"{}":
            packed = encode(translate(body, delivery(topic)))
            assert not [word for word in personal if word in packed], topic


@pytest.mark.parametrize(("told", "test"), [({"test": True}, True), ({"test": False}, False), ({}, False)])
def test_an_order_says_whether_it_is_only_a_test(told: dict[str, Any], test: bool) -> None:
    assert translated("orders/create", order(**told)).test is test


def test_an_order_keeps_its_money_customer_and_lines() -> None:
    event = translated("orders/create", order())
    assert isinstance(event, OrderPlaced)
    assert (event.order_id, event.customer_id, event.checkout_token) == (11, 5, "tok")
    assert (event.subtotal_minor, event.discount_minor, event.total_minor) == (2000, 200, 2450)
    assert event.updated_at == datetime(2026, 11, 1, 15, 5, tzinfo=UTC)
    assert event.lines == (Line(line_id=1, product_id=2, variant_id=3, quantity=2, price_minor=1000),)
    assert not event.paid


def test_an_amount_in_yen_has_no_decimals() -> None:
    assert translated("orders/create", order(currency="JPY", total_price="2450")).total_minor == 2450


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("orders/create", OrderPlaced),
        ("orders/updated", OrderUpdated),
        ("orders/paid", OrderPaid),
        ("orders/cancelled", OrderCancelled),
    ],
)
def test_each_order_topic_has_its_event_and_an_id_of_its_own(topic: str, kind: type) -> None:
    event = translated(topic, order())
    assert type(event) is kind
    assert event.event_id == f"{topic}:event-1"


def test_the_offer_a_line_came_from_is_read_from_its_properties() -> None:
    line = {
        "id": 1,
        "quantity": 1,
        "price": "5.00",
        "properties": [
            {"name": "_tillwise_decision", "value": "d-1"},
            {"name": "_tillwise_offer", "value": "o-1"},
            {"name": "Engraving", "value": "For Jane"},
        ],
    }
    (read,) = translated("orders/create", order(line_items=[line])).lines
    assert (read.decision_id, read.offer_id) == ("d-1", "o-1")


@pytest.mark.parametrize("value", ["", "x" * 101, "a\nb", 7, None, {"a": 1}])
def test_a_mangled_property_is_no_offer(value: object) -> None:
    line = {
        "id": 1,
        "quantity": 1,
        "price": "5",
        "properties": [{"name": "_tillwise_decision", "value": value}],
    }
    assert translated("orders/create", order(line_items=[line])).lines[0].decision_id is None


@pytest.mark.parametrize(
    ("published_at", "published"),
    [
        ("2026-10-01T00:00:00Z", True),
        ("2026-11-01T12:00:30Z", True),  # half a minute after what set the delivery off
        ("2026-12-01T00:00:00Z", False),  # scheduled
        (None, False),
    ],
)
def test_a_product_is_published_from_its_time_on(published_at: str | None, published: bool) -> None:
    told = {"id": 2, "title": "Tea", "status": "active", "published_at": published_at}
    assert translated("products/update", told).published is published


@pytest.mark.parametrize(
    ("processed_at", "placed_at"),
    [
        ("2021-05-04T10:00:00Z", datetime(2021, 5, 4, 10, tzinfo=UTC)),  # brought along from another system
        ("2026-11-01T10:00:07-05:00", datetime(2026, 11, 1, 15, tzinfo=UTC)),
        (None, datetime(2026, 11, 1, 15, tzinfo=UTC)),
    ],
)
def test_an_order_counts_from_when_it_was_placed(processed_at: str | None, placed_at: datetime) -> None:
    told = translated("orders/create", order(processed_at=processed_at))
    assert told.created_at == placed_at
    node = {
        "id": "gid://shopify/Order/11", "createdAt": "2026-11-01T10:00:00-05:00", "processedAt": processed_at,
        "updatedAt": "2026-11-01T10:05:00-05:00", "currencyCode": "USD",
    }  # fmt: skip
    assert read_order(SHOP, Payload(node), []).created_at == placed_at


def test_a_line_counts_every_discount_allocated_to_it() -> None:
    line = {
        "id": 1,
        "quantity": 1,
        "price": "10.00",
        "total_discount": "1.00",
        "discount_allocations": [{"amount": "1.00"}, {"amount": "0.50"}],
    }
    # 1.00 of the line's own + 0.50 of the order's -> 1.50
    assert translated("orders/create", order(line_items=[line])).lines[0].discount_minor == 150


def refund(**fields: Any) -> dict[str, Any]:
    line = {"line_item_id": 1, "quantity": 1, "subtotal": 10.0}
    return {
        "id": 7,
        "order_id": 11,
        "created_at": "2026-11-02T00:00:00Z",
        "refund_line_items": [line],
    } | fields


def test_a_refund_tells_what_came_back_of_each_line() -> None:
    event = translated("refunds/create", refund())
    assert isinstance(event, RefundCreated)
    assert event.lines == (RefundLine(line_id=1, quantity=1, amount_minor=1000),)
    assert event.other_minor == 0


@pytest.mark.parametrize(
    ("fields", "other_minor", "shipping_minor"),
    [
        # 5.00 of shipping, as an adjustment
        ({"order_adjustments": [{"amount": "-5.00", "kind": "shipping_refund"}]}, 0, 500),
        # the same 5.00 written both ways counts once
        (
            {
                "order_adjustments": [{"amount": "-5.00", "kind": "shipping_refund"}],
                "refund_shipping_lines": [{"subtotal_amount_set": {"shop_money": {"amount": "5.00"}}}],
            },
            0,
            500,
        ),
        # 2.00 less than the line was worth
        ({"order_adjustments": [{"amount": "2.00", "kind": "refund_discrepancy"}]}, -200, 0),
    ],
)
def test_what_belongs_to_no_line_is_refunded_once(
    fields: dict[str, Any], other_minor: int, shipping_minor: int
) -> None:
    event = translated("refunds/create", refund(**fields))
    assert (event.other_minor, event.shipping_minor) == (other_minor, shipping_minor)


def paid_back(amount: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "refund", "status": "success", "amount": amount, "currency": "USD"} | fields


@pytest.mark.parametrize(
    ("transactions", "tax_minor"),
    [
        ([paid_back("10.80")], 80),  # 10.00 of goods and 0.80 of tax
        ([paid_back("5.00"), paid_back("5.80", currency=None)], 80),
        ([paid_back("10.00")], 0),  # prices include tax
        ([paid_back("10.50")], 50),
        ([paid_back("25.00")], 80),  # the rest is no tax
        ([], 0),
        ([paid_back("10.80", status="failure")], 0),
        ([paid_back("10.80", kind="void")], 0),
        ([paid_back("1200", currency="JPY")], 0),
    ],
)
def test_tax_went_back_as_far_as_more_was_paid_back_than_the_lines_are_worth(
    transactions: list[dict[str, Any]], tax_minor: int
) -> None:
    tax = {"shop_money": {"amount": "0.80", "currency_code": "USD"}}
    line = {"line_item_id": 1, "quantity": 1, "subtotal": 10.0, "total_tax_set": tax}
    event = translated("refunds/create", refund(refund_line_items=[line], transactions=transactions))
    assert (event.lines[0].amount_minor, event.tax_minor) == (1000, tax_minor)


def both(usd: str, yen: str) -> dict[str, Any]:
    return {
        "shop_money": {"amount": usd, "currency_code": "USD"},
        "presentment_money": {"amount": yen, "currency_code": "JPY"},
    }


@pytest.mark.parametrize(
    ("paid", "tax_minor"),
    [
        ("2160", 160),  # 1000 yen each with 80 of tax; 100 of shipping, which was kept of the goods
        ("2000", 0),  # prices include tax
        ("2080", 80),  # half of it
        ("9000", 160),  # the rest is no tax
    ],
)
def test_tax_went_back_as_far_where_was_paid_in_another_currency(paid: str, tax_minor: int) -> None:
    line = {"quantity": 1, "subtotal": 10.0, "subtotal_set": both("10.00", "1000")}
    lines = [line | {"line_item_id": n, "total_tax_set": both("0.80", "80")} for n in (1, 2)]
    more = {
        "refund_line_items": lines,
        "transactions": [paid_back(paid, currency="JPY")],
        "refund_shipping_lines": [{"subtotal_amount_set": both("1.00", "100")}],
        "order_adjustments": [
            {"amount": "1.00", "amount_set": both("1.00", "100"), "kind": "refund_discrepancy"}
        ],
    }
    event = translated("refunds/create", refund(**more))
    assert [line.amount_minor for line in event.lines] == [1000, 1000]
    assert (event.other_minor, event.shipping_minor, event.tax_minor) == (-100, 100, tax_minor)


def test_a_cart_is_priced_in_the_shops_currency() -> None:
    lines = [
        {
            "id": 3,
            "product_id": 2,
            "variant_id": 3,
            "quantity": 2,
            "price": "900",
            "original_price": "1000",
            "properties": {"_tillwise_decision": "d-1"},
        }
    ]
    event = translated("carts/update", {"token": "c", "line_items": lines}, currency="JPY")
    assert isinstance(event, CartUpdated)
    assert event.lines[0].price_minor == 1000
    assert event.lines[0].decision_id == "d-1"


def test_lines_of_a_checkout_are_told_apart_by_their_position() -> None:
    lines = [{"variant_id": 3, "quantity": 1, "price": "1"}] * 2
    event = translated("checkouts/create", {"token": "t", "line_items": lines})
    assert isinstance(event, CheckoutUpdated)
    assert [line.line_id for line in event.lines] == [1, 2]


def test_a_deleted_checkout_needs_no_token() -> None:
    assert isinstance(translated("checkouts/delete", {"id": 5}), CheckoutDeleted)


def test_a_checkouts_amounts_are_in_the_currency_that_is_paid_in() -> None:
    told = {"token": "t", "currency": "USD", "presentment_currency": "JPY", "subtotal_price": "15000"}
    event = translated("checkouts/update", told | {"line_items": [{"price": "15000", "quantity": 1}]})
    assert isinstance(event, CheckoutUpdated)
    assert (event.currency, event.subtotal_minor, event.lines[0].price_minor) == ("JPY", 15_000, 15_000)


@pytest.mark.parametrize(
    ("topic", "payload", "field"),
    [
        ("orders/create", order(id=None), "id"),
        ("orders/create", order(total_price="a lot"), "total_price"),
        ("orders/create", order(created_at="yesterday"), "created_at"),
        ("orders/create", order(line_items={}), "line_items"),
        ("orders/create", order(line_items=[{"id": 1, "quantity": 1.5}]), "line_items[0].quantity"),
        ("orders/create", order(customer={"id": "x"}), "customer.id"),
        ("orders/create", order(customer="x"), "customer"),
        ("refunds/create", refund(order_id=-1), "order_id"),
        ("products/update", product(variants=[3]), "variants"),
        ("carts/update", {}, "id"),
        ("products/update", {}, "id"),
    ],
)
def test_an_odd_field_is_named(topic: str, payload: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as error:
        translated(topic, payload)
    assert error.value.field == field


def test_a_message_never_quotes_what_was_sent() -> None:
    for payload in (
        order(id="Jane Doe"), order(total_price="Jane Doe"), order(created_at="Jane Doe"),
        order(customer={"id": ["Jane Doe"]}), order(line_items=[{"id": 1, "quantity": "Jane Doe"}]),
    ):  # fmt: skip
        with pytest.raises(InputError) as error:
            translated("orders/create", payload)
        assert "Jane" not in str(error.value)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"<html>", b'{"a":' * 100_000, b'"\xc3"']
)
def test_a_body_that_is_no_json_object_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(InputError, match="the body is"):
        translate(body, delivery("orders/create"))


def test_a_topic_that_is_not_ours_is_refused() -> None:
    with pytest.raises(InputError, match="themes/publish"):
        translate(b"{}", delivery("themes/publish"))
