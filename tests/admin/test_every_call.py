"""What holds for all calls of the admin's scripts: refused in the merchant's language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import respx
from redis.asyncio import Redis
from sqlmodel import SQLModel
from starlette.routing import Route

import app.admin.calls
from app.admin.routes import routes
from app.campaigns.store import keep_campaign
from app.connections import Connections, connect
from app.outbound_tables import ApiKeyRow
from app.shops.settings import change_setting
from app.values import ShopDomain
from tests.admin.campaign_factories import keep_campaigns
from tests.admin.every_call import BARE, CALLS, RIGHT, SEGMENT, WRONG
from tests.admin.experiment_factories import keep_experiment
from tests.admin.factories import SHOP, asked, bearer, imported, keep, now, product
from tests.admin.segment_factories import in_segment
from tests.campaigns.factories import TEN_PERCENT, a_campaign
from tests.shops.web import browsing

POSTED = {
    route.path.removeprefix(f"{CALLS}/")
    for route in routes
    if isinstance(route, Route) and "POST" in (route.methods or ())
}


def test_every_call_is_tried() -> None:
    assert set(RIGHT) == POSTED
    assert set(WRONG) | BARE == POSTED


async def refused(browser: httpx.AsyncClient, name: str, body: Any, language: str) -> str:
    headers = {**bearer(), "Accept-Language": language}
    answer = await browser.post(f"{CALLS}/{name}", json=body, headers=headers)
    assert 400 <= answer.status_code < 500, (name, body, answer.text)
    return str(answer.json()["error"])


async def test_numbers_of_a_call_are_not_read_by_msgspec(
    connections: Connections, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes thirty times as long as Python for those near the ends of what a float holds."""
    read: list[str] = []

    def reading(text: str) -> float:
        read.append(text)
        return float(text)

    monkeypatch.setattr(app.admin.calls, "finite", reading)
    await keep_campaigns(connections)
    sent = b'{"limits": {"orders": 1e308}}'
    assert (await browser.post(f"{CALLS}/privacy/limits", content=sent, headers=bearer())).status_code == 400
    assert read == ["1e308"]


@pytest.mark.parametrize("name", sorted(WRONG))
async def test_what_is_wrong_is_said_in_the_merchants_language(
    connections: Connections, browser: httpx.AsyncClient, name: str
) -> None:
    if name.startswith("experiments"):
        await keep_experiment(connections, units=10)
    else:
        await keep_campaigns(connections)
    await keep(connections, *product(1, "Butter"))
    shapeless = [] if name in BARE else [{"nothing": 1}, [1], "x"]
    for body in (*WRONG[name], *shapeless):
        said = [await refused(browser, name, body, language) for language in TWO]
        assert said[0] != said[1]


async def test_campaign_that_is_written_is_judged_in_the_merchants_language(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    for body in WRONG["campaigns/keep"][:-1]:
        told = []
        for language in TWO:
            headers = {**bearer(), "Accept-Language": language}
            answer = await browser.post(f"{CALLS}/campaigns/check", json=body, headers=headers)
            told.append(answer.json()["errors"][0]["message"])
        assert told[0] != told[1]


# That the other languages have every sentence is tested with the catalogues.
TWO = ("en", "de")
ASKS_SHOPIFY = frozenset({"privacy/export", "privacy/person"})


async def a_shop_with_all_that_is_asked_of(connections: Connections) -> None:
    await keep_experiment(connections, units=10)
    await keep(connections, *product(1, "Butter"), imported("products"), asked("r1"))
    shop = ShopDomain(SHOP)
    await keep_campaign(connections, shop, a_campaign("winter", offer=TEN_PERCENT))
    await change_setting(connections, shop, "segments", lambda _kept: [SEGMENT | {"name": "regulars"}])
    key = ApiKeyRow(shop=SHOP, key_id="k1", digest="d", made_at=now())
    await keep(connections, in_segment(5, "new", (5, 1, 1)), key)


async def called(browser: httpx.AsyncClient, name: str) -> httpx.Response:
    return await browser.post(f"{CALLS}/{name}", json=RIGHT[name], headers=bearer())


@contextmanager
def shopify_refusing() -> Iterator[None]:
    with respx.mock(assert_all_called=False) as shopify:
        shopify.post(host=SHOP).respond(json={"errors": [{"message": "denied"}]})
        shopify.route(host="app").pass_through()
        yield


async def contents(connections: Connections) -> dict[str, list[Any]]:
    """Return every row of every table."""
    async with connections.read() as db:
        connection = await db.connection()
        return {
            table.name: sorted(map(repr, (await connection.execute(table.select())).all()))
            for table in SQLModel.metadata.sorted_tables
        }


@pytest.mark.parametrize("name", sorted(RIGHT))
async def test_call_without_its_database_says_so(connections: Connections, name: str) -> None:
    away = replace(connections.settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with connect(away, connections.redis_url) as broken, browsing(routes, broken) as browser:
        answer = await called(browser, name)
    assert answer.status_code == 503
    assert "can't reach its database" in answer.json()["error"]


@pytest.mark.parametrize("name", sorted(RIGHT))
async def test_call_without_redis_is_done_or_says_so_and_keeps_nothing_half(
    connections: Connections, name: str
) -> None:
    await a_shop_with_all_that_is_asked_of(connections)
    before = await contents(connections)
    away = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2, retry=None)
    async with browsing(routes, replace(connections, redis=away)) as without:
        with shopify_refusing():
            answer = await called(without, name)
    await away.aclose()
    if answer.status_code != 503:
        assert answer.status_code < 500 or name in ASKS_SHOPIFY
        return
    assert "can't reach its Redis" in answer.json()["error"]
    changed = {table for table, rows in (await contents(connections)).items() if rows != before[table]}
    assert changed <= {"secrets"}  # made when they are needed first


@pytest.mark.parametrize("name", sorted(ASKS_SHOPIFY))
async def test_call_that_shopify_refuses_says_so(
    connections: Connections, browser: httpx.AsyncClient, name: str
) -> None:
    await a_shop_with_all_that_is_asked_of(connections)
    with shopify_refusing():
        answer = await called(browser, name)
    assert answer.status_code == 502
    assert answer.json()["error"].startswith("Shopify can't be reached just now, or refuses what")
