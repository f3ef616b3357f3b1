"""What a shop asks in its markets: the Storefront API tells it, and a checkout charges it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from devstore import order_payloads
from devstore.checkout import Refused, add_line, apply_code, complete, cost, enter, start
from devstore.host_state import state
from devstore.main import create_app
from devstore.records import Discount
from devstore.shop import Shop
from tests.devstore.small_shop import NOW, small_shop, small_store

PRICES = """query ($ids: [ID!]!, $country: CountryCode!) @inContext(country: $country) {
  nodes(ids: $ids) { ... on ProductVariant { id availableForSale price { amount currencyCode } } }
}"""
MILK, COFFEE, ICE_CREAM = (f"gid://shopify/ProductVariant/{number}" for number in (101, 103, 104))


@pytest.fixture
def shop() -> Shop:
    return small_shop()


@pytest.fixture
def storefront(shop: Shop) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(small_store(shop)))
    return httpx.AsyncClient(transport=transport, base_url="http://devstore")


async def ask(storefront: httpx.AsyncClient, query: str, version: str = "2026-07", **variables: Any) -> Any:
    body = {"query": query, "variables": variables}
    return (await storefront.post(f"/api/{version}/graphql.json", json=body)).json()


@pytest.mark.parametrize(
    ("country", "amount", "currency"),
    [
        ("US", "3.49", "USD"),
        ("CA", "4.89", "CAD"),  # 3.49 x 1.4 = 4.886
        ("EC", "3.77", "USD"),  # 3.49 x 1.08 = 3.7692
        ("DE", "3.49", "USD"),  # of no market of its own
    ],
)
async def test_a_price_is_the_markets(
    storefront: httpx.AsyncClient, country: str, amount: str, currency: str
) -> None:
    told = await ask(storefront, PRICES, ids=[MILK], country=country)
    price = {"amount": amount, "currencyCode": currency}
    assert told == {"data": {"nodes": [{"id": MILK, "availableForSale": True, "price": price}]}}


async def test_what_a_market_leaves_out_is_null_there_and_what_is_sold_out_says_so(
    storefront: httpx.AsyncClient,
) -> None:
    told = await ask(storefront, PRICES, ids=[COFFEE, ICE_CREAM, "gid://shopify/Order/1"], country="EC")
    coffee, ice_cream, order = told["data"]["nodes"]
    assert (coffee, order) == (None, None)
    assert ice_cream["availableForSale"] is False
    there = await ask(storefront, PRICES, ids=[COFFEE], country="CA")
    assert there["data"]["nodes"][0]["price"] == {"amount": "12.59", "currencyCode": "CAD"}


async def test_without_a_context_the_shop_speaks_of_its_own_country(storefront: httpx.AsyncClient) -> None:
    variants = "variants(first: 1) { nodes { price { amount } } }"
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on Product {{ title {variants} }} }} }}"
    told = await ask(storefront, query, id="gid://shopify/Product/1")
    milk = {"title": "Whole Milk", "variants": {"nodes": [{"price": {"amount": "3.49"}}]}}
    assert told == {"data": {"node": milk}}


@pytest.mark.parametrize(
    ("query", "variables", "says"),
    [
        (
            "{ nodes(ids: []) { ... on ProductVariant { cents } } }",
            {},
            "Cannot query field 'cents'",
        ),
        (PRICES, {"ids": [MILK]}, "Variable '$country' has invalid value"),
        (PRICES, {"ids": [MILK], "country": "XX"}, "Value 'XX' does not exist in 'CountryCode' enum."),
        (PRICES, {"ids": ["milk"], "country": "US"}, "Invalid global id 'milk'"),
        (
            'query @inContext(buyer: {customerAccessToken: "t"}) { shop { name } }',
            {},
            "The dev store has no companies",
        ),
    ],
)
async def test_what_shopify_would_not_answer_is_refused_in_words(
    storefront: httpx.AsyncClient, query: str, variables: dict[str, Any], says: str
) -> None:
    told = await ask(storefront, query, **variables)
    assert says in told["errors"][0]["message"]


async def test_another_version_and_another_body_are_refused(storefront: httpx.AsyncClient) -> None:
    assert "2020-01" in (await ask(storefront, PRICES, version="2020-01"))["errors"]
    refused = await storefront.post("/api/2026-07/graphql.json", content=b"[]")
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (
        400,
        "the body is not a JSON object",
    )


def test_a_checkout_costs_what_its_market_asks_and_discounts_follow(shop: Shop) -> None:
    shop.add_discount(Discount(78, "Two off", NOW, codes={"TWO": 0}, amount_minor=200, minimum_minor=900))
    checkout = start(shop, "ck", NOW, [(101, 1, ()), (102, 1, ())], country="CA")
    # 4.89 + 5.95 = 10.84 of the 12.60 Canadian dollars that 9.00 are
    with pytest.raises(Refused, match="for larger orders"):
        apply_code(shop, checkout, "TWO", NOW)
    add_line(shop, checkout, 101, 1, NOW)
    apply_code(shop, checkout, "TWO", NOW)
    priced = cost(shop, checkout, NOW)
    # 2 x 4.89 + 5.95 = 15.73, less 2.80
    assert (priced.subtotal_minor, priced.discount_minor) == (1293, 280)
    assert state(shop, checkout, NOW, "")["cost"]["totalAmount"] == {
        "amount": 12.93,
        "currencyCode": "CAD",
    }
    enter(shop, checkout, "EC")
    # 2 x 3.77 + 4.59 = 12.13, less 2.00
    assert (cost(shop, checkout, NOW).subtotal_minor, checkout.currency) == (1013, "USD")


def test_what_a_market_leaves_out_can_not_be_added_there(shop: Shop) -> None:
    checkout = start(shop, "ck", NOW, [(101, 1, ())], country="EC")
    with pytest.raises(Refused, match="Ground Coffee is not available in this market"):
        add_line(shop, checkout, 103, 1, NOW)


def test_an_order_is_in_the_shops_currency_and_says_what_was_paid(shop: Shop) -> None:
    checkout = start(shop, "ck", NOW, [(101, 2, ())], country="CA")
    order = complete(shop, checkout, NOW)
    payload = order_payloads.order(shop, order)
    assert (payload["currency"], payload["presentment_currency"]) == ("USD", "CAD")
    assert payload["line_items"][0]["price"] == "3.49"
    assert payload["line_items"][0]["price_set"]["presentment_money"] == {
        "amount": "4.89",
        "currency_code": "CAD",
    }
    told = order_payloads.checkout(shop, checkout, NOW)
    assert (told["currency"], told["presentment_currency"], told["total_price"]) == ("USD", "CAD", "9.78")
    assert told["line_items"][0]["price"] == "4.89"
    assert cost(shop, checkout, NOW).total_minor == 978  # as it was, whatever becomes of the market
