"""What is typed and not saved is not left by mistake, in Chromium against the real routes."""

from __future__ import annotations

import pytest
from playwright.async_api import Dialog, expect

from app.campaigns.store import all_campaigns
from app.connections import Connections
from tests.admin.factories import SHOP, keep, shop_row
from tests.admin.segment_factories import keep_segments
from tests.admin.test_in_browser import DESKTOP, opened, served

# Each page on which something is written, and one of its fields.
EDITORS = {
    "/admin/campaigns/edit": "Name, for you",
    "/admin/experiments/new": "Name, for you",
    "/admin/segments/own": "Name",
    "/admin/segments/approach": "Orders",
    "/admin/privacy/rules": "Events",
}
LEAVE = "location.assign('/admin/static/admin.css')"
SAVE_BAR = """() => {
  window.bar = [];
  const kept = (what) => async (id) => bar.push(`${what} ${id}`);
  shopify.saveBar = {show: kept("shown"), hide: kept("hidden")};
}"""


@pytest.mark.parametrize("path", EDITORS)
async def test_who_would_leave_what_is_typed_is_asked_first(connections: Connections, path: str) -> None:
    await keep_segments(connections)
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    async with served(connections) as url, opened(url, path, DESKTOP) as page:
        page.on("dialog", stay)
        field = page.get_by_label(EDITORS[path]).first
        as_it_was = await field.input_value()
        await field.fill("17")
        async with page.expect_event("dialog"):
            await page.evaluate(LEAVE)
        await expect(field).to_have_value("17")
        await field.fill(as_it_was)
        await page.evaluate(LEAVE)
        await page.wait_for_url("**/admin.css")
    assert asked == ["beforeunload"]


async def test_the_save_bar_stands_while_something_is_unsaved_and_saves(connections: Connections) -> None:
    await keep(connections, shop_row())
    banner = {"kind": "banner"}
    async with served(connections) as url, opened(url, "/admin/campaigns/edit", DESKTOP, **banner) as page:
        await page.evaluate(SAVE_BAR)
        name = page.get_by_label("Name, for you")
        await name.fill("Welcome")
        await name.fill("")
        await name.fill("Welcome")
        await page.wait_for_function("bar.length === 3")
        assert await page.evaluate("bar") == ["shown unsaved", "hidden unsaved", "shown unsaved"]
        await page.get_by_role("button", name="Remove this condition").click()
        await page.evaluate("document.querySelector('ui-save-bar [variant=primary]').click()")
        await page.get_by_role("button", name="Start Welcome").wait_for()
    assert [each.campaign.name for each in await all_campaigns(connections, SHOP)] == ["Welcome"]


async def test_what_is_discarded_in_the_save_bar_is_gone_without_a_question(connections: Connections) -> None:
    await keep(connections, shop_row())
    banner = {"kind": "banner"}
    async with served(connections) as url, opened(url, "/admin/campaigns/edit", DESKTOP, **banner) as page:
        await page.get_by_label("Name, for you").fill("Welcome")
        await page.evaluate("document.querySelector('ui-save-bar :not([variant])').click()")
        await expect(page.get_by_label("Name, for you")).to_have_value("")
        await page.get_by_label("Name, for you").fill("Hello")
        await page.get_by_role("button", name="Leave without saving").click()
        await page.get_by_text("Create a campaign").wait_for()
    assert await all_campaigns(connections, SHOP) == []
