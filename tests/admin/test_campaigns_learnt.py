"""What was learnt of shoppers, as the merchant is told it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.admin.campaigns_learnt_view import verdict
from app.admin.language import speaking
from app.admin.routes import routes
from app.connections import Connections, connect
from tests.admin.campaign_factories import INTENT_LEARNT, keep_campaigns, keep_learnt
from tests.admin.factories import OTHER, SHOP, entrance, keep, shop_row
from tests.shops.web import browsing

PAGE = "/admin/campaigns/learnt"


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


async def opened(browser: httpx.AsyncClient, shop: str = SHOP) -> str:
    address, entered = entrance(PAGE, shop)
    answer = await browser.get(address, params=entered)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.replace("&#39;", "'").split())


async def test_a_shop_that_nothing_is_known_of_is_told_so(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    text = await opened(browser)
    assert "the model all shops begin with is used" in text
    assert "No campaign has told anything yet." in text
    assert "Which campaign is best" not in text


async def test_how_good_each_way_of_foretelling_is_stands_beside_the_others(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    await keep_learnt(connections)
    text = await opened(browser)
    assert "Your shop's own model is in use" in text
    assert "Learnt from 4,000 visits, 644 of which ended in an order" in text
    assert "Of 24,000 moments, 13.0% were followed by it." in text
    assert text.index("0.843") < text.index("0.640") < text.index("0.671") < text.index("1.000")
    assert "0.451" in text
    assert "0.0108" in text
    assert "of shoppers who allow nothing" not in text  # there were too few of these


async def test_whom_a_coupon_changes_is_told_with_its_threshold_and_its_false_positives(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    await keep_learnt(connections)
    text = await opened(browser)
    assert "+18.2% of shoppers buy because of it (+10.0% to +26.0%), of 4,000 shown or held back." in text
    assert "It can be told whom it changes" in text
    # a tenth of 60.00 is 6.00; 18.2 % x (20.00 - 6.00) / 6.00 = 42.5 %
    assert (
        "To who would buy anyway in fewer than 42.5% of cases, at the usual cart of $60.00, which leaves "
        "$20.00 and of which the coupon takes $6.00."
    ) in text
    assert "28% (240 of 857), 25% to 31%" in text
    assert text.count("Bought anyway, of those held back") == 1  # a campaign that is gone is not told of
    assert "10% for loyal customers</dt><dd>80%</dd>" in text
    assert "Winter</dt><dd>20%</dd>" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"average": None, "basis": "rule"}, "Not known yet: the rule alone decides."),
        ({"cart": None}, "Without your products' costs it can't be told"),
        ({"average": {"mean": 0.02, "low": -0.01, "high": 0.05}}, "To nobody but one in twenty"),
        ({"cart": {"carts": 9, "subtotal_minor": 6_000, "spare_minor": 500}}, "To nobody but one in twenty"),
        ({"basis": "average"}, "Whom it changes can't be told apart yet"),
        ({"bought_anyway": {"happened": 0, "of": 0}}, "Nobody was held back yet."),
    ],
)
async def test_what_is_not_known_is_said(
    connections: Connections, browser: httpx.AsyncClient, changes: dict[str, Any], says: str
) -> None:
    await keep_campaigns(connections)
    await keep_learnt(connections, **changes)
    assert says in await opened(browser)


@pytest.mark.parametrize(
    ("changes", "serves", "why"),
    [
        ({}, "Your shop's own model is in use", "surely better"),
        ({"publish": False}, "The model all shops begin with is in use", "was not surely better"),
        (
            {"publish": False, "heads": {}},
            "The model all shops begin with is in use",
            "takes 300 visits, and 30",
        ),
    ],
)
def test_why_a_model_serves_is_said(changes: dict[str, Any], serves: str, why: str) -> None:
    with speaking("en"):
        told = verdict(INTENT_LEARNT | changes)
    assert told.serves == serves
    assert why in told.why


async def test_another_shop_is_told_nothing_of_it(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_campaigns(connections)
    await keep_learnt(connections)
    await keep(connections, shop_row(OTHER))
    assert "10% for loyal customers" not in await opened(browser, OTHER)


async def test_the_page_says_what_is_away_while_the_database_is(connections: Connections) -> None:
    await keep_campaigns(connections)
    away = replace(connections.settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with (
        connect(away, connections.redis_url) as broken,
        browsing(routes, broken) as browser,
    ):
        address, entered = entrance(PAGE)
        answer = await browser.get(address, params=entered)
    assert answer.status_code == 503
    assert "can't reach its database" in answer.text.replace("&#39;", "'")
