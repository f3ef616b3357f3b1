"""A shopper in a real browser: shops in the dev store, and hears what the app answers and sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, FrameLocator, Page, Request, Response

from tests.devstore.browser_world import until
from tests.journeys.small_stage import SmallStage

OFFERS = "[data-extension-target] iframe"
BUSY = ("redis", "log", "timeout")  # a store did not answer within its milliseconds
TRIES = 6  # one shopper in twenty is held out, and sees nothing


@dataclass(slots=True)
class Shopper:
    """One visitor with a browser of their own, and what went between that and the app."""

    stage: SmallStage
    page: Page
    questions: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def offers(self) -> FrameLocator:
        return self.page.frame_locator(OFFERS).first

    @property
    def client_id(self) -> str:
        return self.cookies["_shopify_y"]

    @property
    def checkout_token(self) -> str:
        return self.page.url.split("/checkout/")[1].split("?")[0]

    @property
    def viewed(self) -> list[str]:
        """Return the products whose pages the pixel told the app of."""
        return [event["data"]["product_id"] for event in self.events if event["name"] == "product_viewed"]

    @property
    def cookies(self) -> dict[str, str]:
        return {each["name"]: each["value"] for each in self.page.context.cookies()}

    def browse(self, *product_ids: int, **visitor: str) -> None:
        """Look at the products and put the last one into the cart. visitor: as the dev store reads it."""
        self.page.goto(f"{self.stage.store_url}/storefront?{urlencode(visitor)}")
        followed = visitor.get("consent") in ("all", "analytics")
        for product_id in product_ids:
            self.page.goto(f"{self.stage.store_url}/products/{self.stage.shop.products[product_id].handle}")
            if followed:  # who leaves a page within the second has hardly looked at it
                self.wait_until(lambda product_id=product_id: str(product_id) in self.viewed)
        self.add_to_cart(followed=followed)

    def add_to_cart(self, *, followed: bool) -> None:
        """Put the product into the cart, and stay until the pixel has told of it, where it may."""
        self.page.get_by_role("button", name="Add to cart", exact=True).click()
        self.page.locator("[data-cart-count]").get_by_text("1").wait_for()
        if followed:
            self.wait_until(lambda: any(event["name"] == "product_added_to_cart" for event in self.events))

    def check_out(self, **visitor: str) -> dict[str, Any]:
        """Go to the checkout; return the answer to the extension's first question there.

        visitor: as the dev store reads it.
        """
        self.page.goto(f"{self.stage.store_url}/cart?{urlencode(visitor)}")
        asked = len(self.answers)
        self.page.get_by_role("button", name="Check out").click()
        self.page.wait_for_url("**/checkout/*")
        return self.next_answer(asked)

    def next_answer(self, asked: int) -> dict[str, Any]:
        """Return the answer after the first `asked`; while the app is too busy, the page is loaded anew."""
        for _ in range(TRIES):
            self.wait_until(lambda asked=asked: len(self.answers) > asked)
            if self.answers[asked]["fallback"] not in BUSY:
                return self.answers[asked]
            asked = len(self.answers)
            self.page.reload()
        raise AssertionError(f"the app was too busy {TRIES} times in a row")

    def decline(self) -> None:
        """Take all consent back, in the shop's own banner."""
        self.page.get_by_role("button", name="Privacy choices").click()
        self.page.get_by_role("button", name="Decline").click()

    def wait_until(self, true: Any) -> None:
        """Wait for it to become true, with the browser's own events coming in meanwhile."""
        until(lambda: self.page.wait_for_timeout(50) or true())

    def heard(self, response: Response) -> None:
        if not response.url.endswith("/api/personalize") or response.request.method != "POST":
            return
        question = json.loads(response.request.post_data or "{}")
        if question.get("wants") != "message":  # that is of a page that was stayed at
            self.answers.append(response.json())

    def said(self, request: Request) -> None:
        if request.method != "POST" or not request.url.startswith(self.stage.app_url):
            return
        body = json.loads(request.post_data or "{}")
        if request.url.endswith("/api/personalize"):
            self.questions.append(body)
        elif request.url.endswith("/api/track_event"):
            self.events += body["events"]


@contextmanager
def shopper(stage: SmallStage, browser: Browser) -> Iterator[Shopper]:
    """Yield somebody new."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    made = Shopper(stage, page)
    page.on("response", lambda response: made.heard(response))
    page.on("request", lambda request: made.said(request))
    try:
        yield made
    finally:
        context.close()


@contextmanager
def at_checkout(
    stage: SmallStage,
    browser: Browser,
    *product_ids: int,
    customers: list[int] | None = None,
    arm: str = "personalised",
    **visitor: str,
) -> Iterator[tuple[Shopper, dict[str, Any]]]:
    """Yield a shopper who is in the arm, and the answer. customers: to log in as, in turn."""
    for turn in range(TRIES):
        login = {"customer": str(customers[turn])} if customers else {}
        with shopper(stage, browser) as made:
            made.browse(*product_ids, **visitor, **login)
            answer = made.check_out()
            if answer["arm"] == arm:
                yield made, answer
                return
    raise AssertionError(f"{TRIES} shoppers in a row were in another arm")
