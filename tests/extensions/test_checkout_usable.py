"""A checkout stays usable whatever the app does, and its first offer needs no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.cluster import free_ports
from tests.devstore.browser_world import until
from tests.extensions.checkout_world import (
    BLOCK,
    LONG_S,
    THANK_YOU,
    CheckoutWorld,
    answer,
    checkout_world,
    coupon_offer,
    message_offer,
    offers_ahead,
    product_offer,
)
from tests.extensions.states import LONG_TITLE
from tests.extensions.test_checkout_states import frame_of

# What the page hears of its frames' heights, and each frame sees of its own words, in turn.
WATCH = """
window.heights = [];
addEventListener('message', ({data}) => {
  if (data && data.kind === 'height' && data.height) heights.push(data.height);
});
window.read = [];
new MutationObserver(() => document.body && read.push(document.body.textContent))
  .observe(document, {subtree: true, childList: true, characterData: true});
"""
BACKENDS = {
    "fails": {"status": 500, "body": "{}"},
    "says garbage": {"body": "<html>Bad gateway</html>"},
    "says what it should not": {"body": {"decision_id": 7, "offers": [None, {"kind": "upsell"}]}},
    "is slow": {"delay_s": LONG_S},
}


GOAL = {"current": "3.49", "target": "20.00", "currency": "USD"}
LIVE: dict[str, Callable[[CheckoutWorld], dict[str, Any]]] = {
    "product": lambda world: product_offer(world, 102),
    "long title": lambda world: long_title(world),
    "coupon": lambda _: coupon_offer(),
    "banner": lambda _: message_offer(message={"key": "banner.help", "args": {}}),
    "progress": lambda _: message_offer(
        "progress", progress=GOAL, message={"key": "progress.free_shipping", "args": {}}
    ),
}


def long_title(world: CheckoutWorld) -> dict[str, Any]:
    """Return the offer of a product with more of a title than fits, one of several variants."""
    offer = product_offer(world, 102)
    return offer | {"product": offer["product"] | {"title": LONG_TITLE, "variant": LONG_TITLE}}


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckoutWorld]:
    """A world whose app is at an address where nobody listens."""
    (port,) = free_ports(1)
    with checkout_world(tmp_path_factory.mktemp("offline"), f"http://127.0.0.1:{port}") as made:
        yield made


def behave(world: CheckoutWorld, backend: str) -> None:
    for name, value in BACKENDS[backend].items():
        setattr(world.app, name, value)


def pay(page: Page) -> None:
    page.get_by_label("E-mail").fill("somebody@example.com")
    page.get_by_role("button", name="Pay now").click()
    page.wait_for_url("**/thank-you*")


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_offers_ahead_an_app_that_does_not_answer_leaves_the_checkout_as_it_was(
    page: Page, world: CheckoutWorld, backend: str
) -> None:
    behave(world, backend)
    frame = world.open(page)
    expect(frame.locator("s-skeleton-paragraph")).to_have_count(0)
    expect(frame.locator("s-text, s-heading")).to_have_count(0)
    assert page.locator("[data-extension-target] iframe").bounding_box()["height"] == 0  # type: ignore[index]
    pay(page)


@pytest.mark.parametrize("backend", BACKENDS)
def test_with_offers_ahead_the_first_offer_paints_and_can_be_taken_whatever_the_app_does(
    page: Page, world: CheckoutWorld, backend: str
) -> None:
    offers_ahead(world, 103)
    behave(world, backend)
    frame = world.open(page)
    frame.get_by_role("button", name="Add Ground Coffee").click()
    expect(frame.get_by_text("Added to your order")).to_be_visible()
    assert [line.variant_id for line in world.shop.checkouts["ck"].lines] == [101, 103]
    pay(page)


def test_with_the_network_cut_the_first_offer_still_paints_and_can_be_taken(
    page: Page, offline: CheckoutWorld
) -> None:
    offline.checkout()
    offers_ahead(offline, 103)
    frame = offline.open(page)
    frame.get_by_role("button", name="Add Ground Coffee").click()
    expect(frame.get_by_text("Added to your order")).to_be_visible()
    frame.get_by_role("button", name="Undo").click()
    expect(frame.get_by_role("button", name="Add Ground Coffee")).to_be_visible()
    assert offline.app.asked == []
    pay(page)


@pytest.mark.parametrize("arm", ["holdout", "somebody's own"])
def test_who_is_held_out_is_painted_nothing_ahead(page: Page, world: CheckoutWorld, arm: str) -> None:
    offers_ahead(world, 103, arm=arm)
    world.app.body = answer()
    page.add_init_script(WATCH)
    with page.expect_response("**/api/personalize"):
        frame = world.open(page)
    expect(frame.locator("s-skeleton-paragraph")).to_have_count(0)
    assert "Ground Coffee" not in "".join(frame_of(page, BLOCK).evaluate("read"))


@pytest.mark.parametrize(
    ("instead", "locale", "width"),
    [
        *product(["product", "long title"], ["en", "de", "fr", "ja", "ar"], [320, 1280]),
        *product(["coupon", "banner", "progress"], ["en"], [320, 375, 768, 1280]),
    ],
)
def test_the_live_offer_takes_the_place_of_the_first_and_nothing_moves(
    page: Page, world: CheckoutWorld, instead: str, locale: str, width: int
) -> None:
    world.app.body = answer(LIVE[instead](world))
    offers_ahead(world, 103)
    page.set_viewport_size({"width": width, "height": 800})
    page.add_init_script(WATCH)
    frame = world.open(page, locale=locale)
    expect(frame.locator("s-heading")).to_be_visible()
    expect(frame.get_by_text("Ground Coffee", exact=True)).to_have_count(0)
    page.wait_for_timeout(100)  # a frame tells of its height once it is drawn
    assert any("Ground Coffee" in words for words in frame_of(page, BLOCK).evaluate("read"))
    assert len(set(page.evaluate("heights"))) == 1


@pytest.mark.parametrize("ahead", [True, False], ids=["painted-ahead", "not-ahead"])
@pytest.mark.parametrize("later", ["coupon", "banner"])
def test_what_is_said_to_who_stays_takes_the_place_of_a_product_and_nothing_moves(
    page: Page, world: CheckoutWorld, later: str, ahead: bool
) -> None:
    world.app.body = answer(product_offer(world, 102)) | {"again_s": 2}
    world.app.later = answer(LIVE[later](world), decision_id="d2")
    if ahead:
        offers_ahead(world, 103)
    page.add_init_script(WATCH)
    frame = world.open(page)
    expect(frame.get_by_text("Sourdough Loaf", exact=True)).to_be_visible()
    expect(frame.get_by_text("Sourdough Loaf", exact=True)).to_have_count(0)
    expect(frame.locator("s-heading")).to_be_visible()
    page.wait_for_timeout(100)  # a frame tells of its height once it is drawn
    assert len(set(page.evaluate("heights"))) == 1
    assert [question.get("wants") for question in world.app.asked] == [None, "message"]


def test_a_coupon_has_the_only_box_once_the_product_has_had_its_time(
    page: Page, world: CheckoutWorld
) -> None:
    world.app.body = answer(coupon_offer(), product_offer(world, 102))
    offers_ahead(world, 103)
    frame = world.open(page)
    expect(frame.get_by_text("Sourdough Loaf", exact=True)).to_be_visible()
    expect(frame.get_by_text("Save 10%")).to_have_count(0)
    expect(frame.get_by_text("Save 10%")).to_be_visible()
    expect(frame.get_by_text("Sourdough Loaf", exact=True)).to_have_count(0)


def test_an_answer_past_its_budget_changes_nothing_under_the_buyers_eyes(
    page: Page, world: CheckoutWorld
) -> None:
    offers_ahead(world, 103)
    world.app.body, world.app.delay_s = answer(product_offer(world, 102)), 1.4
    with page.expect_response("**/api/personalize"):
        frame = world.open(page)
    page.wait_for_timeout(200)
    expect(frame.get_by_text("Ground Coffee", exact=True)).to_be_visible()


def test_what_the_buyer_touched_first_stays_and_is_added_as_its_decision_names_it(
    page: Page, world: CheckoutWorld
) -> None:
    offers_ahead(world, 103)
    live = answer(product_offer(world, 102), product_offer(world, 103))
    world.app.body, world.app.delay_s = live, 1.3
    frame = world.open(page)
    frame.get_by_role("button", name="Add Ground Coffee").click()
    expect(frame.get_by_text("Added to your order")).to_be_visible()
    expect(frame.get_by_text("Ground Coffee", exact=True)).to_be_visible()
    added = world.shop.checkouts["ck"].lines[-1]
    assert added.attributes == (("_tillwise_decision", "d1"), ("_tillwise_offer", "o103"))


@pytest.mark.parametrize("host", ["sandbox", "page"])
def test_the_keyboard_adds_undoes_and_refuses_and_stays_where_it_was(
    page: Page, world: CheckoutWorld, host: str
) -> None:
    world.app.body = answer(product_offer(world, 102), product_offer(world, 103))
    frame = world.open(page, host=host)
    frame.get_by_role("button", name="Add Sourdough Loaf").focus()
    page.keyboard.press("Enter")
    expect(frame.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(frame.get_by_role("button", name="Add Sourdough Loaf")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(frame.get_by_text("Ground Coffee", exact=True)).to_be_visible()


def test_the_bar_follows_the_cart(page: Page, world: CheckoutWorld) -> None:
    goal = {"current": "3.49", "target": "10.00", "currency": "USD"}
    bar = message_offer("progress", progress=goal, message={"key": "progress.free_shipping", "args": {}})
    world.app.body = answer(bar, product_offer(world, 103))
    frame = world.open(page)
    expect(frame.get_by_text("Add $6.51 more for free shipping.")).to_be_visible()
    frame.get_by_role("button", name="Add Ground Coffee").click()
    expect(frame.get_by_text("Your order ships for free.")).to_be_visible()
    expect(frame.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "10")
    assert len(world.app.asked) == 1


def test_a_checkout_that_takes_no_lines_is_offered_no_products(page: Page, world: CheckoutWorld) -> None:
    offers_ahead(world, 103)
    world.app.body = answer(product_offer(world, 102), coupon_offer())
    frame = world.open(page, locked="lines")
    expect(frame.get_by_text("Save 10%")).to_be_visible()
    expect(frame.locator("s-product-thumbnail")).to_have_count(0)


def test_a_checkout_that_takes_no_codes_is_promised_none(page: Page, world: CheckoutWorld) -> None:
    off = {"code": "TENTH", "percentage": 10, "applies_to": "product"}
    world.app.body = answer(product_offer(world, 102, discount=off), coupon_offer())
    frame = world.open(page, locked="discounts")
    expect(frame.get_by_text("Sourdough Loaf", exact=True)).to_be_visible()
    expect(frame.get_by_text("10%")).to_have_count(0)


def test_a_new_cart_is_asked_for_anew_with_a_token_of_its_own(page: Page, world: CheckoutWorld) -> None:
    world.app.body = answer(product_offer(world, 102))
    frame = world.open(page, blocks="block,lines")
    expect(frame.get_by_text("Sourdough Loaf", exact=True)).to_be_visible()
    page.wait_for_timeout(1_100)  # session tokens are dated to the second
    page.evaluate(
        "fetch('/host/ck/lines', {method: 'POST', body: JSON.stringify({type: 'addCartLine',"
        " merchandiseId: 'gid://shopify/ProductVariant/103', quantity: 1})})"
    )
    page.get_by_label("Discount code").fill("TENTH")  # the page brings its extensions up to date
    page.get_by_label("Discount code").press("Enter")
    page.wait_for_function("() => true")
    expect(page.locator(".codes")).to_contain_text("TENTH")
    until(lambda: page.wait_for_timeout(50) or len(world.app.asked) >= 4)
    surfaces = [(asked["surface"], len(asked["cart"]["lines"])) for asked in world.app.asked]
    assert sorted(surfaces) == [
        ("checkout", 1), ("checkout", 2), ("checkout_lines", 1), ("checkout_lines", 2),
    ]  # fmt: skip
    assert len(set(world.app.tokens)) > 1


def test_a_product_taken_in_one_place_is_not_offered_in_the_other(page: Page, world: CheckoutWorld) -> None:
    world.app.body = answer(product_offer(world, 102), product_offer(world, 103))
    block = world.open(page, blocks="block,lines")
    lines = page.frame_locator('[data-extension-target$="cart-line-list.render-after"] iframe')
    expect(lines.get_by_text("Sourdough Loaf", exact=True)).to_be_visible()
    block.get_by_role("button", name="Add Sourdough Loaf").click()
    expect(block.get_by_text("Added to your order")).to_be_visible()
    expect(lines.get_by_text("Ground Coffee", exact=True)).to_be_visible()
    expect(lines.get_by_text("Sourdough Loaf", exact=True)).to_have_count(0)


@pytest.mark.parametrize("host", ["sandbox", "page"])
def test_on_the_page_after_the_order_an_offer_leads_to_a_new_cart(
    page: Page, world: CheckoutWorld, host: str
) -> None:
    world.app.body = answer(product_offer(world, 102))
    frame = world.open(page, THANK_YOU, host=host)
    address = frame.get_by_role("link", name="Buy Sourdough Loaf").get_attribute("href")
    assert (address or "").startswith(f"https://{world.shop.domain}/cart/102:1?properties=")
