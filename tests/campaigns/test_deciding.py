"""Campaigns in a checkout's decisions, from the database to the answer, the log and what is kept."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from app.campaigns.dismissals import remember_dismissal
from app.campaigns.store import change_status
from app.connections import Connections
from app.events.consume import work_off
from app.events.kinds import BrowserEvent, DecisionMade
from app.events.log import EventConsumer, EventLog
from app.offers.replay import replay
from app.offers.store import record_decisions
from app.profiles.keys import fired_key, nudged_key
from app.profiles.store import forget
from app.worker import HANDLERS
from tests.campaigns.factories import TEN_PERCENT
from tests.campaigns.till import KEY, fill_pool, granted, kept, nudges, run
from tests.offers.factories import EVERYTHING, SHOP
from tests.profiles.factories import a_view, browse
from tests.test_decide import a_till, a_trained_shop, ask, logged
from tests.test_live import until


def a_dismissal(data: dict[str, Any]) -> BrowserEvent:
    return BrowserEvent(
        shop=SHOP, event_id="browser:1", happened_at=datetime.now(UTC), name="tillwise:offer_dismissed",
        client_id="pixel", checkout_token=None, customer_id=None, permitted=("analytics",), data=data,
    )  # fmt: skip


async def test_a_running_campaign_is_shown_before_the_products(connections: Connections) -> None:
    await a_trained_shop(connections)
    await run(connections, rule={">=": [{"var": "cart.subtotal"}, 100]})
    async with a_till(connections) as client:
        answer = await ask(client, 10)
    first, *products = answer["offers"]
    assert {name: first[name] for name in ("kind", "slot", "product", "campaign", "why", "message")} == {
        "kind": "banner", "slot": "top", "product": None, "campaign": "help", "why": [],
        "message": {"key": "banner.help", "args": {}},
    }  # fmt: skip
    assert [offer["kind"] for offer in products] == ["upsell"] * 3
    (entry,) = await logged(connections)
    told = entry.inputs["situation"]["campaigns"]
    assert (told["matched"], told["inputs"]["facts"]["cart.subtotal"]) == (["help"], 100.0)
    assert entry.inputs["propensities"] == [1.0] * 4


async def test_who_stays_is_told_and_a_question_of_which_nothing_comes_is_no_decision(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await run(connections, rule={">=": [{"var": "checkout.dwell_s"}, 60]})
    async with a_till(connections) as client:
        first = await ask(client, 10, consent=EVERYTHING)
        again = {"consent": EVERYTHING, "wants": "message"}
        sooner = await ask(client, 10, signals={"dwell_ms": 30_000}, **again)
        then = await ask(client, 10, signals={"dwell_ms": 61_000}, **again)
    assert (nudges(first), first["again_s"]) == ([], 61)
    assert (sooner["offers"], sooner["again_s"]) == ([], 31)
    assert ([offer["campaign"] for offer in then["offers"]], "again_s" in then) == (["help"], False)
    made = await logged(connections)
    assert [each.event_id for each in made] == [first["decision_id"], then["decision_id"]]
    assert [each.inputs["situation"]["wants"] for each in made] == ["all", "message"]


async def test_starting_and_pausing_a_campaign_reaches_the_next_checkouts(connections: Connections) -> None:
    await a_trained_shop(connections)
    async with a_till(connections) as client:
        assert nudges(await ask(client, 10)) == []
        await run(connections)

        async def is_shown() -> bool:
            return nudges(await ask(client, 10)) == ["help"]

        await until(is_shown)
        await change_status(connections, SHOP, "help", "paused")

        async def is_gone() -> bool:
            return nudges(await ask(client, 10)) == []

        await until(is_gone)


async def test_a_decision_with_campaigns_is_made_again_bit_for_bit(connections: Connections) -> None:
    await a_trained_shop(connections)
    await run(connections, "bar", offer={"kind": "progress", "target": "120.5"}, holdout=0.5)
    await run(connections, "kind", choice="tone", offer={"kind": "banner", "messages": {"en": "Hello"}})
    await run(connections, "short", choice="tone")
    await run(connections, "up", offer={"kind": "upsell", "product_ids": [40]}, rule={"var": "shopper.cold"})
    answers = []
    async with a_till(connections) as client:
        for n in range(12):
            changes = {"consent": EVERYTHING} if n % 2 else {}
            answers.append(await ask(client, 10, checkout_token=f"t{n}", **changes))
        snapshot = await client._transport.app.state.deps.live.get(SHOP)  # type: ignore[attr-defined]
    for entry, answer in zip(await logged(connections), answers, strict=True):
        inputs = json.loads(json.dumps(entry.inputs))
        again = replay(inputs, {snapshot.version: snapshot})
        assert json.loads(msgspec.json.encode(again)) == answer["offers"]
    shown = [nudges(answer) for answer in answers]
    assert {name for each in shown for name in each} == {"bar", "kind", "short", "up"}
    assert [] in [[name for name in each if name == "bar"] for each in shown]


async def test_it_is_kept_what_a_shopper_saw_and_counted_once(connections: Connections) -> None:
    await a_trained_shop(connections)
    await run(connections, caps={"per_visitor": 1})
    async with a_till(connections) as client:
        first = await ask(client, 10, consent=EVERYTHING)
        repeats = await asyncio.gather(*(ask(client, 10, 20, consent=EVERYTHING) for _ in range(5)))
        elsewhere = await ask(client, 10, consent=EVERYTHING, checkout_token="another")
    assert [nudges(each) for each in (first, *repeats)] == [["help"]] * 6
    assert nudges(elsewhere) == []
    fired = (await kept(connections)).fired["help"]
    assert (fired.times, fired.in_session) == (1, 1)
    assert 0 < await connections.redis.ttl(KEY) <= 90 * 86_400


async def test_both_blocks_of_a_checkout_draw_the_same_campaign(connections: Connections) -> None:
    await a_trained_shop(connections)
    for name in ("kind", "loud"):
        await run(connections, name, choice="tone")
    surfaces = ("checkout", "checkout_lines")
    async with a_till(connections) as client:
        drawn = []
        for n in range(12):
            asked = [
                ask(client, 10, surface=each, consent={"analytics": True}, checkout_token=f"t{n}")
                for each in surfaces
            ]
            drawn.append([nudges(each) for each in await asyncio.gather(*asked)])
    assert all(one == other for one, other in drawn)
    assert {one[0] for one, _ in drawn} == {"kind", "loud"}


async def test_questions_at_once_lose_nothing_of_each_other(connections: Connections) -> None:
    await a_trained_shop(connections)
    for n in range(3):
        surface = {"==": [{"var": "checkout.surface"}, ("checkout", "thank_you", "order_status")[n]]}
        await run(connections, f"c{n}", rule=surface)
    async with a_till(connections) as client:
        surfaces = ("checkout", "thank_you", "order_status") * 4
        await asyncio.gather(*(ask(client, 10, consent=EVERYTHING, surface=each) for each in surfaces))
    assert {name: each.times for name, each in (await kept(connections)).fired.items()} == dict.fromkeys(
        ("c0", "c1", "c2"), 1
    )


async def test_without_consent_nothing_of_the_visitor_is_kept_or_asked(connections: Connections) -> None:
    await a_trained_shop(connections)
    rule = {"or": [{">": [{"var": "cart.lines"}, 0]}, {">": [{"var": "visit.pages"}, 0]}]}
    await run(connections, rule=rule, caps={"per_visitor": 1})
    await browse(connections, a_view(20, shop=SHOP, checkout_token="token"))
    async with a_till(connections) as client:
        answers = [await ask(client, 10, client_id="browser") for _ in range(2)]
    assert [nudges(each) for each in answers] == [["help"]] * 2
    assert await connections.redis.keys("*nudged*") == []
    told = [entry.inputs["situation"]["campaigns"]["inputs"] for entry in await logged(connections)]
    assert not [name for each in told for name in each["facts"] if name.startswith(("visit.", "profile."))]
    assert all("fired" not in each and "place" not in each for each in told)


async def test_with_analytics_alone_the_checkout_remembers_and_the_customer_does_not(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await run(connections, rule={"==": [{"var": "profile.orders"}, 0]})
    await run(connections, "seen", rule={">": [{"var": "visit.products"}, 0]}, priority=-1)
    await browse(connections, a_view(20, shop=SHOP, checkout_token="token"))
    async with a_till(connections) as client:
        session = await ask(client, 10, consent={"analytics": True})
        personal = await ask(client, 10, consent=EVERYTHING)
    assert (nudges(session), nudges(personal)) == (["seen"], ["help"])
    assert (await kept(connections, nudged_key(SHOP, "checkout:token"))).fired["seen"].times == 1


async def test_a_campaign_that_was_shown_often_enough_to_all_ends(connections: Connections) -> None:
    await a_trained_shop(connections)
    await run(connections, "other")
    await run(connections, caps={"total": 3}, priority=1)
    async with a_till(connections) as client:
        shown = [nudges(await ask(client, 10, checkout_token=f"t{n}")) for n in range(5)]
        again = nudges(await ask(client, 10, consent=EVERYTHING))
    assert shown == [["help"]] * 3 + [["other"]] * 2
    assert again == ["other"]
    assert await connections.redis.get(fired_key(SHOP)) == bytes(4) + (3).to_bytes(4, "big")


@pytest.mark.parametrize("arm", ["holdout", "static"])
async def test_outside_the_personalised_arm_nothing_is_shown_or_kept_and_the_match_is_logged(
    connections: Connections, arm: str
) -> None:
    await a_trained_shop(connections, arms={arm: 1})
    await run(connections, caps={"total": 5})
    await run(connections, "ten", offer=TEN_PERCENT, priority=5)
    await fill_pool(connections, "CODE")
    async with a_till(connections) as client:
        answer = await ask(client, 10, consent=EVERYTHING)
    assert (nudges(answer), await granted(connections)) == ([], [])
    assert await connections.redis.exists(KEY, fired_key(SHOP)) == 0
    (entry,) = await logged(connections)
    assert entry.inputs["situation"]["campaigns"]["matched"] == ["ten"]


async def test_a_campaign_that_trips_does_not_cost_the_offers(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_trained_shop(connections)
    await run(connections)
    async with a_till(connections) as client:
        await ask(client, 10)
        live = client._transport.app.state.deps.live  # type: ignore[attr-defined]
        snapshot = await live.get(SHOP)

        def trips(_facts: Any) -> Any:
            raise RuntimeError("tripped")

        live._shops[SHOP].snapshot = replace(snapshot, plan=replace(snapshot.plan, matching=trips))
        answer = await ask(client, 10)
    assert (nudges(answer), len(answer["offers"]), answer["fallback"]) == ([], 3, None)


async def test_a_campaign_whose_products_can_not_be_had_counts_as_shown_to_nobody(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await run(connections, "pick", offer={"kind": "upsell", "product_ids": [404, 10]})
    async with a_till(connections) as client:
        answer = await ask(client, 10, consent=EVERYTHING)
    (entry,) = await logged(connections)
    weighed = entry.inputs["situation"]["campaigns"]
    assert (nudges(answer), weighed["left_out"]) == ([], {"pick": "unavailable"})
    assert weighed["inputs"]["lacking"] == ["pick"]


async def test_what_a_shopper_sent_away_stays_away(connections: Connections) -> None:
    await a_trained_shop(connections)
    await run(connections, priority=5)
    await run(connections, "other")
    async with a_till(connections) as client:
        answers = [
            await ask(client, 10, consent=EVERYTHING),
            await ask(client, 10, consent={"analytics": True}, checkout_token="guest"),
        ]
        for entry in await logged(connections):
            await record_decisions(connections, [entry])
        for answer in answers:
            data = {"decision_id": answer["decision_id"], "offer_id": answer["offers"][0]["offer_id"]}
            for _ in range(2):
                await remember_dismissal(connections, a_dismissal(data))
        again = [
            await ask(client, 10, consent=EVERYTHING),
            await ask(client, 10, consent={"analytics": True}, checkout_token="guest"),
            await ask(client, 10, consent={"analytics": True}, checkout_token="somebody-else"),
        ]
    assert [nudges(each) for each in (*answers, *again)] == [["help"]] * 2 + [["other"]] * 2 + [["help"]]


async def test_what_is_sent_away_before_a_worker_has_seen_its_decision_stays_away(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await run(connections)
    asked = {"consent": {"analytics": True}, "checkout_token": "guest"}
    reader = EventConsumer(connections.redis, "one")
    await reader.open()
    async with a_till(connections) as client:
        answer = await ask(client, 10, **asked)
        data = {"decision_id": answer["decision_id"], "offer_id": answer["offers"][0]["offer_id"]}
        await EventLog(connections.redis).append([a_view(10), a_dismissal(data)])
        in_hand = await reader.read(block_ms=1)
        assert {type(each.event()) for each in in_hand} > {DecisionMade, BrowserEvent}
        await work_off(connections, reader, HANDLERS, in_hand)
        again = await ask(client, 10, **asked)
    assert (nudges(answer), nudges(again)) == (["help"], [])


async def test_of_a_campaigns_products_only_the_one_sent_away_stays_away(connections: Connections) -> None:
    await a_trained_shop(connections)
    await run(connections, "picks", offer={"kind": "upsell", "product_ids": [20, 40]})

    async def picks() -> list[str]:
        answer = await ask(client, 10, consent=EVERYTHING)
        products = [each["product"]["product_id"] for each in answer["offers"] if each.get("campaign")]
        return [str(each).rpartition("/")[2] for each in products]

    async with a_till(connections) as client:
        assert await picks() == ["20", "40"]
        for left in (["40"], []):
            (*_, entry) = await logged(connections)
            await record_decisions(connections, [entry])
            first = next(each for each in entry.answer["offers"] if each.get("campaign"))
            data = {"decision_id": entry.event_id, "offer_id": first["offer_id"]}
            await remember_dismissal(connections, a_dismissal(data))
            assert await picks() == left
    (*_, last) = await logged(connections)
    assert last.inputs["situation"]["campaigns"]["left_out"] == {"picks": "dismissed"}


@pytest.mark.parametrize(
    "data", [{}, {"decision_id": 5, "offer_id": "o"}, {"decision_id": "unknown", "offer_id": "o"}]
)
async def test_what_names_no_offer_of_a_campaign_sends_nothing_away(
    connections: Connections, data: dict[str, Any]
) -> None:
    await remember_dismissal(connections, a_dismissal(data))
    await remember_dismissal(connections, msgspec.structs.replace(a_dismissal(data), name="product_viewed"))
    assert await connections.redis.keys("*nudged*") == []


async def test_what_is_forgotten_is_forgotten_here_too(connections: Connections) -> None:
    await a_trained_shop(connections)
    await run(connections)
    async with a_till(connections) as client:
        await ask(client, 10, consent=EVERYTHING)
        await ask(client, 10, consent={"analytics": True}, client_id="browser")
    assert len(await connections.redis.keys("*nudged*")) == 2
    await forget(connections, SHOP, customer_id=7)
    await forget(connections, SHOP, client_id="browser")
    assert await connections.redis.keys("*nudged*") == []
