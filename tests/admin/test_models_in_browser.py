"""The model's page, run in Chromium against the real routes."""

from __future__ import annotations

from playwright.async_api import expect

from app.connections import Connections
from app.jobs import Progress, report_progress
from app.recommend.publish import current_version
from app.values import ShopDomain
from tests.admin.factories import SHOP, keep, shop_row
from tests.admin.model_factories import a_watch, keep_models, keep_watch
from tests.admin.test_in_browser import DESKTOP, PHONE, opened, served


async def test_merchant_goes_back_to_the_version_before_with_one_click(connections: Connections) -> None:
    await keep(connections, shop_row())
    before, _ = await keep_models(connections)
    async with served(connections) as url, opened(url, "/admin/model", DESKTOP) as page:
        await page.get_by_role("button", name="Go back to the version from").click()
        await page.get_by_text("Taken back").wait_for()
    assert current_version(connections.settings.data_dir, ShopDomain(SHOP)) == before


async def test_page_follows_the_training_it_asked_for(connections: Connections) -> None:
    await keep(connections, shop_row())
    await keep_models(connections)
    async with served(connections) as url, opened(url, "/admin/model", DESKTOP) as page:
        await page.get_by_role("button", name="Train now").click()
        await page.get_by_text("Waiting for the worker").wait_for()
        await report_progress(connections, "train", SHOP, Progress("testing", 2, 5))
        await page.get_by_text("Testing on later orders, 2 of 5").wait_for()
        await report_progress(connections, "train", SHOP, Progress("failed", 1, 1))
        await page.get_by_text("what served still does").wait_for()


async def test_a_training_that_ends_at_once_is_told_and_the_one_before_is_not(
    connections: Connections,
) -> None:
    await keep(connections, shop_row())
    await keep_models(connections)
    await report_progress(connections, "train", SHOP, Progress("rejected", 1, 1))
    async with served(connections) as url, opened(url, "/admin/model", DESKTOP) as page:
        await page.get_by_role("button", name="Train now").click()
        await page.get_by_text("Waiting for the worker").wait_for()
        await report_progress(connections, "train", SHOP, Progress("failed", 1, 1))
        await page.get_by_text("what served still does").wait_for()


async def test_promised_against_accepted_is_drawn_and_said_on_a_phone_too(connections: Connections) -> None:
    await keep(connections, shop_row())
    await keep_models(connections)
    await keep_watch(connections, a_watch())
    async with served(connections) as url, opened(url, "/admin/model", PHONE) as page:
        picture = page.get_by_role("img", name="Expected against accepted")
        await expect(picture).to_be_visible()
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]
