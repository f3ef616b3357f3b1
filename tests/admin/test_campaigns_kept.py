"""The editor of a campaign: what is written is judged, and kept once nothing is wrong with it."""

from __future__ import annotations

import html
import json
import re

import httpx
import pytest

from app.campaigns.store import all_campaigns, get_campaign
from app.campaigns.templates import TEMPLATES
from app.catalog.flags import record_flag
from app.connections import Connections
from tests.admin.campaign_factories import keep_campaigns, written
from tests.admin.campaigns_calls import call
from tests.admin.factories import SHOP, keep, opened, product, shop_row
from tests.admin.segment_factories import keep_segments


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


async def test_what_is_written_is_read_back_and_judged(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    answer = (await call(browser, "check", {"form": written()})).json()
    assert answer["errors"] == []
    assert answer["says"] == (
        "One or more of “hesitant buyers” are among the customer's segments "
        "and the cart's subtotal is above $80.00."
    )
    assert answer["shows"] == "10% off, for 1 day"
    assert answer["preview"]["text"] == "Save 10% on your order"
    assert "at a loss" in answer["guards"][0]


async def test_segments_are_read_back_by_their_titles_in_the_merchants_language(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    browser.headers["Accept-Language"] = "de"
    says = (await call(browser, "check", {"form": written()})).json()["says"]
    assert says.startswith("Die Segmente des Kunden enthalten mindestens eines von „Zögernde Käufer“ und ")


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
    await keep(
        connections,
        shop_row(),
        *product(7, "Coffee each month"),
        *product(8, "Cup"),
        *product(9, "Gift card"),
    )
    await record_flag(connections, SHOP, "requires_selling_plan", {7: True})
    await record_flag(connections, SHOP, "gift_card", {9: True})
    form = written(kind="upsell", off="", products="7, 8")
    why = "Coffee each month sells with a selling plan only, so no offer can add it to a cart"
    (wrong,) = (await call(browser, "check", {"form": form})).json()["errors"]
    assert wrong == {"field": "products", "message": why}
    assert (await call(browser, "keep", {"form": form})).json() == {"error": why, "field": "products"}
    assert await all_campaigns(connections, SHOP) == []
    (wrong,) = (await call(browser, "check", {"form": form | {"products": "9"}})).json()["errors"]
    assert wrong["message"] == "Gift card is a gift card, which is not offered"
    assert (await call(browser, "keep", {"form": form | {"products": "8"}})).status_code == 200


async def test_a_change_on_top_of_somebody_elses_is_refused(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    await call(browser, "place", {"id": "winter"})
    form = written(id="winter", seen=(await get_campaign(connections, SHOP, "winter")).state)
    await call(browser, "place", {"id": "winter", "before": "loyal-thanked"})
    assert (await call(browser, "keep", {"form": form})).status_code == 400
    form |= {"seen": (await get_campaign(connections, SHOP, "winter")).state}
    assert (await call(browser, "keep", {"form": form})).json()["status"] == "draft"
    assert (await get_campaign(connections, SHOP, "winter")).campaign.name == "Hesitant buyers"
    answer = await call(browser, "keep", {"form": form})
    assert answer.status_code == 400
    assert "Somebody changed this campaign" in answer.json()["error"]
    gone = written(id="spring", seen=form["seen"])
    assert (await call(browser, "keep", {"form": gone})).status_code == 404


async def test_an_example_stands_in_a_field_as_it_is_to_be_typed(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    text = await opened(browser, "/admin/campaigns/edit", kind="banner")
    found = re.search(r'data-editing="([^"]*)"', text)
    assert found is not None
    fields = json.loads(html.unescape(found[1]))["fields"]
    shown = {
        name: (fields[name]["example"], fields[name]["unit"]) for name in ("intent.now", "cart.subtotal")
    }
    assert shown == {"intent.now": ("30", "%"), "cart.subtotal": ("80", "USD")}


@pytest.mark.parametrize("name", TEMPLATES)
async def test_every_template_opens_in_the_editor(
    connections: Connections, browser: httpx.AsyncClient, name: str
) -> None:
    await keep(connections, shop_row())
    text = await opened(browser, "/admin/campaigns/edit", template=name)
    assert f'label="Name, for you" value="{TEMPLATES[name].campaign.name}"' in text


async def test_a_campaign_whose_time_is_to_come_is_scheduled_and_says_when(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(time_zone="Europe/Berlin"))
    schedule = {"starts_at": "2126-12-07 09:00", "ends_at": "2126-12-08 18:00", "weekdays": [7, 6]}
    told = (await call(browser, "keep", {"form": written(**schedule, hour_from="9", hour_until="24")})).json()
    started = await call(browser, "status", {"id": told["id"], "status": "running"})
    assert started.json() == {"standing": "scheduled"}
    text = (await opened(browser, "/admin/campaigns")).replace("\N{NO-BREAK SPACE}", " ")
    assert ">Scheduled</s-badge>" in text
    days = "Dec 7, 2126, 9:00 AM to Dec 8, 2126, 6:00 PM"
    assert f"<dd>{days} · Saturday and Sunday · 9:00 AM to 12:00 AM</dd>" in text
    assert "<details open>" in await opened(browser, "/admin/campaigns/edit", copy=told["id"])


async def test_a_campaign_is_duplicated_with_all_it_has_into_one_of_its_own(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    await call(browser, "keep", {"form": written(name="Summer", lasts="6")})
    assert "copy=summer" in await opened(browser, "/admin/campaigns")
    text = await opened(browser, "/admin/campaigns/edit", copy="summer")
    assert 'data-id="" data-seen=""' in text
    assert 'value="Copy of Summer"' in text
    assert 'label="Lasts, in hours" value="6"' in text
    assert "<details>" in text


async def test_a_campaign_for_everybody_is_opened_without_a_condition_to_fill_in(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    await call(browser, "keep", {"form": written(name="Summer", groups=[])})
    for asked, groups in (({"id": "summer"}, 0), ({"copy": "summer"}, 0), ({"kind": "banner"}, 1)):
        shown, _, _templates = (await opened(browser, "/admin/campaigns/edit", **asked)).partition(
            "<template"
        )
        assert shown.count(" data-group ") == groups


@pytest.mark.parametrize(
    "query", [{"id": "nothing"}, {"copy": "nothing"}, {"template": "nothing"}, {"kind": "nothing"}]
)
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
