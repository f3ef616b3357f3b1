"""The theme extension in a storefront: what a shopper meets, and what is told of them, in Chromium."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from devstore.records import Measure
from tests.devstore.browser_world import until
from tests.extensions.checkout_world import answer, coupon_offer, progress_offer
from tests.extensions.storefront_world import (
    DIALOG,
    DONE_AT_FIRST,
    LONG_S,
    SHELF,
    SHIFTS,
    StorefrontWorld,
    offer_of,
    title_and_end,
    with_two_offers,
)

LEFT_OF = """(element, text) => {
  const [words] = element.childNodes, at = words.data.indexOf(text), range = document.createRange();
  range.setStart(words, at);
  range.setEnd(words, at + text.length);
  return range.getBoundingClientRect().left;
}"""


@pytest.fixture
def world(module_storefront: StorefrontWorld) -> StorefrontWorld:
    return with_two_offers(module_storefront)


def test_the_block_paints_what_is_offered_where_room_was_kept_and_nothing_moves(
    world: StorefrontWorld, page: Page
) -> None:
    page.add_init_script(SHIFTS)
    world.app.delay_s = 0.5  # so that the page stands before the offers come
    world.open(page)
    shelf = page.locator(SHELF)
    height = shelf.bounding_box()
    expect(shelf.get_by_text("Sourdough Loaf")).to_be_visible()
    assert shelf.bounding_box() == height
    shelf.scroll_into_view_if_needed()
    until(lambda: page.wait_for_timeout(50) or len(world.app.told("offer_shown")) == 2)
    assert page.evaluate("window.shifts") == []
    assert {each["surface"] for each in world.app.told("offer_shown")} == {"storefront"}


def test_an_added_offer_carries_its_decision_into_the_order(world: StorefrontWorld, page: Page) -> None:
    world.open(page)
    page.get_by_role("button", name="Add to cart: Sourdough Loaf").click()
    expect(page.locator(SHELF).get_by_role("link", name="View cart")).to_be_focused()
    expect(page.locator("[data-cart-count]")).to_have_text("1")
    assert page.evaluate(DONE_AT_FIRST) == ["none", "auto"]
    (cart,) = world.shop.carts.values()
    assert dict(cart.lines[0].attributes) == {"_tillwise_decision": "d1", "_tillwise_offer": "o102"}
    until(lambda: page.wait_for_timeout(50) or world.app.told("offer_accepted"))
    page.goto(f"{world.url}/cart")
    page.get_by_role("button", name="Check out").click()
    page.wait_for_url("**/checkout/*")
    (checkout,) = world.shop.checkouts.values()
    assert dict(checkout.lines[0].attributes)["_tillwise_decision"] == "d1"
    world.shop.checkouts.clear()


def test_what_a_measure_costs_leaves_the_price_whole_from_right_to_left(
    world: StorefrontWorld, page: Page
) -> None:
    world.shop.variants[102].measure = Measure(1, "KG", 1)
    world.open(page, locale="ar")
    price = page.locator(f"{SHELF} .tillwise-price").first
    expect(price).to_contain_text("kg")
    amount, currency, bracket = (price.evaluate(LEFT_OF, text) for text in ("4.25", "US$", "("))
    assert bracket < currency < amount


def test_what_can_not_be_added_says_so_and_can_be_tried_again(world: StorefrontWorld, page: Page) -> None:
    world.open(page)
    add = page.get_by_role("button", name="Add to cart: Sourdough Loaf")
    expect(add).to_be_visible()
    world.shop.variants[102].inventory = 0
    add.click()
    again = page.get_by_role("button", name="Try again to add Sourdough Loaf")
    expect(again).to_be_visible()
    expect(page.locator(SHELF).locator("p", has_text="Just sold out").first).to_be_visible()
    page.set_viewport_size({"width": 320, "height": 800})
    why = page.locator(f"{SHELF} .tillwise-why").first
    why.evaluate(
        "(why) => { why.textContent = 'Das Produkt „Sauerteigbrot mit Kümmel“ ist bereits ausverkauft.'; }"
    )
    assert why.evaluate("(why) => why.scrollHeight - why.clientHeight") < 10  # half a line
    button = again.bounding_box()
    assert button
    assert title_and_end(page)[1] <= button["y"]
    world.shop.variants[102].inventory = 5
    again.click()
    expect(page.locator(SHELF).get_by_role("link", name="View cart")).to_be_visible()
    until(lambda: page.wait_for_timeout(50) or world.app.told("offer_accepted"))
    assert len(world.app.told("offer_failed")) == 1


def test_who_leaves_is_offered_something_once_in_a_visit(world: StorefrontWorld, page: Page) -> None:
    world.app.parting = answer(coupon_offer(), decision_id="d2")
    world.open(page)
    expect(page.locator(SHELF).get_by_text("Ground Coffee")).to_be_visible()
    world.leave(page)
    dialog = page.get_by_role("dialog", name="Before you go")
    expect(dialog.get_by_text("Save 10% on your order")).to_be_visible()
    expect(dialog.get_by_role("heading")).to_be_focused()
    assert world.app.asked[-1]["trigger_type"] == "exit_intent"
    until(lambda: page.wait_for_timeout(50) or world.app.told("exit_intent"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    world.open(page, "/products/ground-coffee")
    expect(page.locator(SHELF).get_by_text("Sourdough Loaf")).to_be_visible()
    asked = len(world.app.asked)
    world.leave(page)
    page.wait_for_timeout(300)
    assert len(world.app.asked) == asked
    expect(page.locator(DIALOG)).to_be_hidden()
    assert world.app.told("exit_intent") == [{}]


def test_the_code_is_a_link_that_applies_it_and_leads_to_the_cart(world: StorefrontWorld, page: Page) -> None:
    world.app.parting = answer(coupon_offer())
    world.open(page)
    page.get_by_role("button", name="Add to cart", exact=True).first.click()
    page.locator("[data-cart-count]").get_by_text("1").wait_for()
    world.leave(page)
    page.get_by_role("link", name="Apply the code TENTH").click()
    page.wait_for_url("**/cart")
    page.get_by_role("button", name="Check out").click()
    page.wait_for_url("**/checkout/*")
    (checkout,) = world.shop.checkouts.values()
    assert checkout.codes == ["TENTH"]
    world.shop.checkouts.clear()


def test_a_discount_without_a_code_and_who_the_guest_is_go_along_into_the_checkout(
    world: StorefrontWorld, page: Page
) -> None:
    world.app.body = answer(coupon_offer(None, grant="1.t.2026112507.p1.n.s"), offer_of(world, 102))
    world.open(page)
    expect(page.locator(SHELF).get_by_text("Taken off by itself")).to_be_visible()
    with page.expect_response("**/cart/update.js"):  # the cart is told its browser
        page.get_by_role("button", name="Add to cart: Sourdough Loaf").click()
    page.locator("[data-cart-count]").get_by_text("1").wait_for()
    page.goto(f"{world.url}/cart")
    page.get_by_role("button", name="Check out").click()
    page.wait_for_url("**/checkout/*")
    (checkout,) = world.shop.checkouts.values()
    assert checkout.attributes == {
        "_tillwise_grant": "1.t.2026112507.p1.n.s",
        "_tillwise_browser": world.app.asked[0]["client_id"],
    }
    world.shop.checkouts.clear()


def test_a_discount_without_a_code_is_not_promised_where_the_cart_does_not_take_it(
    world: StorefrontWorld, page: Page
) -> None:
    world.app.body = answer(coupon_offer(None, grant="1.t.2026112507.p1.n.s"), offer_of(world, 102))
    page.route("**/cart/update.js", lambda route: route.abort())
    world.open(page)
    expect(page.locator(SHELF).get_by_text("Sourdough Loaf")).to_be_visible()
    expect(page.locator(SHELF).get_by_text("Taken off by itself")).to_have_count(0)


def test_a_bar_follows_what_is_added_beside_it(world: StorefrontWorld, page: Page) -> None:
    world.app.body = answer(offer_of(world, 102), progress_offer("0.00", "50.00"))
    world.open(page)
    shelf = page.locator(SHELF)
    expect(shelf.get_by_text("Add $50.00 more for free shipping.")).to_be_visible()
    shelf.get_by_role("button", name="Add to cart: Sourdough Loaf").click()
    expect(shelf.get_by_text("Add $45.75 more for free shipping.")).to_be_visible()
    bar = shelf.get_by_role("progressbar", name="How far your order is")
    assert bar.evaluate("(bar) => bar.value") == 4.25


def test_a_title_leads_to_the_page_of_its_product(world: StorefrontWorld, page: Page) -> None:
    offer = offer_of(world, 102)
    offer["product"]["handle"] = world.shop.products[2].handle
    world.app.body = answer(offer)
    world.open(page)
    page.locator(SHELF).get_by_role("link", name="Sourdough Loaf").click()
    page.wait_for_url("**/products/sourdough-loaf*")


def test_the_app_is_asked_where_the_merchant_moved_its_proxy(world: StorefrontWorld, page: Page) -> None:
    with page.expect_request("**/a/suggestions/offers?*"):
        world.open(page, proxy="/a/suggestions")
    expect(page.locator(SHELF)).to_have_attribute("data-tillwise-shelf", "empty")


def test_who_wants_no_more_of_it_is_never_stopped_again(world: StorefrontWorld, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    world.open(page)
    expect(page.locator(SHELF).get_by_text("Ground Coffee")).to_be_visible()
    world.leave(page)
    page.get_by_role("button", name="Don’t show this again").click()
    expect(page.locator(DIALOG)).to_be_hidden()
    another_visit = context.new_page()
    world.open(another_visit)
    expect(another_visit.locator(SHELF).get_by_text("Ground Coffee")).to_be_visible()
    world.leave(another_visit)
    another_visit.wait_for_timeout(300)
    expect(another_visit.locator(DIALOG)).to_be_hidden()
    assert [asked["trigger_type"] for asked in world.app.asked].count("exit_intent") == 1
    context.close()


@pytest.mark.parametrize(
    ("country", "loaf", "coffee"),
    [
        ("CA", "CA$5.95", "CA$12.59"),  # 4.25 x 1.4, 8.99 x 1.4
        ("EC", "$4.59", None),  # 4.25 x 1.08; coffee is not sold there
    ],
)
def test_offers_are_at_the_prices_of_the_visitors_market(
    world: StorefrontWorld, page: Page, country: str, loaf: str, coffee: str | None
) -> None:
    world.open(page, country=country)
    shelf = page.locator(SHELF)
    expect(shelf.locator(".tillwise-card", has_text="Sourdough Loaf")).to_contain_text(loaf)
    expect(shelf.get_by_text("Ground Coffee")).to_have_count(1 if coffee else 0)
    if coffee:
        expect(shelf.locator(".tillwise-card", has_text="Ground Coffee")).to_contain_text(coffee)


def test_a_refusal_is_told_nobody_and_leaves_nothing_behind(world: StorefrontWorld, page: Page) -> None:
    began = datetime.now(UTC).isoformat()
    world.open(page, consent="none", country="DE")
    expect(page.locator(SHELF).get_by_text("Ground Coffee")).to_be_visible()
    page.locator(SHELF).scroll_into_view_if_needed()
    page.get_by_role("button", name="The picture, closer").click()
    page.evaluate("window.published = []; Shopify.analytics.publish = (name) => published.push(name); 0")
    page.get_by_role("button", name="Add to cart: Sourdough Loaf").click()
    world.leave(page)
    expect(page.locator(DIALOG)).to_be_visible()
    assert page.evaluate("window.published") == []
    assert page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]") == []
    assert all("client_id" not in asked for asked in world.app.asked)
    assert world.app.asked[0]["consent"] == {
        "analytics": False,
        "marketing": False,
        "preferences": False,
        "sale_of_data": False,
    }
    assert world.app.asked[0]["region"] == {"country": "DE"}
    # The page of the test before this one may tell only now that it was left.
    assert [each for each in world.app.events if each["timestamp"] > began] == []


def test_a_withdrawal_takes_the_personal_offers_at_once(world: StorefrontWorld, page: Page) -> None:
    world.open(page)
    shelf = page.locator(SHELF)
    expect(shelf.get_by_text("Sourdough Loaf")).to_be_visible()
    assert world.app.asked[0]["client_id"]
    world.shop.variants[104].inventory = 1
    world.app.body = answer(offer_of(world, 104), decision_id="d2")
    world.app.delay_s = 1.0
    page.get_by_role("button", name="Privacy choices").click()
    page.get_by_role("button", name="Decline").click()
    assert shelf.locator(".tillwise-card").count() == 0  # before anything is answered
    expect(shelf.get_by_text("Mint Ice Cream")).to_be_visible()
    assert "client_id" not in world.app.asked[-1]


def test_pictures_and_the_end_of_a_page_are_told_of(world: StorefrontWorld, page: Page) -> None:
    world.open(page)
    expect(page.locator("html")).to_have_attribute("data-pixel", "started")
    page.get_by_role("button", name="The picture, closer").click()
    until(lambda: page.wait_for_timeout(50) or world.app.told("thumbnail_clicked"))
    assert world.app.told("thumbnail_clicked") == [{"product_id": "1"}]
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    until(lambda: page.wait_for_timeout(50) or world.app.told("page_left"))
    assert world.app.told("page_left") == [{}]


@pytest.mark.parametrize("failing", ["down", "slow", "garbage"])
def test_without_an_answer_the_page_is_as_it_was(world: StorefrontWorld, page: Page, failing: str) -> None:
    page.add_init_script(SHIFTS)
    world.app.status = 500 if failing == "down" else 200
    world.app.delay_s = LONG_S if failing == "slow" else 0
    world.app.body = "<p>no" if failing == "garbage" else world.app.body
    errors: list[Any] = []
    page.on("pageerror", lambda error: errors.append(error))
    world.open(page)
    expect(page.locator(SHELF)).to_have_attribute("data-tillwise-shelf", "empty")
    expect(page.locator(SHELF)).to_be_hidden()
    world.leave(page)
    page.wait_for_timeout(100)
    expect(page.locator(DIALOG)).to_be_hidden()
    assert page.evaluate("window.shifts") == []
    page.get_by_role("button", name="Add to cart", exact=True).first.click()
    expect(page.locator("[data-cart-count]")).to_have_text("1")
    expect(page.locator(DIALOG)).to_be_hidden()
    assert errors == []


def test_the_theme_editor_shows_samples_and_asks_nobody(world: StorefrontWorld, page: Page) -> None:
    world.open(page, editor="1")
    expect(page.get_by_text("Sample product").first).to_be_visible()
    page.wait_for_timeout(300)
    assert world.app.asked == []
