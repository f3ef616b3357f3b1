"""The experiments pages and their calls, as the admin's browser asks."""

from __future__ import annotations

from typing import Any

import httpx

from app.connections import Connections
from app.experiments.versions import Version, versions
from tests.admin.factories import SHOP, bearer, entrance

CALLS = "/admin/api/experiments"
BODIES: dict[str, Any] = {
    "plan": {"form": {}},
    "keep": {"form": {"name": "Dearer", "tries": "dear_ratio", "ratio": "3"}},
    "start": {"id": "dear", "share": 100},
    "stop": {"id": "dear"},
    "conclude": {"id": "dear", "version": 1, "arm": "changed"},
    "export": {"id": "dear"},
}


async def page(browser: httpx.AsyncClient, path: str = "", shop: str = SHOP, **about: str) -> str:
    address, query = entrance(f"/admin/experiments{path}", shop, **about)
    answer = await browser.get(address, params=query)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split()).replace("&#39;", "'")


async def call(browser: httpx.AsyncClient, name: str, shop: str = SHOP, **changes: Any) -> httpx.Response:
    return await browser.post(f"{CALLS}/{name}", json=BODIES[name] | changes, headers=bearer(shop))


async def of_shop(connections: Connections, name: str = "dear") -> Version:
    return [each for each in await versions(connections, SHOP) if each.design.id == name][-1]
