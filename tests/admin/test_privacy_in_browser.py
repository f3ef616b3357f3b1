"""The privacy pages' scripts, run in Chromium against the real routes."""

from __future__ import annotations

import zipfile
from pathlib import Path

from playwright.async_api import Page

from app.connections import Connections
from app.consent.requests import read_request
from app.shops.store import get_shop
from tests.admin.factories import SHOP, asked, keep
from tests.admin.test_in_browser import DESKTOP, opened, served
from tests.admin.test_privacy import keep_ann


async def saved(page: Page, button: str) -> Path:
    """Return the file that a click on the button saves."""
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name=button).click()
    return await (await downloading.value).path()


async def test_merchant_looks_somebody_up_by_keyboard_and_saves_what_is_there(
    connections: Connections,
) -> None:
    await keep_ann(connections)
    async with served(connections) as url, opened(url, "/admin/privacy/people", DESKTOP) as page:
        await page.get_by_role("textbox", name="Customer number").focus()
        await page.keyboard.type("5")
        await page.keyboard.press("Enter")
        await page.get_by_text("Consent history, oldest first: 2").wait_for()
        assert await page.get_by_text("Marketing: no").count() == 2  # what was said, and what stands
        assert await page.get_by_text("The customer's number, how much they have ordered").count() == 1
        history = await saved(page, "Save history as CSV")
        assert "marketing=yes" in history.read_text()
        everything = await saved(page, "Save everything as JSON")
        assert '"customer_id": 5' in everything.read_text()


async def test_merchant_is_told_what_is_wrong_with_a_name(connections: Connections) -> None:
    await keep_ann(connections)
    async with served(connections) as url, opened(url, "/admin/privacy/people", DESKTOP) as page:
        field = page.get_by_role("textbox", name="Customer number")
        await field.fill("two words")
        await page.get_by_role("button", name="Look up").click()
        await page.get_by_text("Write a customer's number").wait_for()
        assert await field.get_attribute("aria-invalid") == "true"
        await field.fill("6")
        await field.press("Enter")
        await page.get_by_text("Nothing is held about them").wait_for()
        assert await page.get_by_text("Write a customer's number").count() == 0


async def test_merchant_answers_a_request_for_data_and_then_has_its_receipt(connections: Connections) -> None:
    await keep_ann(connections)
    await keep(connections, asked("r1"))
    async with served(connections) as url, opened(url, "/admin/privacy/people", DESKTOP) as page:
        file = await saved(page, "Save data and close")
        with zipfile.ZipFile(file) as archive:
            assert {"data.json", "receipt.json", "customers.csv"} <= set(archive.namelist())
        receipt = await saved(page, "Receipt")
        assert '"signature"' in receipt.read_text()
    request = await read_request(connections, SHOP, "r1")
    assert request is not None
    assert request.done_at is not None


async def test_merchant_changes_a_limit_and_is_told_of_one_that_can_be_none(connections: Connections) -> None:
    await keep_ann(connections)
    async with served(connections) as url, opened(url, "/admin/privacy/rules", DESKTOP) as page:
        field = page.get_by_label("Events", exact=True)
        await field.fill("0")
        await page.get_by_role("button", name="Save limits").click()
        await page.get_by_text("Events must be 1 to 3,650").wait_for()
        await field.fill("200")
        await field.press("Enter")
        await page.get_by_text("What is older is being deleted").wait_for()
        assert await field.get_attribute("aria-invalid") is None
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert shop.settings["retention"]["events_days"] == 200


async def test_a_shorter_limit_deletes_only_at_the_second_press(connections: Connections) -> None:
    await keep_ann(connections)
    async with served(connections) as url, opened(url, "/admin/privacy/rules", DESKTOP) as page:
        field = page.get_by_label("Events", exact=True)
        await field.fill("30")
        await page.get_by_role("button", name="Save limits").dblclick()
        again = page.get_by_role("button", name="Delete what is older now, for good")
        await again.wait_for()
        shop = await get_shop(connections, SHOP)
        assert shop is not None
        assert "retention" not in shop.settings
        await again.click()
        await page.get_by_text("What is older is being deleted").wait_for()
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert shop.settings["retention"]["events_days"] == 30
