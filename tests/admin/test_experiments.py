"""The experiments pages: what is shown, and of whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import update

from app.admin.experiments_form import arm_words
from app.admin.experiments_view import provisos, says
from app.admin.routes import routes
from app.connections import Connections, connect
from app.experiments.analysis import analyse
from app.experiments.outcomes import DataQuality
from app.experiments.store import Readout
from app.tables import DecisionRow
from app.upsert import table_of
from tests.admin.experiment_factories import keep_experiment
from tests.admin.experiments_calls import page
from tests.admin.factories import OTHER, entrance, keep, shop_row
from tests.experiments.factories import drawn
from tests.experiments.test_export import a_readout
from tests.shops.web import browsing

DECISIONS = table_of(DecisionRow)
ALL = ("", "/new", "/read", "/earned")


def first_arm(found: Readout) -> str:
    return arm_words(next(iter(found.design.shares)), {})


async def test_a_shop_that_tried_nothing_is_told_what_an_experiment_is(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    assert "No experiments yet" in await page(browser)
    assert "No figures yet" in await page(browser, "/read", id="standing")
    assert "No offer came before an order" in await page(browser, "/earned")


@pytest.mark.parametrize(
    ("kept", "holds_out"), [({}, True), ({"arms": {"personalised": 9, "static": 1}}, False)]
)
async def test_the_holdout_is_told_of_where_there_is_one(
    connections: Connections, browser: httpx.AsyncClient, kept: dict[str, Any], holds_out: bool
) -> None:
    await keep(connections, shop_row(settings=kept))
    listed, read = await page(browser), await page(browser, "/read", id="standing")
    assert ("The holdout always runs" in listed) is ("It always runs." in read) is holds_out
    assert ("Nobody is held out" in listed) is ("Nobody is held out" in read) is not holds_out


async def test_a_winner_is_told_in_plain_words_with_its_limits(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections)
    assert "Dearer offers" in await page(browser)
    text = await page(browser, "/read", id="dear")
    assert "“Changed” is better" in text
    assert "Shoppers who ordered: 4" in text  # nearly a half of the changed arm ordered
    assert "chance alone does not explain it" in text
    assert "800 of 1,000 planned shoppers were followed to the end." in text
    assert 'class="interval good"' in text
    assert "then it is not quite that of the two results beside it" in text
    # A figure that is not known is a sentence, and no row of dashes.
    assert "<s-table-cell>–" not in text
    assert "so a difference can't be told from chance." in text


async def test_without_a_difference_there_is_no_winner_yet(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections, rates=(0.3, 0.3))
    text = await page(browser, "/read", id="dear")
    assert 'heading="No winner yet"' in text
    assert "is better" not in text


async def test_groups_that_did_not_split_as_planned_have_no_figures(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections, split=5)
    text = await page(browser, "/read", id="dear")
    assert "These figures can't be trusted" in text
    assert "Visitors weren't split as planned, so no comparison can be trusted." in text
    assert 'class="interval' not in text


def test_an_arm_that_changes_who_is_recognised_is_no_matter_of_waiting() -> None:
    units = drawn()
    found = a_readout(units)
    reading = analyse(units, found.design.plan, found.counts, recognised=(100, 900))
    told = says(msgspec.structs.replace(found, reading=reading, recognised=(100, 900)), {})
    assert (told.tone, told.heading) == ("critical", "These figures can't be trusted")
    assert "more of their orders are found" in told.text


async def test_those_whom_shopify_vouches_for_can_be_read_alone(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections)
    assert "whom=vouched" not in await page(browser, "/read", id="dear")  # all came first in a checkout
    async with connections.write() as db:
        first = DECISIONS.c.decision_id.in_([f"e{n}" for n in range(300)])
        await (await db.connection()).execute(update(DECISIONS).where(first).values(surface="storefront"))
    text = await page(browser, "/read", id="dear")
    assert "800 of 1,000 planned shoppers were followed to the end." in text
    assert "id=dear&version=1&whom=vouched" in text.replace("&amp;", "&")
    alone = await page(browser, "/read", id="dear", version="1", whom="vouched")
    assert "500 of 1,000 planned shoppers were followed to the end." in alone
    assert "Only shoppers whom Shopify vouches for" in alone
    assert "This is a check: decide by all shoppers" in alone  # who takes the better of two looks twice
    assert "Download as CSV" not in alone  # the file is of all


async def test_too_few_shoppers_are_told_as_too_few(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections, units=60)
    text = await page(browser, "/read", id="dear")
    assert "Figures appear once each group has 100 shoppers" in text


async def test_what_offers_are_credited_with_stands_beside_what_they_caused(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections)
    text = await page(browser, "/earned", days="30", model="linear")
    assert "Credited to offers" in text
    assert "more per shopper than “Held out: sees nothing of Tillwise”, times 800 shoppers" in text
    assert '<s-option value="linear" selected>' in text


async def test_pages_of_another_shop_show_nothing_of_this_one(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections, units=10)
    await keep(connections, shop_row(OTHER))
    assert "No experiments yet" in await page(browser, "", OTHER)
    assert "This experiment is not there" in await page(browser, "/read", OTHER, id="dear")


@pytest.mark.parametrize("path", ALL)
async def test_pages_say_what_is_away_while_the_database_is(connections: Connections, path: str) -> None:
    away = replace(connections.settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with connect(away, connections.redis_url) as broken, browsing(routes, broken) as browser:
        address, query = entrance(f"/admin/experiments{path}")
        answer = await browser.get(address, params=query)
    assert answer.status_code == 503
    assert "can't reach its database" in answer.text.replace("&#39;", "'")


def test_what_is_in_the_figures_otherwise_than_one_might_think_is_said_with_its_definition() -> None:
    found = a_readout()
    aside = DataQuality(unserved=3, cut_short=1_200)
    reading = replace(found.reading, cut=(0.021, 0.0))
    some = tuple(count // 2 for count in found.counts)
    held = msgspec.structs.replace(found, aside=aside, recognised=(4, 5), vouched=some, reading=reading)
    assert provisos(held, {}) == [
        ("experiment_unserved", "3 shoppers saw your shop as it is instead."),
        ("experiment_cut_short", "1,200 shoppers were still followed when the experiment ended."),
        ("experiment_recognised", "9 shoppers were recognised under a second name."),
        (
            "experiment_vouched",
            "Shopify vouches for these shares of the groups: "
            + ", ".join(
                f"{arm_words(arm, {})} {half / of:.1%}"
                for arm, half, of in zip(found.design.shares, some, found.counts, strict=True)
            )
            + ".",
        ),
        ("experiment_cut", f"Of the revenue, left out as too large: {first_arm(found)} 2.1%."),
    ]
    clean = msgspec.structs.replace(found, vouched=found.counts, reading=replace(found.reading, cut=()))
    assert provisos(clean, {}) == []
