"""A checkout from its first line to the order."""

from __future__ import annotations

import pytest

from devstore.checkout import (
    Refused,
    add_line,
    apply_code,
    complete,
    cost,
    remove_code,
    remove_line,
    start,
    update_line,
)
from devstore.pricing import split
from devstore.records import Discount
from tests.devstore.conftest import Desk
from tests.devstore.small_shop import NOW, small_shop

OFFER = (("_tillwise_offer", "o1"),)


def test_the_same_thing_with_the_same_attributes_is_one_line() -> None:
    shop = small_shop()
    checkout = start(shop, "t", NOW, [(101, 1, ())])
    add_line(shop, checkout, 101, 2, NOW)
    add_line(shop, checkout, 101, 1, NOW, OFFER)
    assert [(line.quantity, line.attributes) for line in checkout.lines] == [(3, ()), (1, OFFER)]


@pytest.mark.parametrize(
    ("variant", "quantity", "message"),
    [
        (104, 1, "Mint Ice Cream is sold out."),
        (103, 1, "Ground Coffee can only be purchased with a selling plan."),
        (101, 21, "Only 20 of Whole Milk are available."),
        (999, 1, "The merchandise 999 does not exist."),
        (101, 0, "A quantity is at least 1."),
    ],
)
def test_what_can_not_be_sold_is_refused_in_words(variant: int, quantity: int, message: str) -> None:
    shop = small_shop()
    shop.products[3].requires_selling_plan = True
    checkout = start(shop, "t", NOW)
    with pytest.raises(Refused, match=message):
        add_line(shop, checkout, variant, quantity, NOW)
    assert checkout.lines == []


def test_lines_change_and_go() -> None:
    shop = small_shop()
    checkout = start(shop, "t", NOW, [(101, 1, ()), (102, 1, ())])
    first, second = (line.id for line in checkout.lines)
    update_line(shop, checkout, first, NOW, quantity=20)
    remove_line(checkout, second, NOW)
    assert [(line.variant_id, line.quantity) for line in checkout.lines] == [(101, 20)]
    with pytest.raises(Refused, match=f"no line {second}"):
        remove_line(checkout, second, NOW)


def test_codes_work_in_any_case_and_once() -> None:
    shop = small_shop()
    checkout = start(shop, "t", NOW, [(103, 1, ())])
    apply_code(shop, checkout, "tenth", NOW)
    apply_code(shop, checkout, "TENTH", NOW)
    assert checkout.codes == ["TENTH"]
    assert cost(shop, checkout, NOW).total_minor == 809  # 8.99 less .90
    remove_code(checkout, "Tenth", NOW)
    assert cost(shop, checkout, NOW).total_minor == 899
    with pytest.raises(Refused, match="NOPE is not a code"):
        apply_code(shop, checkout, "NOPE", NOW)


def test_an_amount_is_shared_to_the_cent() -> None:
    shop = small_shop()
    shop.add_discount(Discount(5, "A dollar", NOW, {"DOLLAR": 0}, amount_minor=100))
    checkout = start(shop, "t", NOW, [(101, 1, ()), (102, 1, ()), (103, 1, ())])
    apply_code(shop, checkout, "DOLLAR", NOW)
    assert cost(shop, checkout, NOW).discount_minor == 100
    assert split(100, [1, 1, 1]) == [33, 33, 34]


def test_an_order_lowers_stock_counts_the_code_and_is_made_once() -> None:
    shop = small_shop()
    checkout = start(shop, "t", NOW, [(101, 3, OFFER)], customer_id=7)
    apply_code(shop, checkout, "TENTH", NOW)
    order = complete(shop, checkout, NOW)
    assert complete(shop, checkout, NOW) is order
    assert shop.variants[101].inventory == 17
    assert shop.discounts[77].codes == {"TENTH": 1}
    assert (order.lines[0].properties, order.checkout_token, order.number) == (OFFER, "t", 1001)
    assert shop.orders_of(7) == [order]
    with pytest.raises(Refused, match="already an order"):
        add_line(shop, checkout, 102, 1, NOW)


async def test_a_checkout_is_made_over_http_and_hands_out_session_tokens(desk: Desk) -> None:
    lines = [{"variant_id": "gid://shopify/ProductVariant/102", "quantity": 2}]
    token = (await desk.post("/host/checkouts", lines=lines, customer_id=7)).json()["token"]
    assert [(x.variant_id, x.quantity) for x in desk.shop.checkouts[token].lines] == [(102, 2)]
    given = await desk.client.get("/host/session-token", params={"checkout": token})
    assert given.json()["token"].count(".") == 2
    refused = await desk.post("/host/checkouts", lines=[{"variant_id": 104}])
    assert refused.json() == {"type": "error", "message": "Mint Ice Cream is sold out."}


async def test_selling_out_tells_the_shop_and_the_next_buyer(desk: Desk) -> None:
    await desk.post("/control/stock", variant_id=101, available=0)
    refused = await desk.post("/host/checkouts", lines=[{"variant_id": 101}])
    assert refused.json()["message"] == "Whole Milk is sold out."


async def test_a_sandboxed_frame_may_read_what_it_is_answered(desk: Desk) -> None:
    headers = {"Origin": "null", "Access-Control-Request-Method": "POST"}
    asked = await desk.client.options("/host/checkouts", headers=headers)
    read = await desk.client.get("/healthz", headers={"Origin": "null"})
    assert asked.status_code == 200
    assert read.headers["access-control-allow-origin"] == "*"
