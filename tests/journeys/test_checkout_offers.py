"""The built extension before the real app, at each of its places and in both hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Route, expect

from devstore.demo import DOMAIN
from devstore.records import gid
from tests.devstore.browser_world import until_within
from tests.extensions.checkout_world import BLOCK, LINES, ORDER_STATUS, PLACE, THANK_YOU
from tests.journeys.shopper import TRIES, Shopper, shopper
from tests.journeys.small_stage import START_S, SmallStage

SECONDS = 30.0  # on a busy machine too
PERSONALIZE = "**/api/personalize"


@pytest.fixture(scope="module")
def stage(trained_stage: SmallStage) -> SmallStage:
    return trained_stage


@pytest.fixture(scope="module")
def in_cart(stage: SmallStage) -> int:
    """The product in most orders."""
    ordered = [line.product_id for order in stage.shop.orders.values() for line in order.lines]
    on_sale = [each.id for each in stage.shop.products.values() if each.variants[0].available]
    return max(on_sale, key=ordered.count)


@pytest.fixture
def made(stage: SmallStage, browser: Browser, in_cart: int) -> Iterator[Shopper]:
    """Somebody at the checkout who is not held out."""
    for _ in range(TRIES):
        with shopper(stage, browser) as made:
            made.browse(in_cart, consent="all")
            if made.check_out()["arm"] != "holdout":
                yield made
                return
    raise AssertionError(f"{TRIES} shoppers in a row were held out")


def place(made: Shopper, target: str) -> FrameLocator:
    return made.page.frame_locator(f"{PLACE.format(target=target)} iframe")


def load(made: Shopper, target: str, query: str, path: str = "") -> dict[str, Any]:
    """Load the page until it shows the app's answer; return that. A busy app may answer too late for it."""
    token = made.checkout_token.split("/")[0]
    for _ in range(TRIES):
        asked = len(made.answers)
        made.page.goto(f"{made.stage.store_url}/checkout/{token}{path}?{query}")
        answer = made.next_answer(asked)
        title = answer["offers"][0]["product"]["title"]
        made.page.wait_for_timeout(500)
        if place(made, target).get_by_role("img", name=title, exact=True).count():
            return answer
    raise AssertionError(f"no answer in time, {TRIES} times in a row")


def add(frame: FrameLocator) -> None:
    frame.get_by_role("button", name="to your order").first.click()
    expect(frame.get_by_text("Added to your order")).to_be_visible()


# Both hosts show every state alike: tests/extensions/test_checkout_states.py.
@pytest.mark.parametrize(
    ("blocks", "target", "host"), [("block", BLOCK, "sandbox"), ("lines", LINES, "page")]
)
def test_a_live_offer_is_taken_under_its_decision(made: Shopper, blocks: str, target: str, host: str) -> None:
    answer = load(made, target, f"blocks={blocks}&host={host}")
    surface = {BLOCK: "checkout", LINES: "checkout_lines"}[target]
    assert made.questions[-1]["surface"] == surface
    add(place(made, target))
    line = made.stage.shop.checkouts[made.checkout_token].lines[-1]
    assert dict(line.attributes)["_tillwise_decision"] == answer["decision_id"]
    names = [(event["name"], event["data"]["surface"]) for event in _feedback(made)]
    assert names.count(("tillwise:offer_accepted", surface)) == 1


@pytest.mark.parametrize(
    ("path", "target", "host"),
    [("/thank-you", THANK_YOU, "sandbox"), ("/order-status", ORDER_STATUS, "page")],
)
def test_after_the_order_a_live_offer_leads_to_a_new_cart(
    made: Shopper, path: str, target: str, host: str
) -> None:
    made.page.get_by_label("E-mail").fill("shopper@example.com")
    made.page.get_by_role("button", name="Pay now").click()
    made.page.wait_for_url("**/thank-you*")
    load(made, target, f"host={host}", path)
    link = place(made, target).get_by_role("link", name="Buy ").first
    assert (link.get_attribute("href") or "").startswith(f"https://{DOMAIN}/cart/")


def test_what_the_buyer_refuses_is_told_to_the_app_once(made: Shopper) -> None:
    load(made, BLOCK, "blocks=block")
    frame = place(made, BLOCK)
    first = frame.get_by_role("button", name="to your order").get_attribute("aria-label")
    frame.get_by_role("button", name="Not for me").click()
    expect(frame.get_by_role("button", name=first or "", exact=True)).to_have_count(0)
    dismissed = [each for each in _feedback(made) if each["name"] == "tillwise:offer_dismissed"]
    assert len(dismissed) == 1


def test_with_the_network_cut_the_first_offer_still_paints(made: Shopper) -> None:
    until_within(2 * START_S, lambda: (_ahead(made.stage) or {}).get("offers"))
    made.page.route(PERSONALIZE, _cut)
    for _ in range(TRIES):  # whose arm can't be told without the network is painted nothing
        made.page.goto(f"{made.stage.store_url}/cart")
        with made.page.expect_event("requestfailed", lambda request: "personalize" in request.url):
            made.page.get_by_role("button", name="Check out").click()
        if place(made, BLOCK).get_by_role("button", name="to your order").count():
            break
    add(place(made, BLOCK))
    assert len(made.stage.shop.checkouts[made.checkout_token].lines) == 2


def _cut(route: Route) -> None:
    route.abort()


def _ahead(stage: SmallStage) -> Any:
    """Return what the app put ahead for everybody, None before it did."""
    installed = stage.shop.installation
    assert installed is not None
    held = [
        each for each in installed.metafields.values()
        if each.owner == gid("Shop", stage.shop.id) and each.key == "offers"
    ]  # fmt: skip
    return json.loads(held[0].value) if held else None


def _feedback(made: Shopper) -> list[dict[str, Any]]:
    """Return what the pixel told of offers, once something was accepted or refused."""

    def told() -> list[dict[str, Any]]:
        return [each for each in made.events if each["name"].startswith("tillwise:offer_")]

    made.wait_until(lambda: any(not each["name"].endswith("_shown") for each in told()))
    made.page.wait_for_timeout(1_200)  # the pixel's next batch, with what may have been told twice
    return told()
