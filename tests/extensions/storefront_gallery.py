"""Pictures of the storefront's offers: `python -m tests.extensions.storefront_gallery docs/images`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, ViewportSize

from tests.devstore.browser_world import build_host, opened_browser
from tests.extensions.checkout_world import answer, coupon_offer, progress_offer
from tests.extensions.storefront_world import DIALOG, SHELF, StorefrontWorld, offer_of, storefront_world

DESKTOP, PHONE = ViewportSize(width=1280, height=860), ViewportSize(width=390, height=844)
PICTURES: dict[str, tuple[ViewportSize, dict[str, str]]] = {
    "light": (DESKTOP, {}),
    "dark": (DESKTOP, {"scheme": "dark", "locale": "fr"}),
    "ar": (DESKTOP, {"locale": "ar"}),
    "phone": (PHONE, {"locale": "de"}),
}


def main(folder: Path) -> None:
    """Write each picture: the block of a product's page, and the dialog of who is about to leave it."""
    build_host()
    with opened_browser() as browser, TemporaryDirectory() as home, storefront_world(Path(home)) as world:
        soon = (datetime.now(UTC) + timedelta(minutes=20)).isoformat()
        coupon = coupon_offer(expires_at=soon)
        bread = offer_of(world, 102)
        bread["product"]["handle"] = world.shop.products[2].handle
        world.app.body = answer(bread, offer_of(world, 103), progress_offer("0.00", "50.00"))
        world.app.parting = answer(coupon, offer_of(world, 102), decision_id="d2")
        for name, (size, query) in PICTURES.items():
            _picture(browser, world, folder / f"storefront-{name}.png", size, query)


def _picture(
    browser: Browser, world: StorefrontWorld, path: Path, size: ViewportSize, query: dict[str, str]
) -> None:
    page = browser.new_page(viewport=size)
    world.open(page, **query)
    page.locator(f"{SHELF} .tillwise-card").first.wait_for()
    page.locator(SHELF).scroll_into_view_if_needed()
    world.leave(page)
    page.locator(DIALOG).wait_for(state="visible")
    page.wait_for_timeout(600)  # for the dialog to come to rest and the pictures to load
    page.screenshot(path=path)
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
