from typing import Any

import pytest

from app.events.minimise import minimised


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ({"product_id": 2, "price": "4.20"}, {"product_id": 2, "price": "4.20"}),
        ({"email": "a", "firstName": "J", "last_name": "D", "phone": "1"}, {}),
        ({"line": {"address": {"zip": "1"}, "sku": "S"}}, {"line": {"sku": "S"}}),
        # as Shopify writes a checkout's address and its customer
        ({"billingAddress": {"sku": 1}, "shipping_address": {"sku": 1}, "smsMarketingPhone": "1"}, {}),
        ({"to": {"address1": "1 Main", "address2": "", "countryCode": "US"}}, {"to": {"countryCode": "US"}}),
        ({"customer_email": "a", "phoneNumber": "1", "zipCode": "1", "postal_code": "1", "street": "M"}, {}),
        ({"billing-phone": "1", "e-mail": "a", "buyer.address_line_1": "M", "PHONE_NUMBER": "1"}, {}),
        ({"thumbnail": "t", "zipped": 1, "city_tour": 1}, {"thumbnail": "t", "zipped": 1, "city_tour": 1}),
        ({"text": "write to jane@example.com"}, {}),
        ({"url": "https://shop.example/p?email=x#y"}, {"url": "https://shop.example/p"}),
        ({"query": "what is 1 < 2?"}, {"query": "what is 1 < 2?"}),
        ({"title": "x" * 600}, {"title": "x" * 500}),
        ({"list": list(range(200))}, {"list": list(range(100))}),
        ({"a\x00": "b\x00"}, {"a": "b"}),
        ({"product_name": "Tea", "surface": "checkout"}, {"product_name": "Tea", "surface": "checkout"}),
    ],
)
def test_ids_and_prices_stay_and_persons_go(data: dict[str, Any], kept: dict[str, Any]) -> None:
    assert minimised(data) == kept


@pytest.mark.parametrize("text", ["a" * 250_000, "a" * 125_000 + "@" + "a" * 125_000, "a@" * 125_000])
def test_a_text_as_long_as_a_body_may_be_is_looked_through_once(text: str) -> None:
    assert minimised({"title": text}) == {"title": text[:500]}


def test_what_is_nested_deeply_is_left_out() -> None:
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(50):
        inner["a"] = {}
        inner = inner["a"]
    assert minimised(deep) == {"a": {"a": {"a": {"a": None}}}}
