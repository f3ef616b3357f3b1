"""The segments pages' scripts, run in Chromium against the real routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.async_api import expect

from app.connections import Connections
from app.errors import InputError
from app.profiles.reviews import review_of
from app.profiles.segmenting import segment_shop
from app.shops.store import get_shop
from app.tables import ShopRow
from app.values import ShopDomain
from tests.admin.factories import SHOP
from tests.admin.segment_factories import WHY, keep_segments
from tests.admin.test_in_browser import DESKTOP, opened, served
from tests.admin.test_segments import sell


async def settings_of(connections: Connections) -> Mapping[str, Any]:
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    return shop.settings


async def test_a_walk_from_the_sizes_to_one_customer_ends_in_the_sentence_that_says_why(
    connections: Connections,
) -> None:
    await keep_segments(connections)
    async with served(connections) as url, opened(url, "/admin/segments", DESKTOP) as page:
        await page.get_by_role("link", name="Customers of Champions").click()
        await page.get_by_role("link", name="Customer 10").first.click()
        await page.get_by_text("Find a customer").wait_for()
        await expect(page.get_by_text(WHY).first).to_be_visible()


async def test_merchant_writes_a_segment_is_told_what_is_wrong_and_what_it_means(
    connections: Connections,
) -> None:
    await keep_segments(connections)
    async with served(connections) as url, opened(url, "/admin/segments/own", DESKTOP) as page:
        await page.get_by_role("textbox", name="Name").fill("Big spenders")
        await page.get_by_role("combobox", name="What").select_option("Average order")
        value = page.get_by_role("textbox", name="Number or amount in USD")
        await value.press_sequentially("1oo")
        await page.get_by_text("this is not an amount of USD").first.wait_for()
        assert await value.get_attribute("aria-invalid") == "true"
        # The field was drawn anew, and who types goes on typing.
        for _ in range(3):
            await page.keyboard.press("Backspace")
        await page.keyboard.type("100,50")
        await page.get_by_text("Average order at least $100.50.").wait_for()
        await page.get_by_role("button", name="Add a condition").click()
        await page.get_by_role("combobox", name="What").nth(1).select_option("Number of orders")
        await page.get_by_role("textbox", name="Number or amount in USD").nth(1).fill("3")
        await page.get_by_role("textbox", name="Within days").nth(1).fill("30")
        said = "Average order at least $100.50 and orders more than 3 in the last 30 days."
        await page.get_by_text(said).wait_for()
        await page.get_by_role("button", name="Save segment").click()
        await page.get_by_role("button", name="Remove: Big spenders").wait_for()
    kept = (await settings_of(connections))["segments"][1]
    assert (kept["name"], kept["conditions"][1]["within_days"]) == ("big_spenders", 30)


async def test_merchant_calls_a_segment_what_they_like_and_finds_it_again(connections: Connections) -> None:
    await keep_segments(connections)
    name = "VIP & Großkunden"
    async with served(connections) as url, opened(url, "/admin/segments/own", DESKTOP) as page:
        await page.get_by_role("textbox", name="Name").fill(name)
        await page.get_by_role("textbox", name="Number or amount in USD").fill("3")
        await page.get_by_role("button", name="Save segment").click()
        await page.get_by_role("link", name=f"Change: {name}").click()
        await expect(page.get_by_role("textbox", name="Name")).to_have_value(name)
        await page.goto(page.url.replace("/own", "/approach"))
        loyal = page.locator("[data-list=warm] [data-field=segments]").first.get_by_role("textbox")
        await loyal.fill("vip & großkunden, Champions")
        await page.get_by_role("button", name="Save").click()
        await expect(page).to_have_title("Saved")
    settings = await settings_of(connections)
    assert settings["segments"][1]["name"] == name
    assert settings["approach"]["warm"][0]["segments"] == [name, "champions"]


async def test_merchant_changes_and_removes_a_segment(connections: Connections) -> None:
    await keep_segments(connections)
    async with served(connections) as url, opened(url, "/admin/segments/own", DESKTOP) as page:
        await page.get_by_role("link", name="Change: Regulars").click()
        await page.get_by_role("textbox", name="Number or amount").fill("5")
        await page.get_by_role("button", name="Save segment").click()
        await page.get_by_text("Orders more than 5 in the last 30 days.").wait_for()
        await page.get_by_role("button", name="Remove: Regulars").click()
        await page.get_by_role("button", name="Remove: Regulars").wait_for(state="detached")
    assert (await settings_of(connections))["segments"] == []


async def test_merchant_changes_how_shoppers_are_spoken_to(connections: Connections) -> None:
    await keep_segments(connections)
    async with served(connections) as url, opened(url, "/admin/segments/approach", DESKTOP) as page:
        await page.get_by_role("button", name="Move this approach up").nth(1).click()
        orders = page.get_by_role("textbox", name="Orders")
        await orders.fill("0")
        await page.get_by_text("the number of orders is 1 to 100").first.wait_for()
        await orders.fill("2")
        await page.get_by_role("button", name="Save").click()
        await expect(page).to_have_title("Saved")
    kept = (await settings_of(connections))["approach"]
    assert kept["warm_from_orders"] == 2
    assert [each["approach"] for each in kept["cold"]] == ["generic_offer", "introduction", "education"]


async def test_segments_are_named_in_the_merchants_language_where_they_are_typed(
    connections: Connections,
) -> None:
    await keep_segments(connections)
    there = "/admin/segments/approach"
    async with served(connections) as url, opened(url, there, DESKTOP, locale="de") as page:
        loyal = page.locator("[data-list=warm] [data-field=segments]").first.get_by_role("textbox")
        await loyal.fill("Braucht Aufmerksamkeit, champions")
        await page.get_by_role("button", name="Speichern").click()
        await expect(page).to_have_title("Gespeichert")
        await page.reload()
        await expect(loyal).to_have_value("Braucht Aufmerksamkeit, Champions")
    kept = (await settings_of(connections))["approach"]
    assert kept["warm"][0]["segments"] == ["needs_attention", "champions"]


async def test_merchant_pins_a_customer_and_takes_it_back(connections: Connections) -> None:
    await sell(connections)
    await segment_shop(connections, ShopDomain(SHOP))
    async with served(connections) as url, opened(url, "/admin/customer", DESKTOP, id="1") as page:
        await page.get_by_role("button", name="Pin customer 1").click()
        await page.get_by_role("combobox", name="Segment to pin").select_option("Champions")
        await page.get_by_role("button", name="Pin customer 1").click()
        await page.get_by_text("The merchant put this customer here.").first.wait_for()
        await page.get_by_role("button", name="Take back").click()
        await page.get_by_role("button", name="Confirm customer 1").wait_for()
        await expect(page.get_by_text("Champions → Dormant")).to_be_visible()
    assert await review_of(connections, SHOP, 1) is None


async def test_merchant_works_through_the_queue(connections: Connections) -> None:
    await keep_segments(connections)
    async with served(connections) as url, opened(url, "/admin/segments/review", DESKTOP) as page:
        await page.get_by_role("button", name="Exclude customer 11").click()
        await page.get_by_role("button", name="Take back what you said of customer 11").wait_for()
        await page.get_by_role("button", name="Confirm customer 12").click()
        await page.get_by_text("Nobody to look at").wait_for()
    review = await review_of(connections, SHOP, 11)
    assert review is not None
    assert review.verdict == "excluded"


async def test_page_waits_for_the_segmentation_it_asked_for_and_then_shows_it(
    connections: Connections,
) -> None:
    await sell(connections)
    async with served(connections) as url, opened(url, "/admin/segments", DESKTOP) as page:
        await page.get_by_role("button", name="Update segments now").click()
        await page.get_by_text("Waiting for the worker").wait_for()
        await segment_shop(connections, ShopDomain(SHOP))
        await page.get_by_text("10 customers came into a segment for the first time").wait_for()


async def test_page_says_when_the_segmentation_it_asked_for_failed(connections: Connections) -> None:
    await sell(connections)
    async with connections.write() as db:
        shop = await db.get_one(ShopRow, SHOP)
        shop.settings = {**shop.settings, "segments": "not a list"}
    async with served(connections) as url, opened(url, "/admin/segments", DESKTOP) as page:
        await page.get_by_role("button", name="Update segments now").click()
        await page.get_by_text("Waiting for the worker").wait_for()
        with pytest.raises(InputError):
            await segment_shop(connections, ShopDomain(SHOP))
        await page.get_by_text("That failed.").wait_for()
        await expect(page.get_by_role("button", name="Update segments now")).to_be_enabled()
