"""Decisions of experiments that have ended or changed since, made again as they were."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.archive.keeper import Keeper
from app.connections import Connections
from app.consent.policy import PURPOSES, consent_of, permissions
from app.events.kinds import DecisionMade
from app.experiments.design import read_design
from app.experiments.versions import draft, start, stop
from app.offers.answer import answer_to
from app.offers.campaigns import with_campaigns
from app.offers.replay import entry_of
from app.offers.situation import Occasion, in_arms, situation_of
from app.offers.store import record_decisions
from app.offers.wire import read_question
from app.profiles.recall import Shopper
from app.recommend.publish import publish
from app.recommend.retired import retire_version
from app.replays import replay_decision
from app.values import ShopDomain
from tests.archive.test_store import NOW, a_busy_shop, change_everything, now_at
from tests.offers.factories import SHOP, a_body, as_json, goes_together
from tests.recommend.test_publish import a_card

OTHER = ShopDomain("b.myshopify.com")
PINNED: dict[str, Any] = {"pinned": [40], "campaigns": {"left": {"rule": False}}}
PLAIN: dict[str, Any] = {"model": None, "campaigns": {"right": None}}


async def tries(connections: Connections, name: str, *changes: dict[str, Any]) -> None:
    """Start an experiment of these arms beside the shop as it is; what ran under its name ends."""
    arms = [{"name": "as_is"}, *({"name": f"arm{n}", "changes": each} for n, each in enumerate(changes))]
    await draft(connections, SHOP, read_design({"id": name, "arms": arms, "control": "as_is"}), NOW)
    await start(connections, SHOP, name, NOW)


async def served(connections: Connections, first: int, visitors: int = 40) -> list[DecisionMade]:
    """Return what was logged of so many visitors of the shop as it is, each in their arms."""
    snapshot, keeper = await now_at(connections), Keeper(connections)
    allowed, entries = consent_of(PURPOSES), []
    for n in range(first, first + visitors):
        question = read_question(as_json(a_body(10, client_id=f"c{n}", checkout_token=f"t{n}")))
        asked = Occasion(f"d{n}", NOW, snapshot, question, allowed, permissions(allowed), Shopper())
        occasion = in_arms(asked)
        situation = with_campaigns(occasion, situation_of(occasion))
        entry = entry_of(occasion, situation, answer_to(occasion, situation), 800)
        await record_decisions(
            connections, [msgspec.json.decode(msgspec.json.encode(entry), type=DecisionMade)]
        )
        keeper.served(occasion.shop)
        entries.append(entry)
    await keeper.close()
    return entries


def arms_of(entries: list[DecisionMade], name: str) -> set[str]:
    return {each.inputs["experiments"][name][1] for each in entries if name in each.inputs["experiments"]}


def offered(entries: list[DecisionMade], name: str, arm: str) -> set[bytes]:
    """Return what that arm was offered, without the ids that are of one decision only."""
    return {
        msgspec.json.encode([offer | {"offer_id": ""} for offer in each.answer["offers"]])
        for each in entries
        if each.inputs["experiments"].get(name, ["", ""])[1] == arm
    }


@pytest.mark.parametrize("ends", ["stopped", "changed"])
async def test_every_decision_is_made_again_after_its_experiment_is_over(
    connections: Connections, ends: str
) -> None:
    await a_busy_shop(connections)
    await tries(connections, "offer", PINNED, PLAIN)
    await tries(connections, "price", {"dear_ratio": 0.1})
    before = await served(connections, 0)
    assert arms_of(before, "offer") == {"as_is", "arm0", "arm1"}
    assert arms_of(before, "price") == {"as_is", "arm0"}
    assert offered(before, "offer", "as_is") != offered(before, "offer", "arm0")
    assert len({each.inputs["snapshot"] for each in before}) == 6  # every pair of arms is a shop of its own

    if ends == "stopped":
        await stop(connections, SHOP, "offer", NOW + timedelta(days=1))
        await stop(connections, SHOP, "price", NOW + timedelta(days=1))
    else:
        await tries(connections, "offer", {"pinned": [20]})
    await change_everything(connections)
    after = await served(connections, 100)

    for entry in (*before, *after):
        again = await replay_decision(connections, SHOP, entry.event_id)
        assert again.is_same, (entry.event_id, entry.inputs["experiments"])
        assert again.shop.version == entry.inputs["snapshot"]
    assert {each.inputs["snapshot"] for each in before}.isdisjoint(each.inputs["snapshot"] for each in after)


async def test_an_arms_model_serves_on_after_another_took_its_place(connections: Connections) -> None:
    before = await a_busy_shop(connections)
    assert before.model_version is not None
    await change_everything(connections)
    await tries(connections, "model", {"model": before.model_version})
    now = await now_at(connections)
    assert now.model_version is not None
    retire_version(connections.settings.data_dir, SHOP, before.model_version, now.model_version)
    arm = frozenset({("model", "arm0")})
    assert (await now_at(connections)).variants[arm].model_version == before.model_version


async def test_an_arm_can_not_have_another_shops_model(connections: Connections) -> None:
    await a_busy_shop(connections)
    theirs = publish(connections.settings.data_dir, OTHER, goes_together({(10, 30): 0.9}), a_card())
    await tries(connections, "model", {"model": f"../{OTHER}/{theirs.version}"})
    now = await now_at(connections)
    assert now.variants == {}
    assert frozenset({("model", "arm0")}) in now.unserved
