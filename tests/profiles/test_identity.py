"""A browser, a checkout and an account are one shopper's as far as each is proven, in any order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.policy import PURPOSES, Permissions, consent_of, permissions
from app.events.kinds import BrowserEvent
from app.events.store import record_events
from app.profiles import store
from app.profiles.keys import checkout_key, client_key, customer_key
from app.profiles.names import Names
from app.profiles.packed import unpack_visit
from app.profiles.recall import recall
from app.profiles.store import remember_browsing
from app.tables import EventRow
from app.upsert import table_of
from tests.profiles.factories import NOW, SHOP, a_view

ADA, BO = 7, 8
KNOWN = ("analytics", "marketing", "preferences")
SESSION, PERSONAL = permissions(consent_of({"analytics"})), permissions(consent_of(PURPOSES))
VISITS = (client_key(SHOP, "browser"), checkout_key(SHOP, "adas"), checkout_key(SHOP, "bos"))


def a_shared_device() -> list[BrowserEvent]:
    """Return what one browser tells: Ada looks, signs in and checks out; forty minutes later Bo does."""
    begun = {"name": "checkout_started", "data": {}, "permitted": KNOWN}
    events = [
        a_view(10, -50),
        a_view(11, -49, customer_id=ADA, permitted=KNOWN),
        a_view("adas", -48, checkout_token="adas", customer_id=ADA, **begun),
        a_view(20, -9, customer_id=BO, permitted=KNOWN),
        a_view("bos", -8, checkout_token="bos", customer_id=BO, **begun),
    ]
    ago = datetime.now(UTC) - NOW
    return [
        msgspec.structs.replace(
            each,
            happened_at=each.happened_at + ago - timedelta(minutes=1),
            event_id=f"browser:{each.event_id}",
        )
        for each in events
    ]


async def browse(connections: Connections, events: Iterable[BrowserEvent]) -> None:
    for event in events:
        await record_events(connections, [event])
        await remember_browsing(connections, [event])


async def looked_at(
    connections: Connections, may: Permissions, customer_id: int | None, token: str | None = None
) -> tuple[int, ...]:
    """Return what decide would know to be looked at by whoever asks from the shared browser."""
    digests, names = await open_digests(connections), Names(customer_id, "browser", token)
    shopper = await recall(connections.redis.mget, SHOP, names, may, digests)
    return shopper.visit.last_viewed


@pytest.mark.parametrize("seed", range(5))
async def test_any_order_of_arrival_and_every_repeat_leads_to_the_same_visits_bit_for_bit(
    connections: Connections, seed: int
) -> None:
    events = a_shared_device()
    again = events + events
    Random(seed).shuffle(again)
    await browse(connections, again)
    arrived = await connections.redis.mget(VISITS)
    await browse(connections, events)
    assert await connections.redis.mget(VISITS) == arrived
    visits = [unpack_visit(each) for each in arrived]
    assert [(each.customer_id, each.last_viewed) for each in visits] == [
        (BO, (20,)),
        (ADA, (11, 10)),
        (BO, (20,)),
    ]


@pytest.mark.parametrize("may", [SESSION, PERSONAL])
async def test_what_one_account_did_is_nothing_of_anothers_and_nothing_of_a_guests(
    connections: Connections, may: Permissions
) -> None:
    await browse(connections, a_shared_device())
    assert await looked_at(connections, may, BO, "bos") == (20,)
    assert await looked_at(connections, may, ADA, "adas") == (11, 10)
    for customer_id, token in ((ADA, None), (ADA, "bos"), (None, "adas"), (None, "another"), (9, None)):
        assert await looked_at(connections, may, customer_id, token) == ()


async def test_who_signs_in_takes_what_they_did_before_along(connections: Connections) -> None:
    await browse(connections, a_shared_device()[:3])
    assert await looked_at(connections, PERSONAL, ADA, "adas") == (11, 10)


async def test_a_browser_makes_no_profile_of_any_account(connections: Connections) -> None:
    await browse(connections, a_shared_device())
    assert await connections.redis.exists(customer_key(SHOP, ADA), customer_key(SHOP, BO)) == 0


async def test_visits_of_many_are_remembered_at_once_each_as_it_allows(connections: Connections) -> None:
    now = datetime.now(UTC)
    seen = [
        a_view(10, happened_at=now, event_id="browser:1", client_id="a"),
        a_view(20, happened_at=now, event_id="browser:2", client_id="b", checkout_token="t"),
        a_view(30, happened_at=now, event_id="browser:3", client_id="a"),
        a_view(40, happened_at=now, event_id="browser:4", client_id=None, checkout_token="u"),
        a_view(50, happened_at=now, event_id="browser:5", client_id="c", permitted=()),
    ]
    await record_events(connections, seen)
    await remember_browsing(connections, seen)
    keys = [client_key(SHOP, "a"), client_key(SHOP, "b"), checkout_key(SHOP, "t"), checkout_key(SHOP, "u")]
    assert [{*await viewed(connections, key)} for key in keys] == [{10, 30}, {20}, {20}, {40}]
    assert await connections.redis.exists(client_key(SHOP, "c")) == 0


async def test_of_a_visit_that_was_erased_meanwhile_no_name_is_kept(connections: Connections) -> None:
    seen = a_view(10, checkout_token="t", happened_at=datetime.now(UTC), event_id="browser:1")
    keys = client_key(SHOP, "browser"), checkout_key(SHOP, "t")
    await browse(connections, [seen])
    assert await connections.redis.exists(*keys) == 2
    async with connections.write() as db:
        await (await db.connection()).execute(delete(table_of(EventRow)))
    await remember_browsing(connections, [seen])
    assert await connections.redis.exists(*keys) == 0


async def test_of_two_workers_with_one_visit_in_hand_the_slower_undoes_nothing(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    first, second = (
        a_view(product, happened_at=now, event_id=f"browser:{product}", checkout_token="t")
        for product in (10, 20)
    )
    reads = store.seen_at

    async def overtaken(*asked: Any) -> Any:
        seen = await reads(*asked)
        monkeypatch.setattr(store, "seen_at", reads)
        await browse(connections, [second])
        return seen

    await record_events(connections, [first])
    monkeypatch.setattr(store, "seen_at", overtaken)
    await remember_browsing(connections, [first])
    keys = client_key(SHOP, "browser"), checkout_key(SHOP, "t")
    assert [{*await viewed(connections, key)} for key in keys] == [{10, 20}, {10, 20}]


async def viewed(connections: Connections, key: str) -> tuple[int, ...]:
    return unpack_visit(await connections.redis.get(key)).last_viewed
