"""The page of other systems, in Chromium against the real routes."""

from __future__ import annotations

from playwright.async_api import expect

from app.connections import Connections
from app.outbound.api_keys import holder_of
from app.outbound.settings import webhook_of, write_back_of
from app.shops.store import get_shop
from tests.admin.factories import SHOP, keep, shop_row
from tests.admin.test_in_browser import DESKTOP, opened, served

PAGE = "/admin/segments/elsewhere"


async def test_tags_are_switched_on_with_the_permission_and_not_without(connections: Connections) -> None:
    await keep(connections, shop_row())
    async with served(connections) as url, opened(url, PAGE, DESKTOP) as page:
        await page.evaluate("window.agreed = 'declined-all'")
        await page.get_by_role("button", name="Turn on: Tags").click()
        await expect(page).to_have_title("Nothing was changed: without the permission to edit customers "
                                         "Tillwise can write nothing.")  # fmt: skip
        shop = await get_shop(connections, SHOP)
        assert shop is not None
        assert not write_back_of(shop.settings).anything
        await page.evaluate("window.agreed = 'granted-all'")
        await keep(connections, shop_row(scopes="write_customers"))  # as Shopify tells the app meanwhile
        await page.get_by_role("button", name="Turn on: Tags").click()
        await page.get_by_role("button", name="Turn off: Tags").wait_for()
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert (write_back_of(shop.settings).tags, write_back_of(shop.settings).metafields) == (True, False)


async def test_a_webhooks_secret_is_shown_once_and_a_wrong_address_is_told_at_its_field(
    connections: Connections,
) -> None:
    await keep(connections, shop_row())
    async with served(connections) as url, opened(url, PAGE, DESKTOP) as page:
        address = page.get_by_role("textbox", name="Address")
        await address.fill("http://hooks.example.com")
        await address.press("Enter")
        await page.get_by_text("begins with https://").wait_for()
        await address.fill("https://hooks.example.com/in")
        await address.press("Enter")
        await page.get_by_text("whsec_").wait_for()
        await page.get_by_role("button", name="I have kept the secret").click()
        await page.get_by_role("button", name="Send a test").wait_for()
        assert await page.get_by_text("whsec_").count() == 0
        await page.get_by_role("button", name="Turn the webhook off").click()
        await page.get_by_text("Press again to turn it off").wait_for()
        await page.get_by_role("button", name="Turn the webhook off").click()
        await page.get_by_role("button", name="Send a test").wait_for(state="detached")
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert webhook_of(shop.settings) is None


async def test_a_key_is_made_for_something_shown_once_and_revoked(connections: Connections) -> None:
    await keep(connections, shop_row())
    async with served(connections) as url, opened(url, PAGE, DESKTOP) as page:
        await page.get_by_role("button", name="Make a key").click()
        await page.get_by_text("say what the key is for").wait_for()
        await page.get_by_role("textbox", name="What the new key is for").fill("CRM")
        await page.get_by_role("button", name="Make a key").click()
        secret = await page.get_by_text("twk_").inner_text()
        assert await holder_of(connections, secret)
        await page.get_by_role("button", name="I have kept the secret").click()
        await page.get_by_role("button", name="Revoke the key for CRM").click()
        await page.get_by_text("Press again to revoke it for good").wait_for()
        assert await holder_of(connections, secret)
        await page.get_by_role("button", name="Revoke the key for CRM").click()
        await page.get_by_text("Revoked").wait_for()
    assert await holder_of(connections, secret) is None
