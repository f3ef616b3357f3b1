"""What the admin tells of a shop's campaigns, and what is done with one that is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from app.admin.routes import routes
from app.campaigns import store
from app.campaigns.codes import promise_of
from app.campaigns.store import all_campaigns, get_campaign
from app.connections import Connections, connect, redis_key
from app.coupons.uses import Discount, keep_discount
from app.values import ShopDomain
from tests.admin.campaign_factories import keep_campaigns, written
from tests.admin.campaigns_calls import call
from tests.admin.factories import OTHER, SHOP, entrance, keep, now, opened, shop_row
from tests.campaigns.factories import a_campaign
from tests.shops.web import browsing

NEVER = '{"and": [{">": [{"var": "cart.lines"}, 5]}, {"<": [{"var": "cart.lines"}, 2]}]}'


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


async def test_empty_shop_is_led_to_its_first_campaign(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    text = await opened(browser, "/admin/campaigns")
    assert "No campaign yet" in text
    assert "Create a campaign" in text


async def test_each_campaign_tells_whom_it_is_for_and_what_came_of_it(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    text = await opened(browser, "/admin/campaigns")
    assert "10% off, for 7 days" in text
    assert "the number of the customer's orders so far is at least 4" in text.replace("&#39;", "'")
    # of 8 checkouts 4 were shown it, of which one took it and two sent it away; of 4 held back one bought
    assert "<dt>Shown to</dt><dd>50% (4 of 8)<small>22% to 78%</small></dd>" in text
    assert "<dt>Took it</dt><dd>25% (1 of 4)<small>5% to 70%</small></dd>" in text
    assert "<dt>“Not for me”</dt><dd>50% (2 of 4)<small>15% to 85%</small></dd>" in text
    assert "<dt>Bought anyway</dt><dd>25% (1 of 4)<small>5% to 70%</small></dd>" in text
    assert "Of the last 30 days." in text
    assert "<dt>Shown to</dt><dd>nobody yet</dd>" in text
    assert "4 of 100 codes ready" in text
    assert "4 codes are left." in text
    assert "Shopify says: Title is too long" in text
    assert "Fewer checkouts are completed." in text


async def test_permission_is_asked_for_only_while_a_running_campaign_lacks_it(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    assert "Give the permission" in await opened(browser, "/admin/campaigns")
    await keep(connections, shop_row(scopes="write_discounts"))
    assert "Give the permission" not in await opened(browser, "/admin/campaigns")


async def test_a_discount_without_a_code_asks_for_the_permission_and_tells_what_shopify_refused(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    discount = {"percentage": 10, "with_code": False}
    campaign = a_campaign("auto", offer={"kind": "coupon", "discount": discount})
    await store.keep_campaign(connections, ShopDomain(SHOP), campaign)
    assert "Give the permission" not in await opened(browser, "/admin/campaigns")
    assert (await call(browser, "status", {"id": "auto", "status": "running"})).status_code == 200
    assert await connections.redis.exists(redis_key(SHOP, "waiting", "coupons"))
    text = await opened(browser, "/admin/campaigns")
    assert "Give the permission" in text
    assert "Shopify made no discount" not in text
    promise = promise_of(campaign, "USD")
    assert promise is not None
    refused = Discount(promise.terms_id, "auto", error="Function offer-discount not found")
    await keep_discount(connections, SHOP, refused, now())
    text = await opened(browser, "/admin/campaigns")
    assert "Shopify made no discount" in text
    assert "Shopify says: Function offer-discount not found" in text


async def test_campaign_is_paused_and_goes_on(connections: Connections, browser: httpx.AsyncClient) -> None:
    await keep_campaigns(connections)
    for status in ("paused", "running", "stopped"):
        assert (await call(browser, "status", {"id": "loyal-thanked", "status": status})).status_code == 200
        assert (await get_campaign(connections, SHOP, "loyal-thanked")).status == status


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
    assert (await get_campaign(connections, SHOP, "loyal-thanked")).status == "running"


async def test_a_campaign_is_placed_before_another_or_last(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)

    async def order() -> list[str]:
        return [each.campaign.id for each in await all_campaigns(connections, SHOP)]

    assert await order() == ["winter", "loyal-thanked", "free-shipping"]
    await call(browser, "place", {"id": "free-shipping", "before": "winter"})
    assert await order() == ["free-shipping", "winter", "loyal-thanked"]
    await call(browser, "place", {"id": "free-shipping"})
    assert await order() == ["winter", "loyal-thanked", "free-shipping"]
    assert (await call(browser, "place", {"id": "winter", "before": "spring"})).status_code == 404
    assert await order() == ["winter", "loyal-thanked", "free-shipping"]


async def test_staff_of_another_shop_reach_nothing_of_this_one(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    await keep(connections, shop_row(OTHER))
    assert "No campaign yet" in await opened(browser, "/admin/campaigns", OTHER)
    answer = await call(browser, "status", {"id": "loyal-thanked", "status": "stopped"}, OTHER)
    assert answer.status_code == 404
    answer = await call(browser, "place", {"id": "loyal-thanked", "before": "winter"}, OTHER)
    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["status", "place", "check", "keep", "dry-run"])
async def test_call_without_a_token_is_refused(
    connections: Connections, browser: httpx.AsyncClient, name: str
) -> None:
    await keep_campaigns(connections)
    answer = await browser.post(f"/admin/api/campaigns/{name}", json={})
    assert answer.status_code == 401


async def test_a_campaign_that_can_never_be_shown_is_not_started(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    told = (await call(browser, "keep", {"form": written(rule=NEVER)})).json()
    answer = await call(browser, "status", {"id": told["id"], "status": "running"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Not started. ")
    assert (await get_campaign(connections, SHOP, told["id"])).status == "draft"


@pytest.mark.parametrize("page", ["/admin/campaigns", "/admin/campaigns/edit"])
async def test_pages_say_what_is_away_while_the_database_is(connections: Connections, page: str) -> None:
    await keep_campaigns(connections)
    away = replace(connections.settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with (
        connect(away, connections.redis_url) as broken,
        browsing(routes, broken) as browser,
    ):
        address, entered = entrance(page)
        answer = await browser.get(address, params=entered)
        kept = await call(browser, "keep", {"form": written()})
    assert answer.status_code == 503
    assert "can't reach its database" in answer.text.replace("&#39;", "'")
    assert kept.status_code == 503


async def test_what_is_changed_while_redis_is_away_is_kept_once(connections: Connections) -> None:
    """Checkouts see it when they look again, and codes come with the worker's round."""
    await keep_campaigns(connections)
    away = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2, retry=None)
    async with browsing(routes, replace(connections, redis=away)) as browser:
        kept = await call(browser, "keep", {"form": written()})
        moved = await call(browser, "place", {"id": "free-shipping", "before": "winter"})
        paused = await call(browser, "status", {"id": "loyal-thanked", "status": "paused"})
        address, entered = entrance("/admin/campaigns")
        page = await browser.get(address, params=entered)
    await away.aclose()
    assert [each.status_code for each in (kept, moved, paused)] == [200, 200, 200]
    assert page.status_code == 503
    assert "can't reach its Redis" in page.text.replace("&#39;", "'")
    names = [each.campaign.id for each in await all_campaigns(connections, SHOP)]
    assert names == ["free-shipping", "winter", "loyal-thanked", "hesitant-buyers"]
    assert (await get_campaign(connections, SHOP, "loyal-thanked")).status == "paused"
