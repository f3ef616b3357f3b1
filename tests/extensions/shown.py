"""Brings a page to a state of the checkout extension, in a language of the buyer's."""

from __future__ import annotations

import json
import re
from functools import cache

from playwright.sync_api import FrameLocator, Page, expect

from tests.devstore.browser_world import ROOT
from tests.extensions.checkout_world import CheckoutWorld
from tests.extensions.states import State

LOCALES = ROOT / "extensions" / "checkout-offers" / "locales"
_KEY = re.compile(r"[a-z_]+(\.[a-z_]+)+")


def show(state: State, world: CheckoutWorld, page: Page, locale: str = "en", **query: str) -> FrameLocator:
    """Return the frame that shows the state; it is waited for."""
    world.reset()
    world.checkout()
    state.prepare(world)
    frame = world.open(page, state.target, locale=locale, **(dict(state.query) | query))
    state.do(page, frame)
    for words in state.says:
        expect(frame.get_by_text(said(words, locale), exact=False).first).to_be_visible()
    expect(frame.locator("s-heading, s-text").first).to_be_visible()
    return frame


def said(words: str, locale: str) -> str:
    """Return a key of locales/ in the language, up to its first gap; other words as they are."""
    if not _KEY.fullmatch(words):
        return words
    found = _texts(locale)
    for part in words.split("."):
        found = found[part]
    return str(found).split("{{")[0].strip()


@cache
def _texts(locale: str) -> dict[str, dict[str, str]]:
    path = LOCALES / ("en.default.json" if locale == "en" else f"{locale}.json")
    texts: dict[str, dict[str, str]] = json.loads(path.read_text())
    return texts
