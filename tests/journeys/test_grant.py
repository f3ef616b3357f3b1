"""A discount without a code, from the offer to the order, and that nobody has it twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from app.coupons.signed import ATTRIBUTE, number_in
from devstore.demo import DOMAIN
from devstore.functions import built_functions
from devstore.records import Order
from tests.devstore.browser_world import ROOT, until_within
from tests.journeys.shopper import TRIES, Shopper, shopper
from tests.journeys.small_stage import START_S, SmallStage
from tests.journeys.stores import rows_of

FUNCTIONS = built_functions(ROOT / "extensions")
pytestmark = pytest.mark.skipif(not FUNCTIONS, reason="the extensions are not built: make build")
TITLE = "−10 %"
CAMPAIGN = {
    "id": "ten", "name": "For who hesitates", "rule": True, "evidence": 0, "holdout": 0, "expires_s": 86_400,
    "offer": {"kind": "coupon", "discount": {"percentage": 10, "with_code": False}},
}  # fmt: skip


@pytest.fixture(scope="module")
def stage(changed_stage: SmallStage) -> SmallStage:
    made = changed_stage
    made.shop.functions = FUNCTIONS
    assert made.shop.installation is not None
    scopes = sorted(made.shop.installation.scopes | {"write_discounts", "read_discounts"})
    httpx.post(f"{made.store_url}/control/scopes", json={"scopes": scopes}).raise_for_status()
    until_within(START_S, lambda: "write_discounts" in str(rows_of(made, "SELECT scopes FROM shops")))
    campaign = made.home / "campaign.json"
    campaign.write_text(json.dumps(CAMPAIGN))
    made.tillwise("campaigns", "add", "--shop", DOMAIN, str(campaign))
    made.tillwise("campaigns", "run", "--shop", DOMAIN, "ten")
    until_within(START_S, lambda: rows_of(made, "SELECT 1 FROM automatic_discounts") == [(1,)])
    return made


@pytest.fixture(scope="module")
def in_cart(stage: SmallStage) -> int:
    return next(each.id for each in stage.shop.products.values() if each.variants[0].available)


def grant_in(answer: dict[str, Any]) -> str | None:
    """Return the grant of the answer's discount without a code."""
    return next((each["discount"]["grant"] for each in answer["offers"] if each.get("discount")), None)


@contextmanager
def offered(stage: SmallStage, browser: Browser, product_id: int) -> Iterator[tuple[Shopper, int, str]]:
    """Yield a customer at a checkout who is offered the discount, their number, and the grant."""
    for customer_id in list(stage.shop.customers)[:TRIES]:  # one in twenty is held out
        with shopper(stage, browser) as made:
            made.browse(product_id, consent="all", customer=str(customer_id))
            grant = grant_in(made.check_out())
            if grant is not None:
                yield made, customer_id, grant
                return
    raise AssertionError("nobody was offered the discount")


def pay(made: Shopper) -> Order:
    """Return the order that the checkout became."""
    made.page.get_by_label("E-mail").fill("somebody@example.com")
    made.page.get_by_role("button", name="Pay now").click()
    made.page.wait_for_url("**/thank-you*")
    return list(made.stage.shop.orders.values())[-1]


def test_what_is_offered_is_taken_off_once(stage: SmallStage, browser: Browser, in_cart: int) -> None:
    price = stage.shop.products[in_cart].variants[0].price_minor
    with offered(stage, browser, in_cart) as (made, customer_id, grant):
        # Nothing is typed and nothing pressed.
        expect(made.offers.get_by_text("Taken off by itself")).to_be_visible()
        expect(made.page.get_by_text(TITLE).first).to_be_visible()
        order = pay(made)
        expect(made.page.get_by_text(TITLE).first).to_be_visible()
    assert order.discount_minor == round(price / 10)
    assert list(order.discounts) == [(TITLE, True)]

    # The order's webhook tells the worker, the worker tells decide and the Function.
    _, number = number_in(grant) or ("", "")
    uses = "SELECT number, order_id FROM grant_uses"
    until_within(START_S, lambda: rows_of(stage, uses) == [(number, order.id)])
    until_within(START_S, lambda: number in used_numbers(stage))

    with shopper(stage, browser) as again:
        again.browse(in_cart, consent="all", customer=str(customer_id))
        assert grant_in(again.check_out()) is None
        # The grant that they still hold takes nothing off.
        change = {"type": "updateAttribute", "key": ATTRIBUTE, "value": grant}
        attributes = f"{stage.store_url}/host/{again.checkout_token}/attributes"
        httpx.post(attributes, json=change).raise_for_status()
        again.page.reload()
        second = pay(again)
    assert second.id != order.id
    assert (dict(second.attributes)[ATTRIBUTE], second.discount_minor) == (grant, 0)


def used_numbers(stage: SmallStage) -> str:
    """Return what the Function is told of used grants."""
    assert stage.shop.installation is not None
    (held,) = (each for each in stage.shop.installation.metafields.values() if each.key == "terms")
    used: str = json.loads(held.value)["used"]
    return used
