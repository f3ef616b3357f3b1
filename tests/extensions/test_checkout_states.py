"""Each state of the built extension, in Shopify's sandbox and beside its elements; axe looks at each."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Frame, Page

from tests.devstore.browser_world import ROOT
from tests.extensions.checkout_world import PLACE, CheckoutWorld
from tests.extensions.shown import show
from tests.extensions.states import STATES, State, named

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# A frame is a part of its page, which has the landmarks, the title and the first heading.
PAGES_OWN = ["region", "page-has-heading-one", "landmark-one-main", "document-title"]
LOCALES = ("en", "de", "ar")

pytestmark = pytest.mark.skipif(not AXE.exists(), reason="npm packages are not installed: make setup")


@pytest.mark.parametrize("host", ["sandbox", "page"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_a_state_is_shown_and_axe_finds_nothing_in_it(
    page: Page, world: CheckoutWorld, state: State, host: str
) -> None:
    errors = listen(page)
    show(state, world, page, host=host)
    assert violations(page, state.target) == []
    assert errors == []
    assert failure(page, state.target) is None


@pytest.mark.parametrize("locale", LOCALES[1:])
@pytest.mark.parametrize("name", ["offer", "long words", "coupon", "several", "order status"])
def test_in_other_languages_and_right_to_left_axe_finds_nothing(
    page: Page, world: CheckoutWorld, name: str, locale: str
) -> None:
    state = named(name)
    show(state, world, page, locale=locale)
    frame = frame_of(page, state.target)
    assert frame.evaluate("document.documentElement.dir") == ("rtl" if locale == "ar" else "ltr")
    assert violations(page, state.target) == []


@pytest.mark.parametrize("locale", ["en", "de", "fr", "es", "ja", "ar"])
def test_nothing_is_wider_than_its_frame_in_any_language(
    page: Page, world: CheckoutWorld, locale: str
) -> None:
    state = named("long words")
    show(state, world, page, locale=locale)
    for width in (1280, 768, 375, 320):
        page.set_viewport_size({"width": width, "height": 800})
        frame = frame_of(page, state.target)
        frame.wait_for_function("width => innerWidth <= width", arg=width)
        outside = frame.evaluate(
            "[...document.querySelectorAll('s-text, s-button, s-link')].filter((each) => {"
            "  const {left, right} = each.getBoundingClientRect(); return left < 0 || right > innerWidth;"
            "}).map((each) => each.textContent)"
        )
        assert (width, outside) == (width, [])


def listen(page: Page) -> list[str]:
    """Return what the page will have complained of."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


def failure(page: Page, target: str) -> str | None:
    """Return what the host says went wrong in the extension."""
    return page.locator(PLACE.format(target=target)).get_attribute("data-failed")


def frame_of(page: Page, target: str) -> Frame:
    element = page.locator(f"{PLACE.format(target=target)} iframe").element_handle()
    frame = element.content_frame() if element else None
    assert frame is not None
    return frame


def violations(page: Page, target: str) -> list[Any]:
    """Return what axe finds in the extension's frame."""
    frame = frame_of(page, target)
    frame.evaluate(AXE.read_text())
    rules = {rule: {"enabled": False} for rule in PAGES_OWN}
    found = frame.evaluate("(rules) => axe.run(document, {rules, resultTypes: ['violations']})", rules)
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]
