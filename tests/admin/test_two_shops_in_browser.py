"""A merchant with two shops open in one browser, each in a tab of its own."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import msgspec
from playwright.async_api import Page

from app.admin.store import count_excluded
from app.campaigns.store import keep_campaign
from app.connections import Connections
from app.outbound.api_keys import make_key
from app.shops.store import get_shop
from app.values import ShopDomain
from tests.admin.chromium import CHROMIUM
from tests.admin.factories import OTHER, SHOP, entrance, keep, product, shop_row
from tests.admin.test_in_browser import DESKTOP, served
from tests.campaigns.factories import TEN_PERCENT, a_campaign

NAMES = {SHOP: "Nordwand", OTHER: "Seeblick"}
PAGES = (
    "/",
    "/admin/products",
    "/admin/campaigns",
    "/admin/decisions",
    "/admin/segments/own",
    "/admin/segments/elsewhere",
    "/admin/settings",
)
# What stands on a page of the shop's own.
TOLD = {"/admin/products", "/admin/campaigns", "/admin/segments/own", "/admin/segments/elsewhere"}


async def keep_named(connections: Connections, shop: str) -> None:
    """Store a shop whose product, campaign, segment and key bear its name; their ids are the other's too."""
    name = NAMES[shop]
    segment = {"name": name.lower(), "conditions": [{"measure": "orders", "compare": "at_least", "value": 2}]}
    goods = product(1, f"{name} coat", shop)
    await keep(connections, shop_row(shop, name=name, settings={"segments": [segment]}), *goods)
    campaign = msgspec.structs.replace(a_campaign("ten", offer=TEN_PERCENT), name=f"{name} ten")
    await keep_campaign(connections, ShopDomain(shop), campaign)
    await make_key(connections, ShopDomain(shop), f"{name} CRM")


async def go(page: Page, url: str, path: str, shop: str) -> str:
    address, query = entrance(path, shop)
    await page.goto(f"{url}{address}?{urlencode(query)}")
    return await page.content()


async def test_neither_tab_ever_shows_or_changes_the_other_shop(connections: Connections) -> None:
    for shop in NAMES:
        await keep_named(connections, shop)
    seen: dict[str, list[str]] = {shop: [] for shop in NAMES}
    async with served(connections) as url, CHROMIUM.context(DESKTOP) as context:
        tabs = {shop: await context.new_page() for shop in NAMES}
        for path in PAGES:
            both = await asyncio.gather(*(go(page, url, path, shop) for shop, page in tabs.items()))
            for shop, content in zip(tabs, both, strict=True):
                seen[shop].append(content)
                assert (path not in TOLD) or NAMES[shop].lower() in content.lower()
        await go(tabs[OTHER], url, "/admin/products", OTHER)
        await go(tabs[SHOP], url, "/admin/products", SHOP)
        await tabs[OTHER].get_by_role("button", name="Exclude Seeblick coat").click()
        await tabs[OTHER].get_by_role("button", name="Include Seeblick coat").wait_for()
        await tabs[SHOP].get_by_role("button", name="Exclude Nordwand coat").wait_for()
        for shop, page in tabs.items():  # as they were left, out of the browser's own memory
            await page.go_back()
            seen[shop].append(await page.content())
    for shop, told in seen.items():
        (other,) = NAMES.keys() - {shop}
        assert NAMES[other].lower() not in " ".join(told).lower()
    assert [await excluded(connections, shop) for shop in NAMES] == [0, 1]


async def excluded(connections: Connections, domain: str) -> int:
    shop = await get_shop(connections, domain)
    assert shop
    return await count_excluded(connections, shop)
