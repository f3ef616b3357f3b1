"""The storefront with the real app behind its proxy, from an offer in the shop to the order it ends in."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from app.experiments.assign import pseudonym
from tests.devstore.browser_world import until, until_within
from tests.extensions.storefront_world import DIALOG, SHELF
from tests.journeys.shopper import BUSY, TRIES
from tests.journeys.small_stage import START_S, SmallStage
from tests.journeys.stores import rows_of


@pytest.fixture(scope="module")
def stage(trained_stage: SmallStage) -> SmallStage:
    return trained_stage


def offered(stage: SmallStage, page: Page, **visitor: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the question and the answer on a product's page; who is held out comes back as somebody new."""
    ordered = [line.product_id for order in stage.shop.orders.values() for line in order.lines]
    popular = max(stage.shop.products.values(), key=lambda each: ordered.count(each.id))
    heard: list[Response] = []
    page.on("response", lambda response: "/apps/tillwise/offers" in response.url and heard.append(response))
    query = "&".join(f"{name}={value}" for name, value in visitor.items())
    for _ in range(TRIES):
        page.context.clear_cookies()
        heard.clear()
        page.goto(f"{stage.store_url}/products/{popular.handle}?delay=0&{query}")
        until(lambda: page.wait_for_timeout(50) or heard)
        answer = heard[0].json()
        if answer["arm"] == "personalised" and answer["fallback"] not in BUSY:
            question = parse_qs(urlsplit(heard[0].url).query)["question"][0]
            return json.loads(question), answer
    raise AssertionError(f"{TRIES} shoppers in a row were in another arm, or the app was too busy for them")


def test_an_offer_of_the_storefront_is_earned_by_the_order_it_ends_in_and_the_guest_is_one_person(
    stage: SmallStage, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    question, answer = offered(stage, page, consent="all")
    first = answer["offers"][0]
    assert question["client_id"]
    shelf = page.locator(SHELF)
    expect(shelf.get_by_text(first["product"]["title"], exact=True)).to_be_visible()
    with page.expect_response("**/cart/update.js"):  # the cart is told its browser
        shelf.get_by_role("button", name=f"Add to cart: {first['product']['title']}", exact=True).click()
    expect(shelf.get_by_role("link", name="View cart")).to_be_visible()
    page.goto(f"{stage.store_url}/cart")
    page.get_by_role("button", name="Check out").click()
    page.wait_for_url("**/checkout/*")
    page.get_by_label("E-mail").fill("somebody@example.com")
    page.get_by_role("button", name="Pay now").click()
    page.wait_for_url("**/thank-you*")
    order = list(stage.shop.orders.values())[-1]
    assert dict(order.lines[0].properties) == {
        "_tillwise_decision": answer["decision_id"],
        "_tillwise_offer": first["offer_id"],
    }
    seen = "SELECT count(*) FROM decisions WHERE decision_id = ?"
    until_within(START_S, lambda: rows_of(stage, seen, answer["decision_id"]) == [(1,)])
    units = "SELECT DISTINCT json_extract(inputs, '$.unit') FROM decisions WHERE checkout_token = ?"
    until_within(START_S, lambda: rows_of(stage, units, order.checkout_token))
    browser_unit = pseudonym(stage.shop.domain, f"client:{question['client_id']}")
    assert rows_of(stage, units, order.checkout_token) == [(browser_unit,)]
    page.context.close()


def test_who_refused_is_offered_what_the_cart_says_and_stays_unknown(
    stage: SmallStage, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    question, answer = offered(stage, page, consent="none", country="DE")
    assert "client_id" not in question
    assert answer["rung"] == "contextual"
    expect(
        page.locator(SHELF).get_by_text(answer["offers"][0]["product"]["title"], exact=True)
    ).to_be_visible()
    assert page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]") == []
    expect(page.locator(DIALOG)).to_be_hidden()
    page.context.close()
