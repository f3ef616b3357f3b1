"""Whom a campaign's guardrails see: everyone since it began, however many that are."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.campaigns import guardrail_facts as module
from app.campaigns.guardrail_facts import read_watched, watched
from app.campaigns.store import get_campaign
from app.child_process import ChildFailed
from app.connections import Connections, redis_key
from app.reach.monitoring import guard_campaigns
from app.tables import DecisionRow
from tests.reach.places import SHOP, a_shop
from tests.reach.test_monitoring import HOURS_AGO, NOW, a_running, decisions

BEGAN = HOURS_AGO - timedelta(hours=1)
RESTING = redis_key(SHOP, "watched")


@pytest.fixture(autouse=True)
def no_process_for_so_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in a thread: starting a process takes longer. tests/test_child_process.py has those."""
    monkeypatch.setattr(module, "run_in_child", asyncio.to_thread)


@pytest.mark.parametrize("few", [100, 100_000])
async def test_a_guardrail_sees_all_since_its_campaign_began(
    on_both_databases: Connections, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(module, "FEW", few)
    monkeypatch.setattr(module, "_AT_ONCE", 250)
    await a_shop(on_both_databases)
    await decisions(on_both_databases, bought=(0.1, 0.5))
    found = (await watched(on_both_databases, SHOP, {"help": BEGAN}))["help"]
    assert (len(found), int(found.shown.sum())) == (900, 630)
    assert 0.05 < found.ordered[found.shown].mean() < 0.15
    await on_both_databases.redis.delete(RESTING)
    await a_running(on_both_databases, BEGAN)
    assert await guard_campaigns(on_both_databases, SHOP, NOW) == ["help"]
    assert "(900 shoppers;" in (await get_campaign(on_both_databases, SHOP, "help")).reason


async def test_what_is_read_apart_rests_and_what_is_young_is_looked_at_each_time(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW", 100)
    await a_shop(connections)
    await decisions(connections, bought=(0.3, 0.3))
    since = {"help": BEGAN, "young": NOW - timedelta(hours=1)}
    assert set(await watched(connections, SHOP, since)) == {"help", "young"}
    assert set(await watched(connections, SHOP, since)) == {"young"}
    await connections.redis.delete(RESTING)
    assert set(await watched(connections, SHOP, since, ["young"])) == {"help", "young"}
    assert 0 < await connections.redis.ttl(RESTING) <= 60  # it took no three seconds


async def test_a_reading_that_failed_is_not_tried_again_at_once_and_stops_no_other(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    async def too_much(*given: object) -> dict[str, object]:
        tried.append(given)
        raise ChildFailed("ended with exit code -9")

    monkeypatch.setattr(module, "FEW", 100)
    monkeypatch.setattr(module, "run_in_child", too_much)
    await a_shop(connections)
    await decisions(connections, bought=(0.3, 0.3))
    since = {"help": BEGAN, "young": NOW - timedelta(hours=1)}
    for _ in range(2):
        assert set(await watched(connections, SHOP, since)) == {"young"}
    assert len(tried) == 1


async def test_who_met_it_in_the_storefront_is_known_in_the_checkout(on_both_databases: Connections) -> None:
    held_back = {"situation": {"campaigns": {"left_out": {"help": "withheld"}}}}
    fields: dict[str, Any] = {"shop": SHOP, "rung": "personal", "arm": "personalised"}
    rows = [
        DecisionRow(
            decision_id=f"{place}{unit}", checkout_token=token, surface=place,
            inputs=held_back | {"unit": unit}, decided_at=HOURS_AGO + timedelta(minutes=number), **fields,
        )
        for number, (place, unit, token) in enumerate(
            [("storefront", "anna", None), ("checkout", "anna", "a"), ("checkout", "bert", "b"),
             ("storefront", None, None)]
        )
    ]  # fmt: skip
    await a_shop(on_both_databases)
    async with on_both_databases.write() as db:
        db.add_all(rows)
    found = (await watched(on_both_databases, SHOP, {"help": BEGAN}))["help"]
    assert found.at.tolist() == [rows[2].decided_at.timestamp()]


async def test_of_no_campaign_nothing_is_read(connections: Connections) -> None:
    assert await watched(connections, SHOP, {}) == await read_watched(connections, SHOP, {}, {}) == {}
