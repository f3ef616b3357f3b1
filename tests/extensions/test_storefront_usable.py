"""The theme extension in a storefront: used with the keyboard, a finger and on a narrow phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from app.campaigns.templates import TEMPLATES
from tests.devstore.browser_world import ROOT, until
from tests.extensions.checkout_world import answer, coupon_offer, message_offer, progress_offer
from tests.extensions.storefront_world import (
    DIALOG,
    SHELF,
    StorefrontWorld,
    offer_of,
    title_and_end,
    with_two_offers,
)

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# What of the cards stands over a button or beside its card, or makes the dialog or the page scroll sideways.
MISPLACED = """() => {
  const box = (each) => each.getBoundingClientRect();
  const wide = [document.querySelector('dialog'), document.scrollingElement]
    .filter((each) => each.scrollWidth > each.clientWidth)
    .map((each) => each.localName);
  return wide.concat([...document.querySelectorAll('.tillwise-card')].flatMap((card) => {
    const presses = [...card.querySelectorAll('.tillwise-presses > *')];
    const {left, right} = box(card);
    const beside = presses.filter((each) => box(each).left < left || box(each).right > right);
    const top = Math.min(...presses.map((each) => box(each).top));
    const words = [...card.querySelectorAll('.tillwise-words > *')];
    const over = words.filter((each) => box(each).bottom > top + 1);
    return [...beside, ...over].map((each) => each.textContent);
  }));
}"""

# The lines of a title that can be seen, as if there were none behind them.
UNCUT = """(title) => {
  title.style.blockSize = `${title.clientHeight}px`;
  title.style.webkitLineClamp = 'none';
}"""


@pytest.fixture
def world(module_storefront: StorefrontWorld) -> StorefrontWorld:
    return with_two_offers(module_storefront)


def test_what_is_refused_goes_and_the_keyboard_stays_in_place(world: StorefrontWorld, page: Page) -> None:
    world.open(page)
    shelf = page.locator(SHELF)
    no = shelf.get_by_role("button", name="Not for me: Sourdough Loaf")
    no.focus()
    page.keyboard.press("Enter")
    expect(shelf.get_by_text("Sourdough Loaf")).to_have_count(0)
    expect(shelf.get_by_role("heading")).to_be_focused()
    until(lambda: page.wait_for_timeout(50) or world.app.told("offer_dismissed"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Add to cart: Ground Coffee")).to_be_focused()


def test_who_refuses_the_last_offer_stays_in_its_place_until_they_go_on(
    world: StorefrontWorld, page: Page
) -> None:
    world.open(page)
    shelf = page.locator(SHELF)
    for name in ("Sourdough Loaf", "Ground Coffee"):
        shelf.get_by_role("button", name=f"Not for me: {name}").focus()
        page.keyboard.press("Enter")
        expect(shelf.get_by_text(name)).to_have_count(0)
    heading = shelf.locator("h2")
    expect(heading).to_be_focused()
    expect(heading).to_be_visible()
    page.keyboard.press("Tab")
    expect(heading).to_be_hidden()


def test_who_refuses_the_last_offer_of_the_dialog_is_back_where_they_were(
    world: StorefrontWorld, page: Page
) -> None:
    world.app.parting = answer(coupon_offer())
    world.open(page)
    before = page.get_by_role("button", name="The picture, closer")
    before.focus()
    world.leave(page)
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Not for me").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(before).to_be_focused()


def test_the_dialog_is_walked_and_left_with_the_keyboard(world: StorefrontWorld, page: Page) -> None:
    world.app.parting = answer(coupon_offer())
    world.open(page)
    before = page.get_by_role("button", name="The picture, closer")
    before.focus()
    world.leave(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_be_focused()
    for name in (
        "Close",
        "Apply the code TENTH",
        "Not for me: Save 10% on your order",
        "Don’t show this again",
    ):
        page.keyboard.press("Tab")
        expect(dialog.locator(":focus")).to_have_accessible_name(name)
    page.keyboard.press("Escape")
    expect(before).to_be_focused()


def test_nobody_who_types_is_interrupted(world: StorefrontWorld, page: Page) -> None:
    world.open(page)
    page.get_by_label("Search products").focus()
    world.leave(page)
    page.wait_for_timeout(300)
    expect(page.locator(DIALOG)).to_be_hidden()


def test_with_a_finger_a_fast_way_back_up_is_leaving(world: StorefrontWorld, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 500}, has_touch=True, is_mobile=True)
    page = context.new_page()
    world.open(page)
    expect(page.locator(SHELF).get_by_text("Ground Coffee")).to_be_visible()
    page.evaluate("document.body.style.minHeight = '4000px'")
    for y in (600, 1200, 100):
        page.evaluate(f"scrollTo(0, {y})")
        page.wait_for_timeout(100)
    expect(page.locator(DIALOG)).to_be_visible()
    until(lambda: page.wait_for_timeout(50) or world.app.told("exit_intent"))
    assert world.app.told("exit_intent") == [{}]
    context.close()


def test_what_is_said_is_read_to_its_end_on_the_narrowest_phone(world: StorefrontWorld, page: Page) -> None:
    welcome, almost = (
        {"key": "own", "args": {}, "text": TEMPLATES[name].campaign.offer.messages["de"]}
        for name in ("cold-introduced", "almost-there")
    )
    bar = progress_offer("0.00", "50.00") | {"message": almost}
    thanks = (
        "Danke, dass Sie wieder da sind: 10 % auf alles in Ihrem Korb, auch auf Reduziertes, bis Sonntag."
    )
    own = {"key": "own", "args": {}, "text": thanks}
    shirt = offer_of(world, 102)
    shirt["product"] |= {"variant": "Extra large / Midnight blue"}
    world.app.body = answer(message_offer(message=welcome), bar, coupon_offer() | {"message": own})
    world.app.parting = answer(shirt, decision_id="d2")
    page.set_viewport_size({"width": 320, "height": 800})
    world.open(page, locale="de")
    expect(page.locator(f"{SHELF} .tillwise-title")).to_have_count(3)
    world.leave(page)
    expect(page.locator(f"{DIALOG} .tillwise-price")).to_have_text(
        "4,25 $ · \u2068Extra large / Midnight blue\u2069"
    )
    words = page.locator(".tillwise-words > p")
    is_cut = "(each) => each.scrollHeight - each.clientHeight > 10"  # half a line
    assert words.evaluate_all(f"(words) => words.filter({is_cut}).map((each) => each.textContent)") == []
    page.add_style_tag(content="html { font-size: 200% } body { font-size: 1rem }")
    assert page.evaluate(MISPLACED) == []  # type of twice the size takes more room, and no other's


def test_a_long_title_without_a_picture_leaves_its_button_free_on_the_narrowest_phone(
    world: StorefrontWorld, page: Page
) -> None:
    loaf = offer_of(world, 102) | {"why": [{"reason": "goes_with_history", "weight": 1.0}]}
    loaf["product"] |= {
        "image": None,
        "title": "Loaf of bread " * 10,
        "variant": "Extra large / Midnight blue / Recycled cotton",
    }
    world.app.body = answer(loaf)
    page.set_viewport_size({"width": 320, "height": 800})
    world.open(page)
    button = page.locator(f"{SHELF} .tillwise-press").bounding_box()
    two_lines, end = title_and_end(page)
    assert button
    assert end <= button["y"]
    page.locator(f"{SHELF} .tillwise-price").evaluate("(price) => price.remove()")  # as of a company
    assert title_and_end(page) == pytest.approx((2 * two_lines, end), abs=1)


@pytest.mark.parametrize(
    ("locale", "title"),
    [("ar", "Kitchen towels for the whole family " * 4), ("en", "مناشف مطبخ ناعمة لجميع أفراد العائلة " * 4)],
)
def test_a_title_that_runs_against_the_page_shows_where_it_is_cut(
    world: StorefrontWorld, page: Page, locale: str, title: str
) -> None:
    loaf = offer_of(world, 102)
    loaf["product"] |= {"title": title}
    world.app.body = answer(loaf)
    page.set_viewport_size({"width": 320, "height": 800})
    page.route("**/images/*", lambda route: route.abort())
    world.open(page, locale=locale)
    words = page.locator(f"{SHELF} .tillwise-title")
    expect(words).to_be_visible()
    cut = words.screenshot()
    words.evaluate(UNCUT)
    assert words.screenshot() != cut  # the same two lines, but for their end
    page.add_style_tag(content=".tillwise-shelf { margin-inline: -16px }")  # from edge to edge
    assert page.locator(f"{SHELF} .tillwise-card").evaluate("(card) => card.offsetWidth") == 320
    assert page.evaluate(MISPLACED) == []


@pytest.mark.parametrize(
    ("locale", "scheme", "leaving"),
    [("en", "light", "Before you go"), ("de", "dark", "Bevor Sie gehen"), ("ar", "dark", "قبل أن تغادر")],
)
def test_axe_finds_nothing_in_the_block_or_the_dialog(
    world: StorefrontWorld, page: Page, locale: str, scheme: str, leaving: str
) -> None:
    text = "Nur heute: {count} Prozent"
    words = {"key": "own", "args": {"count": 5}, "text": text}
    world.app.body = answer(progress_offer("0.00", "50.00"), coupon_offer(), message_offer(message=words))
    world.open(page, locale=locale, scheme=scheme)
    expect(page.locator(SHELF).get_by_text("Nur heute")).to_be_visible()
    world.leave(page)
    expect(page.get_by_role("dialog", name=leaving)).to_be_visible()
    page.wait_for_timeout(300)  # the dialog has come to rest
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({include: [['.tillwise']]}, {resultTypes: ['violations']})")
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
