"""Every page of the admin in Chromium: on a phone, light and dark, right to left; axe looks at each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from app.config import read_settings
from app.connections import Connections
from tests.admin.full_shop import keep_everything
from tests.admin.test_in_browser import PHONE, ROOT, opened, served
from tests.admin.test_markup import ABOUT, PAGES
from tests.conftest import ENVIRONMENT, on_sqlite

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# What Shopify's admin brings around the page.
FRAMES_OWN = {rule: {"enabled": False} for rule in ("region", "page-has-heading-one", "landmark-one-main")}
SHIFTS = """() => new Promise((told) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })
    .observe({type: 'layout-shift', buffered: true});
  requestAnimationFrame(() => setTimeout(() => told(sum), 50));
})"""
WIDE = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const beyond = ({left, right}) => left < -1 || right > innerWidth + 1;
  const all = [...document.body.querySelectorAll('*')].filter((each) => beyond(each.getBoundingClientRect()));
  const shown = all.slice(0, 5).map((each) => each.outerHTML.slice(0, 120));
  return [document.documentElement.scrollWidth, ...shown];
}"""
# Badges that stand out of what they are in, or are stretched to more lines than their words have.
SPILT = """() => [...document.querySelectorAll('s-badge')].filter((badge) => {
  const {left, right, height} = badge.getBoundingClientRect();
  const around = badge.parentElement.getBoundingClientRect();
  const words = document.createRange();
  words.selectNodeContents(badge);
  const stretched = height > words.getBoundingClientRect().height + 8;
  return left < around.left - 1 || right > around.right + 1 || stretched;
}).map((each) => each.outerHTML)"""
NARROW = {"width": 375, "height": 812}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full_shop(
    tmp_path_factory: pytest.TempPathFactory, redis_url: str, empty_database: Path
) -> AsyncIterator[Connections]:
    """Open connections on a shop that is only looked at here: to fill it costs as much as to look."""
    settings = read_settings(ENVIRONMENT | {"TILLWISE_DATA_DIR": str(tmp_path_factory.mktemp("var"))})
    async with on_sqlite(settings, redis_url, empty_database) as filled:
        await keep_everything(filled)
        yield filled


async def too_wide(page: Page) -> Any:
    """Return how wide the page is if wider than its window, and what makes it so."""
    return await page.evaluate(WIDE)


async def violations(page: Page) -> list[Any]:
    await page.evaluate(AXE.read_text())
    asked = {"rules": FRAMES_OWN, "resultTypes": ["violations"]}
    found = await page.evaluate("(asked) => axe.run(document, asked)", asked)
    return [
        (each["id"], node["html"][:200], node["failureSummary"][-200:])
        for each in found["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("path", [*PAGES, "/admin/definitions"])
async def test_page_is_right_on_a_phone_in_light_and_dark(full_shop: Connections, path: str) -> None:
    async with served(full_shop) as url, opened(url, path, NARROW, **ABOUT.get(path, {})) as page:
        await page.wait_for_load_state("networkidle")
        assert await too_wide(page) == []
        assert await page.evaluate(SHIFTS) < 0.1  # what Shopify calls good
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert (scheme, await violations(page)) == (scheme, [])


@pytest.mark.parametrize("path", ["/", "/admin/campaigns/edit", "/admin/segments"])
async def test_page_fits_and_passes_when_it_reads_from_right_to_left(
    full_shop: Connections, path: str
) -> None:
    about = {**ABOUT.get(path, {}), "locale": "ar"}
    async with served(full_shop) as url, opened(url, path, PHONE, **about) as page:
        await page.wait_for_load_state("networkidle")
        assert await too_wide(page) == []
        assert await violations(page) == []


@pytest.mark.parametrize("path", ["/", "/admin/decisions"])
async def test_a_badge_with_many_words_stays_where_it_stands(full_shop: Connections, path: str) -> None:
    async with served(full_shop) as url, opened(url, path, PHONE, locale="fr") as page:
        await page.locator("s-badge").first.wait_for()
        assert await page.evaluate(SPILT) == []
