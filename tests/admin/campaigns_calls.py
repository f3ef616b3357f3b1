"""The pages and the calls of the admin's campaigns, asked as its browser asks."""

from __future__ import annotations

from typing import Any

import httpx

from tests.admin.factories import SHOP, bearer, entrance


async def opened(browser: httpx.AsyncClient, path: str, shop: str = SHOP, **query: str) -> str:
    """Return the page's text, on one line."""
    address, entered = entrance(path, shop, **query)
    answer = await browser.get(address, params=entered)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


async def call(browser: httpx.AsyncClient, name: str, body: Any, shop: str = SHOP) -> httpx.Response:
    return await browser.post(f"/admin/api/campaigns/{name}", json=body, headers=bearer(shop))
