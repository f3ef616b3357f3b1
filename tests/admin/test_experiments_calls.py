"""The experiments pages' calls: what is planned, refused, kept, ended and taken away."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from typing import Any

import httpx
import pytest

from app.admin.routes import routes
from app.campaigns.store import change_status, get_campaign, keep_campaign
from app.connections import Connections, connect
from app.experiments.design import read_design
from app.experiments.versions import draft, versions
from app.shops.store import get_shop
from app.values import ShopDomain
from tests.admin.campaign_factories import keep_named
from tests.admin.experiment_factories import days_ago, design, keep_experiment
from tests.admin.experiments_calls import BODIES, CALLS, call, of_shop, page
from tests.admin.factories import OTHER, SHOP, bearer, keep, now, product, shop_row
from tests.campaigns.factories import a_campaign
from tests.shops.web import browsing


async def test_a_plan_says_how_long_it_takes(connections: Connections, browser: httpx.AsyncClient) -> None:
    await keep_experiment(connections)
    answer = (await call(browser, "plan", form={"metric": "conversion", "lift": "20"})).json()
    assert answer["days"] % 7 == 0
    assert f"{answer['units']:,} shoppers" in answer["says"]["takes"]
    assert "Shoppers who ordered is 3" in answer["says"]["from"]
    finer = (await call(browser, "plan", form={"metric": "conversion", "lift": "10"})).json()
    assert finer["units"] > 3 * answer["units"]


async def test_a_plan_and_its_page_say_what_a_campaigns_schedule_does_to_it(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    for name, schedule in (("always", {}), ("mondays", {"weekdays": [1], "hours": [10, 12]})):
        await keep_campaign(connections, ShopDomain(SHOP), a_campaign(name, schedule=schedule))
        await change_status(connections, ShopDomain(SHOP), name, "running")
    said = {
        (tries, campaign): (
            await call(browser, "plan", form={"tries": tries, "campaign": campaign, "other": "mondays"})
        ).json()["says"]["when"]
        for tries in ("without_campaign", "two_campaigns", "dear_ratio")
        for campaign in ("always", "mondays")
    }
    assert {each for each, when in said.items() if not when} == {
        ("without_campaign", "always"), ("dear_ratio", "always"), ("dear_ratio", "mondays")
    }  # fmt: skip
    scheduled = "“Mondays” only runs at set times: Monday · 10:00\xa0AM to 12:00\xa0PM"
    told = {when.partition(". ")[0] for when in said.values() if when}
    assert told == {scheduled}
    form = {"name": "Week", "tries": "two_campaigns", "campaign": "always", "other": "mondays"}
    await call(browser, "keep", form=form)
    await call(browser, "start", id="week")
    said_there = scheduled.replace("\xa0", " ")
    assert said_there in await page(browser, "/read", id="week")
    await call(browser, "stop", id="week")
    assert said_there not in await page(browser, "/read", id="week")


async def test_a_shop_without_shoppers_may_start_all_the_same(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), *product(1, "Butter"))
    answer = (await call(browser, "plan")).json()
    assert answer["units"] is None
    assert "It's too early to say how long this takes" in answer["says"]["takes"]
    assert (await call(browser, "keep")).json() == {"id": "dearer", "version": 1, "share": 100}
    assert (await of_shop(connections, "dearer")).design.planned_units == 10_000
    started = await call(browser, "start", id="dearer", share=10)
    assert started.json()["status"] == "running"
    assert (await of_shop(connections, "dearer")).ramp == 0.1


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": ""}, "name"),
        ({"ratio": "much"}, "ratio"),
        ({"ratio": "1000"}, "ratio"),
        ({"lift": "0"}, "lift"),
        ({"share": "101"}, "share"),
        ({"window_days": "nan"}, "window_days"),
        ({"metric": "luck"}, "metric"),
        ({"tries": "without_campaign"}, "campaign"),
        ({"tries": "two_campaigns"}, "campaign"),
        ({"tries": "words", "campaign": "loyal-thanked", "locale": "?", "words": "x"}, "locale"),
        ({"tries": "words", "campaign": "loyal-thanked", "locale": "en", "words": " "}, "words"),
        ({"tries": "words", "campaign": "loyal-thanked", "locale": "en", "words": "{nothing}"}, "words"),
        ({"tries": "two_campaigns", "campaign": "loyal-thanked", "other": "loyal-thanked"}, "other"),
        ({"tries": "model", "version": "none"}, "version"),
        ({"tries": "without_wishes"}, "tries"),
    ],
)
async def test_what_can_not_be_tried_is_said_beside_its_field_and_nothing_is_kept(
    connections: Connections, browser: httpx.AsyncClient, form: dict[str, str], field: str
) -> None:
    await keep(connections, shop_row())
    await keep_named(connections, "loyal-thanked", "running")
    answer = await call(browser, "keep", form=BODIES["keep"]["form"] | form)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert await versions(connections, SHOP) == []


@pytest.mark.parametrize(
    "body", [{}, {"form": {"unknown": "1"}}, {"form": {"tries": "luck"}}, {"form": None}, []]
)
async def test_unusable_call_is_refused(
    connections: Connections, browser: httpx.AsyncClient, body: Any
) -> None:
    await keep(connections, shop_row())
    answer = await browser.post(f"{CALLS}/keep", json=body, headers=bearer())
    assert answer.status_code == 400


async def test_a_campaign_is_tried_against_nothing_and_against_another(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    await keep_named(connections, "loyal-thanked", "running")
    await keep_named(connections, "free-shipping", "running")
    form = {"name": "Thanks", "tries": "without_campaign", "campaign": "loyal-thanked"}
    assert (await call(browser, "keep", form=form)).status_code == 200
    first = (await of_shop(connections, "thanks")).design
    assert first.control == "without_it"
    assert {arm.name: arm.changes for arm in first.arms} == {
        "with_it": {},
        "without_it": {"campaigns": {"loyal-thanked": None}},
    }
    both = form | {"name": "Thanks", "tries": "two_campaigns", "other": "free-shipping"}
    assert (await call(browser, "keep", form=both)).json()["id"] == "thanks-2"
    arms = (await of_shop(connections, "thanks-2")).design.shares
    assert list(arms) == ["free-shipping", "loyal-thanked"]
    assert (await call(browser, "start", id="thanks")).json()["status"] == "running"
    overlapping = await call(browser, "start", id="thanks-2")
    assert overlapping.status_code == 400
    assert "run one after the other" in overlapping.json()["error"]


async def test_a_running_experiment_is_stopped_and_everybody_is_served_as_before(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections, units=10)
    assert (await call(browser, "stop")).json()["status"] == "stopped"
    assert (await call(browser, "stop")).json()["status"] == "stopped"  # once more changes nothing
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert "dear_ratio" not in shop.settings


async def test_an_arm_is_kept_for_everybody(connections: Connections, browser: httpx.AsyncClient) -> None:
    await keep_experiment(connections, units=10)
    assert (await call(browser, "conclude")).status_code == 200
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert shop.settings["dear_ratio"] == 1.5
    assert (await of_shop(connections)).status == "stopped"
    assert (await call(browser, "conclude")).status_code == 200  # once more changes nothing
    assert (await call(browser, "conclude", arm="unknown")).status_code == 404


async def test_a_campaigns_change_is_kept_with_the_end_of_its_experiment(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    await keep_named(connections, "free-shipping", "running")
    form = {"name": "Bar", "tries": "words", "campaign": "free-shipping", "locale": "en"}
    words = "Only {amount} to free shipping"
    assert (await call(browser, "keep", form=form | {"words": words})).status_code == 200
    assert (await call(browser, "start", id="bar")).status_code == 200
    assert (await call(browser, "conclude", id="bar", arm="changed")).status_code == 200
    kept = await get_campaign(connections, SHOP, "free-shipping")
    assert (kept.status, kept.campaign.offer.messages["en"]) == ("running", words)
    off = {"name": "Off", "tries": "without_campaign", "campaign": "free-shipping"}
    await call(browser, "keep", form=off)
    await call(browser, "start", id="off")
    await call(browser, "conclude", id="off", arm="without_it")
    assert (await get_campaign(connections, SHOP, "free-shipping")).status == "stopped"


async def test_what_can_not_be_kept_leaves_the_experiment_running(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    await keep_campaign(connections, ShopDomain(SHOP), a_campaign("winter"))
    gone = [{"name": "as_it_is"}, {"name": "changed", "changes": {"dear_ratio": 3, "campaigns": {"x": None}}}]
    await draft(connections, ShopDomain(SHOP), read_design(design(arms=gone)), days_ago(1))
    assert (await call(browser, "conclude")).status_code == 404  # nobody was ever in it
    assert (await call(browser, "start")).status_code == 200
    answer = await call(browser, "conclude")
    assert answer.status_code == 400
    assert "not there any more" in answer.json()["error"]
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert "dear_ratio" not in shop.settings
    assert (await of_shop(connections)).status == "running"


async def test_figures_are_taken_away_as_a_table(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections)
    before = now()
    answer = await call(browser, "export")
    named = {f'attachment; filename="dear-{at:%Y-%m-%d}.csv"' for at in (before, now())}
    assert answer.headers["content-disposition"] in named
    lines = list(csv.DictReader(StringIO(answer.text)))
    (decided,) = [each for each in lines if each["decides"] == "True"]
    assert (decided["arm"], decided["metric"], decided["verdict"]) == ("changed", "conversion", "better")
    assert float(decided["difference_low"]) > 0
    (none,) = [each for each in lines if each["metric"] == "acceptance"]
    assert (none["figure"], bool(none["reason"])) == ("", True)
    assert (await call(browser, "export", id="standing")).status_code == 200


@pytest.mark.parametrize("name", [name for name in BODIES if name not in ("plan", "keep")])
async def test_staff_of_another_shop_reach_nothing_of_this_one(
    connections: Connections, browser: httpx.AsyncClient, name: str
) -> None:
    await keep_experiment(connections, units=10)
    await keep(connections, shop_row(OTHER))
    assert (await call(browser, name, OTHER)).status_code == 404
    assert (await of_shop(connections)).status == "running"


@pytest.mark.parametrize("name", BODIES)
async def test_call_without_a_token_is_refused(
    connections: Connections, browser: httpx.AsyncClient, name: str
) -> None:
    await keep(connections, shop_row())
    assert (await browser.post(f"{CALLS}/{name}", json=BODIES[name])).status_code == 401


@pytest.mark.parametrize("name", BODIES)
async def test_calls_say_what_is_away_while_the_database_is(connections: Connections, name: str) -> None:
    away = replace(connections.settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with connect(away, connections.redis_url) as broken, browsing(routes, broken) as browser:
        answer = await call(browser, name)
    assert answer.status_code == 503
    assert "can't reach its database" in answer.json()["error"]


@pytest.mark.parametrize("name", ["start", "stop", "conclude"])
async def test_what_is_done_while_redis_is_away_stays_done_and_is_said_to_take_longer(
    connections: Connections, browser: httpx.AsyncClient, name: str
) -> None:
    await keep_experiment(connections, units=10)
    away = connect(connections.settings, "redis://127.0.0.1:1")
    async with away as broken, browsing(routes, broken) as without:
        answer = await call(without, name)
    assert (answer.status_code, answer.headers["X-Tillwise-Later"]) == (200, "1")
    assert (await of_shop(connections)).status == ("running" if name == "start" else "stopped")
    if name == "stop":  # a repeat changes nothing
        assert (await call(browser, name)).status_code == 200
