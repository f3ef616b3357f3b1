"""A merchant is told of a campaign that another one keeps from everybody, and of no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.admin.campaigns_hidden import hidden
from app.campaigns.campaign import Campaign
from app.campaigns.store import StoredCampaign, change_status, keep_campaign
from app.connections import Connections
from app.values import ShopDomain
from tests.admin.factories import SHOP, keep, opened, shop_row
from tests.campaigns.factories import NOW, a_campaign, a_plan, shown

LARGE = {">": [{"var": "cart.lines"}, 2]}
BAR = {"kind": "progress", "target": "50.00"}


def found(first: Campaign, later: Campaign, **changes: Any) -> dict[str, str]:
    fields = {"number": 1, "status": "running", "reason": "", "updated_at": NOW} | changes
    return hidden([StoredCampaign(campaign=each, **fields) for each in (first, later)], NOW)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ({}, {}),
        ({}, {"rule": LARGE, "evidence": 2}),
        ({"rule": LARGE}, {"rule": LARGE}),
        ({"offer": BAR}, {"offer": BAR}),
        ({"schedule": {"starts_at": (NOW - timedelta(days=1)).isoformat()}}, {}),
    ],
)
def test_campaign_that_leaves_the_next_no_place_is_named(
    first: dict[str, Any], later: dict[str, Any]
) -> None:
    one, other = a_campaign("one", priority=1, **first), a_campaign("other", **later)
    assert found(one, other) == {"other": "One"}
    assert "other" not in shown(a_plan(one, other), facts={"cart.lines": 3}, evidence=("cart", "dwell"))


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ({"rule": LARGE}, {}),
        ({"evidence": 2}, {"evidence": 1}),
        ({}, {"offer": BAR}),
        ({"caps": {"per_visitor": 1}}, {}),
        ({"expires_s": 600}, {}),
        ({"delay_s": 60}, {}),
        ({"schedule": {"weekdays": [1]}}, {}),
        ({"schedule": {"ends_at": (NOW + timedelta(days=1)).isoformat()}}, {}),
        ({"schedule": {"starts_at": (NOW + timedelta(days=1)).isoformat()}}, {}),
        ({"choice": "top"}, {"choice": "top"}),
        ({"offer": {"kind": "coupon", "discount": {"percentage": 10}}}, {}),
        (
            {"offer": {"kind": "upsell", "product_ids": [1, 2, 3]}},
            {"offer": {"kind": "upsell", "product_ids": [4]}},
        ),
    ],
)
def test_campaign_that_leaves_the_next_some_shoppers_is_not(
    first: dict[str, Any], later: dict[str, Any]
) -> None:
    assert found(a_campaign("one", **first), a_campaign("other", **later)) == {}


@pytest.mark.parametrize("first", [{"stop": True}, {"group": "one"}])
def test_campaign_of_another_place_hides_none_as_it_may_find_its_own_taken(first: dict[str, Any]) -> None:
    before = a_campaign("before", priority=2, rule=LARGE)
    one, other = a_campaign("one", priority=1, **first), a_campaign("other", **first | {"offer": BAR})
    assert found(one, other) == {}
    assert "other" in shown(a_plan(before, one, other), facts={"cart.lines": 3}, evidence=("cart", "dwell"))


def test_campaign_that_does_not_run_hides_none() -> None:
    assert found(a_campaign("one"), a_campaign("other"), status="paused") == {}


async def test_list_of_campaigns_says_which_one_hides_another(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    for name, priority in (("one", 1), ("other", 0)):
        await keep_campaign(connections, ShopDomain(SHOP), a_campaign(name, priority=priority))
        await change_status(connections, ShopDomain(SHOP), name, "running")
    text = await opened(browser, "/admin/campaigns")
    assert text.count("Hidden behind another campaign") == 1
    assert "“One” is checked first and is for the same shoppers" in text
