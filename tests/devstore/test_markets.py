"""What a shop asks in its markets: the Storefront API tells it, and a checkout charges it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from devstore import order_payloads
from devstore.checkout import Refused, add_line, apply_code, complete, cost, enter, start
from devstore.host_state import state
from devstore.main import create_app
from devstore.markets import Market
from devstore.pages.ajax import cart_json
from devstore.pricing import Applied, price
from devstore.records import Cart, Discount, ItemLine, Measure
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


async def test_what_a_measure_costs_is_the_markets_too(shop: Shop, storefront: httpx.AsyncClient) -> None:
    shop.variants[101].measure = Measure(500, "ML", 100)
    fields = "unitPrice { amount currencyCode } unitPriceMeasurement { referenceValue referenceUnit }"
    query = PRICES.replace("availableForSale price { amount currencyCode }", fields)
    told = await ask(storefront, query, ids=[MILK, COFFEE], country="CA")
    price = {"amount": "0.98", "currencyCode": "CAD"}  # 4.89 x 100 / 500 = 0.978
    measure = {"referenceValue": 100, "referenceUnit": "ML"}
    milk, coffee = told["data"]["nodes"]
    assert milk == {"id": MILK, "unitPrice": price, "unitPriceMeasurement": measure}
    assert (coffee["unitPrice"], coffee["unitPriceMeasurement"]) == (None, None)


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


@pytest.mark.parametrize(
    ("home", "abroad", "rate", "asked", "told", "hundredths", "sold_at"),
    [
        ("JPY", "JPY", 1.0, 349, "349", 34900, "349"),
        ("KWD", "KWD", 1.0, 0.349, "0.349", 35, "0.349"),
        ("USD", "JPY", 150.0, 524, "524", 52400, "3.49"),  # 3.49 x 150 = 523.5
        ("USD", "KWD", 0.31, 1.082, "1.082", 108, "3.49"),  # 3.49 x 0.31 = 1.0819
        ("JPY", "USD", 0.0067, 2.34, "2.34", 234, "349"),  # 349 x 0.0067 = 2.3383
    ],
)
def test_each_currency_has_its_own_decimals(
    home: str, abroad: str, rate: float, asked: float, told: str, hundredths: int, sold_at: str
) -> None:
    shop = small_shop()
    shop.currency, shop.markets = home, (Market(frozenset({"DE"}), abroad, rate=rate),)
    checkout = start(shop, "ck", NOW, [(101, 1, ())], country="DE")
    seen = state(shop, checkout, NOW, "")["cost"]["subtotalAmount"]
    assert seen == {"amount": asked, "currencyCode": abroad}
    assert order_payloads.checkout(shop, checkout, NOW)["subtotal_price"] == told
    in_cart = cart_json(shop, Cart("c", NOW, NOW, [ItemLine(1, 101, 1)]), "DE", NOW)
    assert in_cart["items_subtotal_price"] == hundredths
    sold = order_payloads.order(shop, complete(shop, checkout, NOW))
    assert (sold["total_price"], sold["total_price_set"]["shop_money"]["amount"]) == (sold_at, sold_at)
    assert sold["line_items"][0]["price_set"]["presentment_money"]["amount"] == told


def test_no_code_takes_anything_off_a_gift_card(shop: Shop) -> None:
    shop.products[2].gift_card = True
    checkout = start(shop, "ck", NOW, [(102, 1, ())])
    with pytest.raises(Refused, match="for other products"):
        apply_code(shop, checkout, "TENTH", NOW)
    assert order_payloads.order(shop, complete(shop, checkout, NOW))["line_items"][0]["gift_card"] is True


def test_what_needs_no_code_takes_nothing_off_a_gift_card_either(shop: Shop) -> None:
    shop.products[2].gift_card = True
    lines = [ItemLine(1, 101, 1), ItemLine(2, 102, 1)]
    for whom in (None, frozenset({1, 2})):
        sold = price(shop, lines, (), NOW, [Applied("Ten off", whom, percentage=10.0)]).lines
        assert [bool(line.allocations) for line in sold] == [True, False]


def test_a_checkout_tells_for_which_company_its_buyer_buys(shop: Shop) -> None:
    checkout = start(shop, "ck", NOW, [(101, 1, ())], customer_id=7)
    assert state(shop, checkout, NOW, "")["buyerIdentity"]["purchasingCompany"] is None
    shop.customers[7].company = "Lind & Sons"
    told = state(shop, checkout, NOW, "")["buyerIdentity"]["purchasingCompany"]
    assert told["company"]["name"] == "Lind & Sons"
