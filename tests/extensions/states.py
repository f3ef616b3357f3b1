"""Every state of the checkout extension: what the app answers, and what the buyer does to get there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import FrameLocator, Page

from devstore.records import Product, Variant
from tests.devstore.small_shop import NOW
from tests.extensions.checkout_world import (
    BLOCK,
    LINES,
    LONG_S,
    ORDER_STATUS,
    THANK_YOU,
    CheckoutWorld,
    answer,
    coupon_offer,
    message_offer,
    offers_ahead,
    product_offer,
)

# What becomes of the checkout's own line changes from here on.
LINE_CHANGES = """(becomes) => {
  const before = window.fetch;
  window.fetch = (to, ...rest) => String(to).endsWith('/lines') ? eval(becomes) : before(to, ...rest);
}"""
LONG_TITLE = "Donaudampfschifffahrtsgesellschaftskapitänsmützen-Reinigungskonzentrat"
WORDS = {"one": "Only {count} left of {name}", "other": "{count} pieces of {name} left, from {price}"}
WORDS_ARGS = {"count": 3, "name": "Whole Milk", "price": {"amount": "3.49", "currency": "USD"}}

Prepare = Callable[[CheckoutWorld], None]
Do = Callable[[Page, FrameLocator], None]


@dataclass(frozen=True, slots=True)
class State:
    """says: keys of locales/ that are then said, or plain words. do: what the buyer does."""

    name: str
    says: tuple[str, ...]
    prepare: Prepare
    do: Do = lambda _page, _frame: None
    target: str = BLOCK
    query: Mapping[str, str] = field(default_factory=dict)


def _answers(*make: Callable[[CheckoutWorld], dict[str, Any]]) -> Prepare:
    def prepare(world: CheckoutWorld) -> None:
        world.app.body = answer(*(each(world) for each in make))

    return prepare


def _product(variant_id: int, **changed: Any) -> Callable[[CheckoutWorld], dict[str, Any]]:
    return lambda world: product_offer(world, variant_id, **changed)


def _stays(later: dict[str, Any], *make: Callable[[CheckoutWorld], dict[str, Any]]) -> Prepare:
    """The app has something to say to who stays."""

    def prepare(world: CheckoutWorld) -> None:
        world.app.body = answer(*(each(world) for each in make)) | {"again_s": 0.1}
        world.app.later = answer(later, decision_id="d2")

    return prepare


def _is(offer: dict[str, Any]) -> Callable[[CheckoutWorld], dict[str, Any]]:
    return lambda _world: offer


def _hangs(world: CheckoutWorld) -> None:
    world.app.delay_s = LONG_S


def _ahead(world: CheckoutWorld) -> None:
    offers_ahead(world, 103)
    _hangs(world)


def _long_words(world: CheckoutWorld) -> None:
    product = Product(9, LONG_TITLE, "long", "Corner's own", "Cleaner", [], NOW, NOW)
    product.variants.append(Variant(109, 9, "Default Title", 123_456_789, 5, 909))
    world.shop.add_product(product)
    offer = product_offer(world, 109)
    offer["product"]["variant"] = "Reinigungskonzentrat, 5 l"
    world.app.body = answer(offer)


def _press(page: Page, frame: FrameLocator) -> None:
    """Press the first button of the offers."""
    frame.get_by_role("button").first.click()


def _held(page: Page, frame: FrameLocator) -> None:
    page.evaluate(LINE_CHANGES, "new Promise(() => undefined)")
    _press(page, frame)


def _cut_off(page: Page, frame: FrameLocator) -> None:
    page.evaluate(LINE_CHANGES, "Promise.reject(new Error('offline'))")
    _press(page, frame)


def _stuck(page: Page, frame: FrameLocator) -> None:
    """Add the first offer, and fail to take it out again."""
    with page.expect_response("**/summary"):
        _press(page, frame)
    frame.locator("[aria-busy]").wait_for(state="detached")
    _cut_off(page, frame)


def _just_sold(page: Page, frame: FrameLocator) -> None:
    sold_out = "{result: {type: 'error', message: 'Sourdough Loaf is sold out.'}}"
    page.evaluate(LINE_CHANGES, f"Promise.resolve(Response.json({sold_out}))")
    _press(page, frame)


def _refuse(_page: Page, frame: FrameLocator) -> None:
    frame.locator("s-link").first.click()


def _soon() -> str:
    return (datetime.now(UTC) + timedelta(minutes=25, seconds=-5)).isoformat()


BREAD, COFFEE = _product(102), _product(103)
TO_GO = {"current": "3.49", "target": "20.00", "currency": "USD"}
SHIPPING = {"key": "progress.free_shipping", "args": {}}

STATES = (
    State("skeleton", ("heading.checkout",), _hangs),
    State("painted ahead", ("Ground Coffee", "reason.popular"), _ahead),
    State("not available", ("Ground Coffee", "status.unavailable"), _ahead, query={"country": "EC"}),
    State("offer", ("Sourdough Loaf", "button.add", "button.dismiss"), _answers(BREAD)),
    State("adding", ("Sourdough Loaf",), _answers(BREAD), _held),
    State("added", ("Sourdough Loaf", "status.added", "button.undo"), _answers(BREAD), _press),
    State("not removed", ("status.stuck", "button.undo"), _answers(BREAD), _stuck),
    State("failed", ("status.failed", "button.retry"), _answers(BREAD), _cut_off),
    State("sold out", ("Sourdough Loaf", "status.sold_out"), _answers(BREAD), _just_sold),
    State("refused", ("Ground Coffee",), _answers(BREAD, COFFEE), _refuse),
    State("long words", ("button.add",), _long_words),
    State("coupon", ("button.apply",), _answers(lambda _: coupon_offer(expires_at=_soon()))),
    State("coupon applied", ("button.remove",), _answers(_is(coupon_offer())), _press),
    State("coupon failed", ("button.retry",), _answers(_is(coupon_offer("NOSUCH"))), _press),
    State("discount without a code", ("coupon.no_code",), _answers(_is(coupon_offer(None)))),
    State(
        "free shipping",
        ("coupon.free_shipping",),
        _answers(_is(coupon_offer(percentage=100, applies_to="shipping"))),
    ),
    State(
        "banner",
        ("message.banner.help",),
        _answers(_is(message_offer(message={"key": "banner.help", "args": {}}))),
    ),
    State(
        "message in the merchant's words",
        ("3",),
        _answers(_is(message_offer("message", message={"key": "own", "args": WORDS_ARGS, "text": WORDS}))),
    ),
    State("progress", (), _answers(_is(message_offer("progress", progress=TO_GO, message=SHIPPING)))),
    State(
        "progress reached",
        ("message.progress.free_shipping_reached",),
        _answers(_is(message_offer("progress", progress=TO_GO | {"target": "3.00"}, message=SHIPPING))),
    ),
    State(
        "several",
        ("Sourdough Loaf", "Ground Coffee"),
        _answers(
            _is(coupon_offer()),
            _is(message_offer("progress", progress=TO_GO, message=SHIPPING, offer_id="p1")),
            BREAD,
            COFFEE,
        ),
        query={"max_offers": "2"},
    ),
    State(
        "stayed",
        ("Sourdough Loaf", "message.banner.help"),
        _stays(message_offer(message={"key": "banner.help", "args": {}}), BREAD, COFFEE),
        query={"max_offers": "2"},
    ),
    State("privacy choice", ("privacy.question",), _answers(), query={"ask_privacy": "1", "consent": ""}),
    State("editor", ("sample.note", "sample.product"), _answers(), query={"editor": "1"}),
    State("order summary", ("Sourdough Loaf", "button.add"), _answers(BREAD), target=LINES),
    State("thank-you page", ("Sourdough Loaf", "button.buy"), _answers(BREAD), target=THANK_YOU),
    State("order status", ("Sourdough Loaf", "button.buy"), _answers(BREAD), target=ORDER_STATUS),
)


def named(name: str) -> State:
    return next(state for state in STATES if state.name == name)
