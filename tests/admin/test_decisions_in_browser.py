"""The decisions pages, in Chromium against the real routes."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from app.connections import Connections
from tests.admin.decision_factories import keep_decisions
from tests.admin.test_campaigns_in_browser import violations
from tests.admin.test_in_browser import DESKTOP, PHONE, opened, served


async def test_a_merchant_finds_a_decision_and_makes_it_again(connections: Connections) -> None:
    await keep_decisions(connections)
    async with served(connections) as url, opened(url, "/admin/decisions", DESKTOP) as page:
        await page.get_by_label("Campaign").select_option(label="Welcome")
        await page.get_by_label("Based on").select_option(label="Personal: history and profile")
        await page.get_by_role("button", name="Show", exact=True).click()
        await page.get_by_role("link", name="Show all").wait_for()
        await expect(page.locator("s-table-body s-table-row")).to_have_count(1)
        await page.locator("s-table-body s-link").click()
        await page.get_by_role("button", name="Make it again").click()
        says = page.locator("[data-says]")
        await expect(says).to_have_text("The same offers were chosen again, bit for bit.")
        await page.get_by_role("link", name="Show the ranking").click()
        await page.get_by_text("pinned by you").wait_for()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
@pytest.mark.parametrize(
    ("path", "about"),
    [("/admin/decisions", {}), ("/admin/decisions/one", {"id": "x1", "ranking": "1"})],
)
async def test_axe_finds_nothing_and_it_fits(
    connections: Connections, path: str, about: dict[str, str], viewport: dict[str, int]
) -> None:
    await keep_decisions(connections)
    async with served(connections) as url, opened(url, path, viewport, **about) as page:
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
