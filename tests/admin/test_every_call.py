"""What holds for all calls of the admin's scripts: refused in the merchant's language."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.routing import Route

from app.admin.language import LANGUAGES
from app.admin.routes import routes
from app.connections import Connections
from tests.admin.campaign_factories import keep_campaigns
from tests.admin.every_call import BARE, CALLS, RIGHT, WRONG
from tests.admin.factories import bearer, keep, product
from tests.admin.test_experiments import keep_experiment

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
        said = [await refused(browser, name, body, language) for language in LANGUAGES]
        assert len(set(said)) == len(LANGUAGES), said


async def test_campaign_that_is_written_is_judged_in_the_merchants_language(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    for body in WRONG["campaigns/keep"][:-1]:
        told = []
        for language in LANGUAGES:
            headers = {**bearer(), "Accept-Language": language}
            answer = await browser.post(f"{CALLS}/campaigns/check", json=body, headers=headers)
            told.append(answer.json()["errors"][0]["message"])
        assert len(set(told)) == len(LANGUAGES), told
