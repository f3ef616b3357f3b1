"""A refusal that nothing could be written down of is told as soon as there is time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from redis.exceptions import ConnectionError as RedisAway

from app.connections import Connections
from app.consent.policy import NOWHERE, UNREAD, Answers
from app.consent.requests import Kind, open_request
from app.events.kinds import ConsentTold
from app.events.log import EventConsumer
from app.privacy.erasure import erase_person
from app.profiles.consent_events import ConsentCall
from app.profiles.names import Names
from app.profiles.pending_refusals import PendingRefusals
from app.tables import DecisionRow
from tests.offers.factories import EVERYTHING, SHOP
from tests.test_consent_on_the_next_call import NOTHING, a_shopper, of, rows, work
from tests.test_decide import ask

NO_PROFILE = EVERYTHING | {"preferences": False}


@pytest.fixture
async def known(connections: Connections, reader: EventConsumer) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client whose customer 7 allowed everything and was decided for."""
    async with a_shopper(connections) as client:
        await ask(client, 10, consent=EVERYTHING)
        await work(connections, reader)
        yield client


def deps_of(client: httpx.AsyncClient) -> Any:
    return client._transport.app.state.deps  # type: ignore[attr-defined]


def change(client: httpx.AsyncClient, **parts: Any) -> None:
    state = client._transport.app.state  # type: ignore[attr-defined]
    state.deps = replace(state.deps, **parts)


class Full:
    """A crowd as large as may be."""

    is_full = True

    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


async def away(*_: object) -> Any:
    raise RedisAway("away")


async def refused(*_: object) -> Any:
    raise ConnectionRefusedError


@pytest.mark.parametrize(
    ("parts", "fallback"),
    [
        pytest.param({"concurrency": Full()}, "busy", id="in haste"),
        pytest.param({"log": away}, "log", id="not written"),
        pytest.param({"read": away, "log": away}, "log", id="Redis away"),
        pytest.param({"read": away}, None, id="not read"),
    ],
)
@pytest.mark.parametrize("refused", [NO_PROFILE, NOTHING], ids=["no profile", "nothing"])
async def test_what_is_taken_back_meanwhile_goes_as_soon_as_there_is_time(
    connections: Connections,
    reader: EventConsumer,
    known: httpx.AsyncClient,
    parts: dict[str, Any],
    fallback: str | None,
    refused: dict[str, bool],
) -> None:
    change(known, **parts)
    answer = await ask(known, 10, consent=refused)
    assert answer["fallback"] in (fallback, "redis")
    assert not [each for each in of(ConsentTold, await work(connections, reader)) if each.withdrawn]
    await deps_of(known).pending_refusals.log()
    (told,) = of(ConsentTold, await work(connections, reader))
    assert (told.customer_id, "preferences" in told.withdrawn) == (7, True)
    assert not [row for row in await rows(connections, DecisionRow) if row.customer_id is not None]
    assert len(deps_of(known).pending_refusals) == 0


async def test_what_is_told_at_once_is_not_kept(known: httpx.AsyncClient) -> None:
    for consent in (EVERYTHING, NOTHING, {}):
        await ask(known, 10, consent=consent)
        assert len(deps_of(known).pending_refusals) == 0


async def test_with_redis_away_the_last_word_of_each_stays_no_more_than_there_is_room_for(
    connections: Connections, known: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = PendingRefusals(connections, deps_of(known).digests, most=2)

    def said(number: int, **answers: bool) -> ConsentCall:
        names, word = Names(number), Answers(**answers)
        return ConsentCall(SHOP, "e", datetime.now(UTC), "checkout", names, word, NOWHERE, UNREAD)

    monkeypatch.setattr(connections.redis, "mget", away)
    for number, answers in ((1, {"marketing": False}), (2, {"marketing": True}), (3, {"marketing": False})):
        pending.keep(said(number, **answers))
    pending.keep(said(1, preferences=False))
    assert len(pending) == 2  # a yes takes nothing back
    with pytest.raises(RedisAway):
        await pending.log()
    pending.keep(said(4, marketing=False))
    assert [names.customer_id for _, names in pending._calls] == [1, 4]

    stop = asyncio.Event()
    monkeypatch.setattr("app.profiles.pending_refusals.EVERY_S", 0.001)
    telling = asyncio.create_task(pending.keep_logging(stop))
    await asyncio.sleep(0.01)  # it goes on although Redis is away
    assert len(pending) == 2
    monkeypatch.undo()
    await pending.log()
    stop.set()
    await telling
    assert len(pending) == 0


async def test_a_checkout_answered_in_haste_allows_nothing_in_the_name_of_its_carts_browser(
    known: httpx.AsyncClient,
) -> None:
    change(known, concurrency=Full())
    for consent, heard in ((NO_PROFILE, [(None, 7)]), (NOTHING, [(None, 7), ("browser", None)])):
        await ask(known, 10, consent=consent, client_id="browser")
        calls = deps_of(known).pending_refusals._calls.values()
        assert [(call.names.client_id, call.names.customer_id) for call in calls] == heard
        await deps_of(known).pending_refusals.log()


@pytest.mark.parametrize("database_away", [False, True])
async def test_what_is_told_late_of_who_was_erased_meanwhile_is_not_kept(
    connections: Connections,
    reader: EventConsumer,
    known: httpx.AsyncClient,
    database_away: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change(known, concurrency=Full())
    await ask(known, 10, consent=EVERYTHING | {"analytics": False})
    await open_request(connections, SHOP, "r", Kind.CUSTOMER, datetime.now(UTC), customer_id=7)
    await erase_person(connections, SHOP, "r")
    for barred in await connections.redis.keys("*:barred:*"):  # as after a minute
        await connections.redis.delete(barred)
    with monkeypatch.context() as patch:
        if database_away:
            patch.setattr(Connections, "rows", refused)
        await deps_of(known).pending_refusals.log()
    assert len(deps_of(known).pending_refusals) == 0
    assert await connections.redis.keys("*:told:*") == []
    await work(connections, reader)
    assert await connections.redis.keys("*:told:*") == []
