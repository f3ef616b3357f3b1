from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from app.admin.routes import routes
from app.campaigns import store
from app.campaigns.codes import promise_of
from app.campaigns.store import all_campaigns, one_campaign
from app.campaigns.templates import TEMPLATES
from app.catalog.flags import record_flag
from app.connections import Connections, connect, redis_key
from app.coupons.uses import Discount, keep_discount
from app.reach_tables import AbandonmentRow
from app.values import ShopDomain
from tests.admin.campaign_factories import bought, keep_campaigns, weighed, written
from tests.admin.factories import OTHER, SHOP, bearer, entrance, keep, now, product, shop_row
from tests.admin.segment_factories import keep_segments
from tests.campaigns.factories import a_campaign
from tests.shops.web import browsing

TIMES = ("began_at", "last_at", "silent_since", "abandoned_at")
NEVER = '{"and": [{">": [{"var": "cart.lines"}, 5]}, {"<": [{"var": "cart.lines"}, 2]}]}'


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


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
    assert "It says: Title is too long" in text
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
    assert "It says: Function offer-discount not found" in text


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
    assert "Nothing is shown yet" in await opened(browser, "/admin/campaigns", OTHER)
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


async def test_what_is_written_is_read_back_and_judged(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    answer = (await call(browser, "check", {"form": written()})).json()
    assert answer["errors"] == []
    assert answer["says"] == (
        "One or more of “hesitant buyers” are among the customer's segments "
        "and the cart's subtotal is above 80.00 USD."
    )
    assert answer["shows"] == "10% off, for 1 day"
    assert answer["preview"]["text"] == "A discount for you"
    assert "at a loss" in answer["guards"][0]


@pytest.mark.parametrize(
    ("rule", "says", "stops"),
    [
        (
            '{"and": [{">": [{"var": "cart.lines"}, 5]}, {"<": [{"var": "cart.lines"}, 2]}]}',
            "never matches",
            True,
        ),
        ("true", "matches everyone", False),
        ('{"in": ["hesitant_byers", {"var": "profile.segments"}]}', "hesitant_buyers", False),
    ],
)
async def test_a_merchant_is_told_what_to_know_of_a_rule(
    connections: Connections, browser: httpx.AsyncClient, rule: str, says: str, stops: bool
) -> None:
    await keep_segments(connections)
    found = (await call(browser, "check", {"form": written(rule=rule)})).json()["findings"]
    assert any(says in each["message"] and each["stops"] == stops for each in found), found


async def test_a_rule_that_never_holds_while_it_runs_is_told(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    form = written(rule='{"<": [{"var": "time.hour"}, 6]}', hour_from="8", hour_until="20")
    (found,) = (await call(browser, "check", {"form": form})).json()["findings"]
    assert found["stops"]
    assert "never matches while it runs" in found["message"]


async def test_a_new_campaign_is_kept_as_a_draft_under_a_name_of_its_own(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    told = [(await call(browser, "keep", {"form": written()})).json() for _ in range(2)]
    assert [each["id"] for each in told] == ["hesitant-buyers", "hesitant-buyers-2"]
    kept = await all_campaigns(connections, SHOP)
    assert {each.status for each in kept} == {"draft"}
    assert kept[0].campaign.offer.discount is not None


async def test_nothing_is_kept_while_something_is_wrong(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    answer = await call(browser, "keep", {"form": written(off="much")})
    assert answer.status_code == 400
    assert answer.json() == {"error": "This is a number, such as 10", "field": "off"}
    assert await all_campaigns(connections, SHOP) == []


async def test_a_product_that_sells_with_a_selling_plan_only_can_not_be_chosen(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), *product(7, "Coffee each month"), *product(8, "Cup"))
    await record_flag(connections, SHOP, "requires_selling_plan", {7: True})
    form = written(kind="upsell", off="", products="7, 8")
    why = "Coffee each month sells with a selling plan only, so no offer can add it to a cart"
    (wrong,) = (await call(browser, "check", {"form": form})).json()["errors"]
    assert wrong == {"field": "products", "message": why}
    assert (await call(browser, "keep", {"form": form})).json() == {"error": why, "field": "products"}
    assert await all_campaigns(connections, SHOP) == []
    assert (await call(browser, "keep", {"form": form | {"products": "8"}})).status_code == 200


async def test_a_change_on_top_of_somebody_elses_is_refused(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    await call(browser, "place", {"id": "winter"})
    form = written(id="winter", seen=(await one_campaign(connections, SHOP, "winter")).state)
    await call(browser, "place", {"id": "winter", "before": "loyal-thanked"})
    assert (await call(browser, "keep", {"form": form})).status_code == 400
    form |= {"seen": (await one_campaign(connections, SHOP, "winter")).state}
    assert (await call(browser, "keep", {"form": form})).json()["status"] == "draft"
    assert (await one_campaign(connections, SHOP, "winter")).campaign.name == "Hesitant buyers"
    answer = await call(browser, "keep", {"form": form})
    assert answer.status_code == 400
    assert "Somebody changed this campaign" in answer.json()["error"]
    gone = written(id="spring", seen=form["seen"])
    assert (await call(browser, "keep", {"form": gone})).status_code == 404


async def test_a_campaign_that_can_never_be_shown_is_not_started(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    told = (await call(browser, "keep", {"form": written(rule=NEVER)})).json()
    answer = await call(browser, "status", {"id": told["id"], "status": "running"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Not started. ")
    assert (await one_campaign(connections, SHOP, told["id"])).status == "draft"


async def test_a_dry_run_tells_what_would_have_been_on_past_decisions(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    rich, poor = ({"situation": {"cart": [], "subtotal_minor": minor}} for minor in (9_000, 5_000))
    shown = [weighed(n, f"t{n}") for n in range(4)]
    for at, each in enumerate(shown):
        each.inputs = poor if at == 3 else rich
    await keep(connections, shop_row(), *shown, bought(1, "t1"))
    rule = '{">": [{"var": "cart.subtotal"}, 80]}'
    form = written(rule=rule, evidence="0")
    told = (await call(browser, "dry-run", {"form": form, "last": 100})).json()
    assert told["says"].startswith(
        "Would have been shown 3 times to 3 shoppers, 1 of 3 times to one who bought"
    )


async def test_a_dry_run_says_what_past_decisions_do_not_tell(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    cart = {"situation": {"cart": [], "subtotal_minor": 9_000}}
    shown = [weighed(n, f"t{n}") for n in range(8)]
    for each in shown:
        each.inputs, each.permitted = cart, ["analytics"]
    await keep(connections, shop_row(), *shown)
    form = written(rule='{">": [{"var": "visit.pages"}, 3]}')
    told = (await call(browser, "dry-run", {"form": form})).json()
    assert told["says"] == "None of the last 8 decisions tells all that the rule reads."
    assert any("the number of pages seen in this visit" in each for each in told["more"])


async def test_a_dry_run_without_any_decision_says_so(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    told = (await call(browser, "dry-run", {"form": written()})).json()
    assert told["says"].startswith("No checkout has asked yet")


async def test_a_campaign_for_who_left_is_tried_on_checkouts_that_were_left(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    rule = '{">": [{"var": "cart.subtotal"}, 80]}'
    form = written(rule=rule, trigger="abandonment")
    told = (await call(browser, "dry-run", {"form": form})).json()
    assert told["says"].startswith("Nobody who may be written to has left a checkout yet")
    left = [
        AbandonmentRow(
            shop=SHOP, abandonment_id=f"a{n}", kind="checkout", customer_id=11, currency="USD",
            lines=[[1, 1]], subtotal_minor=n * 5_000, resolution="ordered" if n == 3 else "",
            **dict.fromkeys(TIMES, now()),
        )
        for n in (1, 2, 3)
    ]  # fmt: skip
    await keep(connections, *left)
    told = (await call(browser, "dry-run", {"form": form})).json()
    assert told["says"] == (
        "Would have written 2 messages to 1 customers about the last 3 checkouts left by who may be written "
        "to, 1 of which were ordered anyway."
    )
    assert told["more"] == []


@pytest.mark.parametrize("name", TEMPLATES)
async def test_every_template_opens_in_the_editor(
    connections: Connections, browser: httpx.AsyncClient, name: str
) -> None:
    await keep(connections, shop_row())
    text = await opened(browser, "/admin/campaigns/edit", template=name)
    assert f'label="Name, for you" value="{TEMPLATES[name].campaign.name}"' in text


@pytest.mark.parametrize("query", [{"id": "nothing"}, {"template": "nothing"}, {"kind": "nothing"}])
async def test_what_is_not_there_is_said_on_the_page(
    connections: Connections, browser: httpx.AsyncClient, query: dict[str, str]
) -> None:
    await keep_campaigns(connections)
    assert "not there any more" in await opened(browser, "/admin/campaigns/edit", **query)


async def test_words_of_a_merchant_are_never_markup(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    form = written(name='<b>"x"</b>', messages=[{"locale": "en", "text": "</s-text-area><script>"}])
    told = (await call(browser, "keep", {"form": form})).json()
    for path, query in (("/admin/campaigns", {}), ("/admin/campaigns/edit", {"id": told["id"]})):
        text = await opened(browser, path, **query)
        assert "<b>" not in text
        assert "<script>" not in text.partition("data-campaign")[2]


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
    assert (await one_campaign(connections, SHOP, "loyal-thanked")).status == "paused"
