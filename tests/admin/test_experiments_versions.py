"""The experiments pages of an experiment that has several versions."""

from __future__ import annotations

import httpx

from app.connections import Connections
from app.experiments.design import read_design
from app.experiments.versions import draft
from app.shops.store import get_shop
from app.values import ShopDomain
from tests.admin.experiment_factories import design, keep_experiment
from tests.admin.experiments_calls import call, of_shop, page
from tests.admin.factories import SHOP, now


async def test_an_older_version_is_read_apart_and_its_own_arm_is_kept(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections, units=10)
    other = [{"name": "as_it_is"}, {"name": "changed", "changes": {"dear_ratio": 9}}]
    await draft(connections, ShopDomain(SHOP), read_design(design(arms=other)), now())
    newest = await page(browser, "/read", id="dear", version="2")
    assert "Start with all shoppers" in newest
    assert ">Version 1</s-link>" in newest
    assert (await call(browser, "start")).status_code == 200
    assert "Start with" not in await page(browser, "/read", id="dear", version="1")
    assert (await call(browser, "conclude", version=1)).status_code == 200
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert shop.settings["dear_ratio"] == 1.5
    assert (await of_shop(connections)).status == "stopped"  # the second version too: it is for everybody


async def test_the_version_that_runs_is_listed_while_a_later_one_is_written(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections, units=1)
    await draft(connections, ShopDomain(SHOP), read_design(design()), now())
    text = await page(browser)
    assert "Since " in text
    assert "no shoppers are in it" not in text
