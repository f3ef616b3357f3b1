"""Discounts without a code: made by the app, and taken off a checkout by its own Function."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from app.coupons.documents import CREATE_AUTOMATIC, DELETE_AUTOMATIC, LIST_AUTOMATIC, TELL_AUTOMATIC
from app.coupons.promise import Promise, automatic_input, metafield_value
from app.coupons.signed import ATTRIBUTE, last_step, sign_grant, whose_cart
from app.coupons.terms import CouponTerms
from devstore.checkout import apply_code, complete, cost, set_attribute, start
from devstore.functions import Asked, built_functions, input_of
from devstore.host_state import state
from devstore.order_payloads import order as order_payload
from devstore.records import AutomaticDiscount, Checkout
from devstore.schema import MODULES
from tests.devstore.browser_world import ROOT
from tests.devstore.conftest import Desk
from tests.devstore.small_shop import NOW

FUNCTIONS = built_functions(ROOT / "extensions")
pytestmark = [
    pytest.mark.skipif(not FUNCTIONS, reason="the extensions are not built: make build"),
    pytest.mark.skipif(not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed"),
]
KEY = bytes(range(32))
TEN = Promise("ten", CouponTerms("Ten off", percentage=10))
NUMBER = "0123456789ab"


@pytest.fixture
async def api(desk: Desk) -> Desk:
    desk.shop.functions = FUNCTIONS
    await desk.sign_in()
    return desk


async def made(api: Desk, promise: Promise = TEN, used: str = "") -> str:
    """Return the id of a new discount."""
    given = automatic_input(promise, metafield_value(promise, "USD", KEY, [used]), api.now())
    answer = await api.graphql(CREATE_AUTOMATIC, discount=given)
    payload = answer["data"]["discountAutomaticAppCreate"]
    assert payload["userErrors"] == []
    identifier: str = payload["automaticAppDiscount"]["discountId"]
    return identifier


def a_grant(promise: Promise = TEN, product_ids: tuple[int, ...] = (1,)) -> str:
    until = last_step(NOW + timedelta(hours=5), NOW.tzinfo or NOW.astimezone().tzinfo)  # type: ignore[arg-type]
    return sign_grant(KEY, promise.terms_id, until, whose_cart(None, product_ids) or "", NUMBER)


def a_checkout(api: Desk, grant: str | None, *codes: str) -> Checkout:
    found = start(api.shop, f"t{len(api.shop.checkouts)}", NOW, [(101, 2, ()), (102, 1, ())])
    for code in codes:
        apply_code(api.shop, found, code, NOW)
    if grant:
        set_attribute(found, ATTRIBUTE, grant, NOW)
    return found


def savings(api: Desk, found: Checkout) -> int:
    return cost(api.shop, found, NOW).discount_minor


async def test_what_the_app_makes_it_can_list_change_and_delete(api: Desk) -> None:
    identifier = await made(api)
    changed = metafield_value(TEN, "USD", KEY, [NUMBER])
    metafield = {
        "ownerId": identifier, "namespace": "$app", "key": "terms", "type": "json", "value": changed
    }  # fmt: skip
    answer = await api.graphql(TELL_AUTOMATIC, metafields=[metafield])
    assert answer["data"]["metafieldsSet"]["userErrors"] == []
    listed = (await api.graphql(LIST_AUTOMATIC, key="terms"))["data"]["automaticDiscountNodes"]["nodes"]
    standing, value = {"status": "ACTIVE"}, {"jsonValue": json.loads(changed)}
    assert listed == [{"id": identifier, "automaticDiscount": standing, "metafield": value}]
    for errors in ([], ["INVALID"]):
        answer = await api.graphql(DELETE_AUTOMATIC, id=identifier)
        assert [each["code"] for each in answer["data"]["discountAutomaticDelete"]["userErrors"]] == errors
    assert (await api.graphql(LIST_AUTOMATIC, key="terms"))["data"]["automaticDiscountNodes"]["nodes"] == []


async def test_a_function_that_was_not_built_is_not_found(api: Desk) -> None:
    api.shop.functions = {}
    answer = await api.graphql(CREATE_AUTOMATIC, discount=automatic_input(TEN, "{}", NOW))
    (error,) = answer["data"]["discountAutomaticAppCreate"]["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["automaticAppDiscount", "functionHandle"])


async def test_a_cart_with_a_grant_pays_less_and_its_order_says_so(api: Desk) -> None:
    await made(api)
    granted, plain = a_checkout(api, a_grant()), a_checkout(api, None)
    assert (savings(api, granted), savings(api, plain)) == (112, 0)  # 10 % of 2 x 3.49 and of 4.25
    told = state(api.shop, granted, NOW, "http://devstore")
    off = [(each["title"], each["discountedAmount"]["amount"]) for each in told["discountAllocations"]]
    assert (off, told["lines"][0]["discountAllocations"]) == ([("−10 %", 1.12)], [])
    assert (told["cost"]["subtotalAmount"]["amount"], told["cost"]["totalAmount"]["amount"]) == (11.23, 10.11)
    placed = order_payload(api.shop, complete(api.shop, granted, NOW))
    assert [(each["type"], each["title"]) for each in placed["discount_applications"]] == [
        ("automatic", "−10 %")
    ]
    assert (placed["discount_codes"], placed["total_discounts"]) == ([], "1.12")
    assert placed["note_attributes"] == [{"name": ATTRIBUTE, "value": a_grant()}]


async def test_an_order_stays_as_it_was_once_its_grant_is_used(api: Desk) -> None:
    identifier = await made(api)
    granted = a_checkout(api, a_grant())
    complete(api.shop, granted, NOW)
    await api.graphql(DELETE_AUTOMATIC, id=identifier)
    await made(api, used=NUMBER)
    assert savings(api, granted) == 112
    assert savings(api, a_checkout(api, a_grant())) == 0


@pytest.mark.parametrize(("beside", "off"), [((), 112), (("order",), 213)])
async def test_a_code_stands_beside_it_only_where_both_allow_that(
    api: Desk, beside: tuple[Any, ...], off: int
) -> None:
    promise = Promise("ten", CouponTerms("Ten off", percentage=10, combines_with=beside))
    api.shop.discounts[77].combines_with = frozenset({"order"})
    await made(api, promise)
    assert savings(api, a_checkout(api, a_grant(promise), "TENTH")) == off


async def test_an_amount_off_named_products_is_off_their_lines_alone(api: Desk) -> None:
    terms = CouponTerms("Off", "product", amount_minor=150, product_ids=(1,))
    promise = Promise("p", terms)
    await made(api, promise)
    priced = cost(api.shop, a_checkout(api, a_grant(promise)), NOW)
    assert [line.gross_minor - line.total_minor for line in priced.lines] == [150, 0]


async def test_a_function_is_told_what_its_query_asks_and_no_metafield_that_is_too_long(api: Desk) -> None:
    identifier = await made(api)
    (discount,) = api.shop.automatic.values()
    asked = Asked(api.shop, a_checkout(api, "x"), discount, 1_123, NOW)
    given = input_of(FUNCTIONS["offer-discount"], asked)
    assert given["shop"]["localTime"] == {
        "date": "2026-11-20", **{f"h{hour:02}": hour < 7 for hour in range(2, 23, 2)}
    }  # fmt: skip
    assert given["cart"]["grant"] == {"value": "x"}
    assert given["cart"]["cost"] == {"subtotalAmount": {"amount": "11.23"}}
    assert given["discount"]["metafield"]["jsonValue"]["terms"]["id"] == TEN.terms_id
    metafield = {
        "ownerId": identifier, "namespace": "$app", "key": "terms", "type": "json",
        "value": metafield_value(TEN, "USD", KEY, [NUMBER] * 900),
    }  # fmt: skip
    await api.graphql(TELL_AUTOMATIC, metafields=[metafield])
    assert input_of(FUNCTIONS["offer-discount"], asked)["discount"]["metafield"] is None


async def test_a_function_that_fails_costs_the_discount_and_not_the_checkout(api: Desk) -> None:
    await made(api)
    (discount,) = api.shop.automatic.values()
    assert isinstance(discount, AutomaticDiscount)
    broken = FUNCTIONS["offer-discount"]
    api.shop.functions = {"offer-discount": type(broken)(broken.wasm, "none", broken.query)}
    assert savings(api, a_checkout(api, a_grant())) == 0
