"""The calls of the admin's campaigns, as its browser asks."""

from __future__ import annotations

from typing import Any

import httpx

from tests.admin.factories import (
    SHOP,
    bearer,
)


async def call(browser: httpx.AsyncClient, name: str, body: Any, shop: str = SHOP) -> httpx.Response:
    return await browser.post(f"/admin/api/campaigns/{name}", json=body, headers=bearer(shop))
