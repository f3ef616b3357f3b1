"""Chromium for the admin's pages: to start it costs more than most of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright, expect

from tests.devstore.browser_world import PATIENCE_S, chromium

expect.set_options(timeout=PATIENCE_S * 1_000)


class Chromium:
    """One browser for all who ask for a context on the same event loop."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    @asynccontextmanager
    async def context(self, viewport: dict[str, int]) -> AsyncIterator[BrowserContext]:
        """Yield a context of its own: nothing in it is left of another, and it is closed on leaving."""
        if self._browser is None or not self._browser.is_connected():
            await self.close()
            self._playwright = await async_playwright().start()
            self._browser = await self._playwright.chromium.launch(
                executable_path=chromium(), args=["--no-sandbox"]
            )
        async with await self._browser.new_context(viewport=viewport) as context:  # type: ignore[arg-type]
            context.set_default_timeout(PATIENCE_S * 1_000)
            yield context

    async def close(self) -> None:
        """End the browser, if one was started."""
        if self._playwright:
            await self._playwright.stop()
        self._playwright = self._browser = None


CHROMIUM = Chromium()
