from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.admin.routes import routes
from app.campaigns.store import all_campaigns, one_campaign
from app.connections import Connections
from tests.admin.campaign_factories import keep_campaigns
from tests.admin.factories import OTHER, SHOP, bearer, entrance, keep, shop_row
from tests.shops.web import browsing


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


@pytest.fixture
async def browser(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    async with browsing(routes, connections) as client:
        yield client


async def opened(browser: httpx.AsyncClient, path: str, shop: str = SHOP, **query: str) -> str:
    address, entered = entrance(path, shop, **query)
    answer = await browser.get(address, params=entered)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


async def call(browser: httpx.AsyncClient, name: str, body: Any, shop: str = SHOP) -> httpx.Response:
    return await browser.post(f"/admin/api/campaigns/{name}", json=body, headers=bearer(shop))


async def test_empty_shop_is_led_to_its_first_campaign(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    text = await opened(browser, "/admin/campaigns")
    assert "Nothing is shown yet" in text
    assert "Make the first one" in text


async def test_each_campaign_tells_whom_it_is_for_and_what_came_of_it(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    text = await opened(browser, "/admin/campaigns")
    assert "10 % off, for 7 days" in text
    assert "the number of the customer's orders so far is at least 4" in text.replace("&#39;", "'")
    # 4 checkouts were shown it, one of them took it; 4 were held back, one of them bought
    assert "<dt>Shoppers shown</dt><dd>4</dd>" in text
    assert "<dt>Took it</dt><dd>25% (1 of 4)</dd>" in text
    assert "<dt>Bought anyway</dt><dd>25% (1 of 4)</dd>" in text
    assert "4 of 100 codes ready" in text
    assert "4 codes are left." in text
    assert "It says: Title is too long" in text
    assert "Fewer checkouts are completed." in text


async def test_permission_is_asked_for_only_while_a_running_campaign_lacks_it(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    assert "Give the permission" in await opened(browser, "/admin/campaigns")
    await keep(connections, shop_row(scopes="write_discounts"))
    assert "Give the permission" not in await opened(browser, "/admin/campaigns")


async def test_campaign_is_paused_and_goes_on(connections: Connections, browser: httpx.AsyncClient) -> None:
    await keep_campaigns(connections)
    for status in ("paused", "running", "stopped"):
        assert (await call(browser, "status", {"id": "loyal-thanked", "status": status})).status_code == 200
        assert (await one_campaign(connections, SHOP, "loyal-thanked")).status == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "nothing", "status": "paused"}, 404),
        ({"id": "nothing", "status": "running"}, 404),
        ({"id": "loyal-thanked", "status": "draft"}, 400),
        ({"id": "loyal-thanked"}, 400),
    ],
)
async def test_unusable_step_changes_nothing(
    connections: Connections, browser: httpx.AsyncClient, body: Any, status: int
) -> None:
    await keep_campaigns(connections)
    assert (await call(browser, "status", body)).status_code == status
    assert (await one_campaign(connections, SHOP, "loyal-thanked")).status == "running"


async def test_moving_a_campaign_changes_places_with_its_neighbour(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)

    async def order() -> list[str]:
        return [each.campaign.id for each in await all_campaigns(connections, SHOP)]

    assert await order() == ["winter", "loyal-thanked", "free-shipping"]
    await call(browser, "move", {"id": "free-shipping", "up": True})
    assert await order() == ["winter", "free-shipping", "loyal-thanked"]
    await call(browser, "move", {"id": "winter", "up": True})  # at the top already
    await call(browser, "move", {"id": "winter", "up": False})
    assert await order() == ["free-shipping", "winter", "loyal-thanked"]


async def test_staff_of_another_shop_reach_nothing_of_this_one(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    await keep(connections, shop_row(OTHER))
    assert "Nothing is shown yet" in await opened(browser, "/admin/campaigns", OTHER)
    answer = await call(browser, "status", {"id": "loyal-thanked", "status": "stopped"}, OTHER)
    assert answer.status_code == 404
    answer = await call(browser, "move", {"id": "loyal-thanked", "up": True}, OTHER)
    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["status", "move"])
async def test_call_without_a_token_is_refused(
    connections: Connections, browser: httpx.AsyncClient, name: str
) -> None:
    await keep_campaigns(connections)
    answer = await browser.post(f"/admin/api/campaigns/{name}", json={})
    assert answer.status_code == 401
