"""The journey, as a merchant and a shopper walk it, headless in Chromium; each step fails loudly."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, FrameLocator, Locator, Page, Response, sync_playwright
from rich.console import Console

from devstore.demo.stage import APP, BASKET, DEV_STORE, SHOP, StageFailed

_PATIENCE_MS = 60_000  # on a busy machine too
_FLAGS = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # Playwright's scale does not reach a sandboxed frame in a process of its own: its text is blurred.
    "--disable-features=IsolateSandboxedIframes",
]  # fmt: skip
_OFFERS = "[data-extension-target] iframe"
_SHOPPERS = 5  # one in twenty is held out, and sees nothing


@dataclass(slots=True)
class Walk:
    """A walk through the demo. Steps print as they are done; pictures land in `pictures`."""

    page: Page
    pictures: Path
    console: Console
    decisions: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Do one step; whatever goes wrong in it is told with its name and a picture."""
        try:
            yield
        except (Error, AssertionError, StageFailed) as error:
            self.picture("failed")
            raise StageFailed(f"{name}: {error}\n" + "\n".join(self.problems)) from error
        self.console.print(f"[green]✓[/] {name}")

    def picture(self, name: str) -> None:
        """Keep what the screen shows."""
        self.page.screenshot(path=self.pictures / f"{name}.png")

    def heard(self, response: Response) -> None:
        """Remember what the app answered to the checkout."""
        if response.url == f"{APP}/api/personalize" and response.request.method == "POST":
            self.decisions.append(response.json())


@contextmanager
def walking(pictures: Path, console: Console) -> Iterator[Walk]:
    """Yield a walk in a fresh browser."""
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=_FLAGS)
        try:
            yield _fresh(browser, pictures, console)
        finally:
            browser.close()


def chromium() -> str:
    """Return the browser that the set-up found."""
    found = Path(".venv/chromium")
    path = found.read_text().strip() if found.exists() else shutil.which("chromium")
    if not path:
        raise StageFailed("no Chromium: run `make setup`, which finds or installs one")
    return path


def merchant_installs(walk: Walk) -> None:
    """Open the app in the admin for the first time: that installs it."""
    with walk.step("The merchant opens Tillwise in the admin: installed"):
        _open_admin(walk).locator("h1, s-page").first.wait_for()


def shopper_buys(walk: Walk) -> None:
    """Browse, go to checkout, accept the offer that is shown there, and pay."""
    for _ in range(_SHOPPERS):
        decision = _reach_checkout(walk)
        if decision["arm"] == "personalised":
            break
        walk.console.print(f"  this shopper is in the arm {decision['arm']!r}; taking another")
        walk.page.context.clear_cookies()
    offers = walk.page.frame_locator(_OFFERS).first
    with walk.step("The checkout shows an offer, with its reason"):
        button = offers.get_by_role("button", name="to your order").first
        button.wait_for()
        walk.page.wait_for_timeout(300)  # the picture of the product paints
        walk.picture("checkout")
    with walk.step("The shopper accepts, and the order grows"):
        _accept(walk, button, offers)
    with walk.step("The shopper pays: thank you"):
        walk.page.get_by_label("E-mail").fill("shopper@example.com")
        walk.page.locator("[data-pay]").click()
        walk.page.wait_for_url("**/thank-you*")
        walk.page.wait_for_timeout(1_500)  # its own offers, and the pixel's last batch
        walk.picture("thank-you")


def merchant_sees_revenue(walk: Walk) -> str:
    """Return the revenue the admin attributes, once the order's webhook has been worked off."""
    with walk.step("The order's webhook arrives; the admin attributes the revenue"):
        deadline = time.monotonic() + _PATIENCE_MS / 1_000
        while not _is_money(earned := _revenue(walk)):
            if time.monotonic() > deadline:
                raise StageFailed(f"nothing was attributed to the offer; the admin says {earned!r}")
            walk.page.wait_for_timeout(500)
        walk.picture("admin")
    return earned


def _revenue(walk: Walk) -> str:
    figure = _open_admin(walk).locator("[data-figure='attributed-revenue']")
    figure.wait_for()
    return figure.inner_text().strip()


def _is_money(text: str) -> bool:
    return any(digit in text for digit in "123456789")


def _fresh(browser: Browser, pictures: Path, console: Console) -> Walk:
    page = browser.new_page(viewport={"width": 1280, "height": 860}, device_scale_factor=2)
    page.set_default_timeout(_PATIENCE_MS)
    walk = Walk(page, pictures, console)
    page.on("response", lambda response: walk.heard(response))
    page.on("pageerror", lambda error: walk.problems.append(f"page error: {error}"))
    page.on("console", lambda m: walk.problems.append(f"console: {m.text}") if m.type == "error" else None)
    return walk


def _reach_checkout(walk: Walk) -> dict[str, Any]:
    page = walk.page
    with walk.step("A shopper allows what the shop asks, and browses"):
        page.goto(f"{DEV_STORE}/storefront")
        page.get_by_role("button", name="Accept all").click()
        walk.picture("storefront")
        for title in BASKET:
            page.get_by_role("searchbox", name="Search products").fill(title)
            page.get_by_role("button", name="Search", exact=True).click()
            page.get_by_role("heading", name=title, exact=True).click()
            page.get_by_role("button", name="Add to cart", exact=True).click()
            page.wait_for_timeout(400)
    with walk.step("The cart goes to checkout, and the extension asks for offers"):
        page.goto(f"{DEV_STORE}/cart")
        asked = len(walk.decisions)
        page.get_by_role("button", name="Check out").click()
        page.wait_for_url("**/checkout/*")
        _until(walk, lambda: len(walk.decisions) > asked, "the extension did not get an answer")
    return walk.decisions[-1]


def _accept(walk: Walk, button: Locator, offers: FrameLocator) -> None:
    before = walk.page.locator(".sums dd.total").last.inner_text()
    button.click()
    offers.get_by_text("Added to your order").first.wait_for()
    walk.page.wait_for_timeout(400)
    walk.picture("accepted")
    after = walk.page.locator(".sums dd.total").last.inner_text()
    if after == before:
        raise StageFailed(f"the total is still {before}")


def _open_admin(walk: Walk) -> FrameLocator:
    walk.page.goto(f"{DEV_STORE}/admin?shop={SHOP}")
    return walk.page.frame_locator("iframe[data-app]")


def _until(walk: Walk, true: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _PATIENCE_MS / 1_000
    while not true():
        if time.monotonic() > deadline:
            raise StageFailed(otherwise)
        walk.page.wait_for_timeout(50)
