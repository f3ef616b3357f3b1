"""The experiments pages, in Chromium against the real routes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from app.connections import Connections
from app.experiments.versions import versions
from app.shops.store import get_shop
from tests.admin.campaign_factories import keep_named
from tests.admin.experiment_factories import keep_experiment
from tests.admin.factories import SHOP, keep, shop_row
from tests.admin.test_campaigns_in_browser import press_again, violations
from tests.admin.test_in_browser import DESKTOP, opened, served
from tests.admin.test_markup import ABOUT, EXPERIMENTS


async def test_an_experiment_is_planned_started_and_stopped(connections: Connections) -> None:
    await keep(connections, shop_row())
    await keep_named(connections, "free-shipping", "running")
    async with served(connections) as url, opened(url, "/admin/experiments", DESKTOP) as page:
        await page.get_by_role("link", name="Plan an experiment").click()
        await page.get_by_label("Name, for you").fill("The bar, or nothing")
        await expect(page.locator("[data-takes]")).to_contain_text("It's too early to say")
        await expect(page.get_by_label("Against")).to_be_hidden()
        await page.get_by_label("Try").select_option(label="One campaign, against another")
        await expect(page.get_by_label("Against")).to_be_visible()
        await page.get_by_label("Try").select_option(label="A campaign, against nothing in its place")
        await page.get_by_role("button", name="Save and start").click()
        await page.get_by_role("button", name="Stop: serve everybody as before").dblclick()
        (running,) = await versions(connections, SHOP)
        assert running.status == "running"  # a finger that slips stops nothing
        await page.get_by_role("button", name="Press again to stop it for good").click()
        await page.get_by_text("Stopped on").wait_for()
    (kept,) = await versions(connections, SHOP)
    assert (kept.design.says, kept.status) == ("The bar, or nothing", "stopped")


async def test_what_is_wrong_is_said_beside_its_field(connections: Connections) -> None:
    await keep(connections, shop_row())
    where = {"tries": "dear_ratio"}
    async with served(connections) as url, opened(url, "/admin/experiments/new", DESKTOP, **where) as page:
        field = page.get_by_label("Smallest difference worth finding, percent")
        name = page.get_by_label("Name, for you")
        await field.fill("none")
        await expect(field).to_have_attribute("aria-invalid", "true")
        await page.get_by_role("button", name="Save as a draft").click()
        await expect(name).to_have_attribute("aria-invalid", "true")  # all that is wrong, at once
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(name).to_be_focused()
        await name.fill("Dearer")
        await expect(name).not_to_have_attribute("aria-invalid", "true")
        await page.get_by_role("button", name="Save as a draft").click()
        await expect(page.get_by_role("alert")).to_have_text("Write a number from 0.1 to 1000.")
        assert await versions(connections, SHOP) == []
        await field.fill("5")
        await expect(field).not_to_have_attribute("aria-invalid", "true")
        await page.get_by_role("button", name="Save as a draft").click()
        await page.get_by_role("button", name="Start with 10%").click()
        await page.get_by_role("button", name="Let all shoppers in").click()
        await page.get_by_text("with 100% of shoppers").wait_for()


async def test_who_presses_again_while_the_next_page_comes_makes_no_second_experiment(
    connections: Connections,
) -> None:
    await keep(connections, shop_row())
    where = {"tries": "dear_ratio"}
    async with served(connections) as url, opened(url, "/admin/experiments/new", DESKTOP, **where) as page:
        await page.get_by_label("Name, for you").fill("Dearer")
        await press_again(page)
        await page.get_by_role("button", name="Save as a draft").click()
        await page.get_by_role("button", name="Start with 10%").wait_for()
    assert [each.design.says for each in await versions(connections, SHOP)] == ["Dearer"]


async def test_figures_are_taken_away_as_a_file(connections: Connections) -> None:
    await keep_experiment(connections)
    async with (
        served(connections) as url,
        opened(url, "/admin/experiments/read", DESKTOP, id="dear") as page,
    ):
        await page.get_by_text("“Changed” is better").first.wait_for()
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="Download as CSV").click()
        download = await downloading.value
        text = Path(await download.path()).read_text()  # noqa: ASYNC240
    assert download.suggested_filename.startswith("dear-")
    assert "conversion,True," in text


async def test_an_arm_is_kept_from_the_page(connections: Connections) -> None:
    await keep_experiment(connections)
    async with served(connections) as url, opened(url, "/admin/experiments/read", DESKTOP, id="dear") as page:
        await page.get_by_role("button", name="Keep “Changed” for everybody").click()
        await page.get_by_role("button", name="Press again to keep it for everybody").click()
        await page.get_by_text("Stopped on").wait_for()
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert shop.settings["dear_ratio"] == 1.5


@pytest.mark.parametrize("path", EXPERIMENTS)
async def test_axe_finds_nothing(connections: Connections, path: str) -> None:
    await keep_experiment(connections, units=300)
    async with served(connections) as url, opened(url, path, DESKTOP, **ABOUT.get(path, {})) as page:
        assert await violations(page) == []
