"""Pictures of every state of the checkout extension: `python -m tests.extensions.gallery docs/images`.

Names of sheets after the folder make these alone: en, de, ar, phone.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, TimeoutError, ViewportSize

from tests.devstore.browser_world import build_host, opened_browser
from tests.extensions.checkout_world import PLACE, CheckoutWorld, checkout_world
from tests.extensions.shown import show
from tests.extensions.states import STATES, State

DESKTOP = ViewportSize(width=1280, height=1000)
PHONE = ViewportSize(width=375, height=900)
SHEETS = {"en": ("en", DESKTOP), "de": ("de", DESKTOP), "ar": ("ar", DESKTOP), "phone": ("en", PHONE)}
TRIES = 3
LOOK = """
body{margin:0;padding:24px;background:#eceef0;font:600 13px/1.4 sans-serif;color:#404448;inline-size:1260px}
main{columns:3;column-gap:20px}
figure{margin:0 0 20px;break-inside:avoid}figcaption{padding-block-end:6px}
img{display:block;inline-size:100%;border-radius:8px}
"""


def main(folder: Path, *names: str) -> None:
    """Write the sheets, each with every state on it: one a locale, and one of phones."""
    build_host()
    with opened_browser() as browser, TemporaryDirectory() as home, checkout_world(Path(home)) as world:
        for name in names or SHEETS:
            _sheet(browser, folder / f"offers-{name}.png", _pictures(browser, world, *SHEETS[name]))


def _pictures(
    browser: Browser, world: CheckoutWorld, locale: str, size: ViewportSize
) -> Iterator[tuple[State, str]]:
    """Yield each state and its picture as a data address."""
    for state in STATES:
        taken = (_picture(state, browser, world, locale, size) for _ in range(TRIES))
        picture = next(filter(None, taken), None)
        assert picture is not None, f"{state.name} was gone before its picture was taken, {TRIES} times"
        yield state, f"data:image/png;base64,{b64encode(picture).decode()}"


def _picture(
    state: State, browser: Browser, world: CheckoutWorld, locale: str, size: ViewportSize
) -> bytes | None:
    """Return the state's picture; None where it did not last, as a skeleton does not on a busy machine."""
    page = browser.new_page(viewport=size)
    try:
        show(state, world, page, locale=locale)
        page.mouse.move(0, 0)
        page.wait_for_timeout(400)  # for the bar to fill and the pictures to load
        return page.locator(PLACE.format(target=state.target)).screenshot(timeout=3_000)
    except (AssertionError, TimeoutError):
        return None
    finally:
        page.close()


def _sheet(browser: Browser, path: Path, pictures: Iterator[tuple[State, str]]) -> None:
    figures = [
        f'<figure><figcaption>{escape(state.name)}</figcaption><img src="{picture}"></figure>'
        for state, picture in pictures
    ]
    page = browser.new_page(viewport={"width": 1308, "height": 100})
    page.set_content(f"<!doctype html><style>{LOOK}</style><main>{''.join(figures)}</main>")
    page.screenshot(path=path, full_page=True)
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
