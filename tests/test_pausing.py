"""A merchant pauses the app: nothing of it reaches a shopper, and what they say of consent is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.connections import Connections
from app.events.kinds import AnyEvent, ConsentTold
from app.shops.pausing import MOST, Pause, go_on, is_paused, pause, paused_within, pauses_of
from app.shops.store import get_shop
from tests.experiments.test_store import WHEN, a_decision, an_order, running, units_of
from tests.offers.factories import EVERYTHING, SHOP
from tests.test_decide import a_till, a_trained_shop, ask, logged
from tests.test_live import install, until

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def known_pauses(connections: Connections) -> tuple[Pause, ...]:
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    return pauses_of(shop.settings)


@pytest.mark.parametrize("crowded", [False, True])
async def test_a_paused_shop_offers_nothing_and_decides_nothing_but_hears_of_consent(
    connections: Connections, crowded: bool
) -> None:
    await a_trained_shop(connections)
    async with a_till(connections) as client:
        deps = client._transport.app.state.deps  # type: ignore[attr-defined]
        assert (await ask(client, 10))["offers"]
        await logged(connections)
        await pause(connections, SHOP, "7", NOW)

        async def seen() -> bool:
            shop = await deps.live.get(SHOP)
            return shop is not None and shop.paused

        await until(seen)
        deps.concurrency.under_way += 10_000 * crowded
        answer = await ask(client, 10, consent=EVERYTHING)
        deps.concurrency.under_way -= 10_000 * crowded
        assert (answer["offers"], answer["fallback"], answer["arm"]) == ([], "paused", "none")
        heard = await logged(connections, AnyEvent)
        assert [type(each) for each in heard] == ([] if crowded else [ConsentTold])
        await go_on(connections, SHOP, "8", NOW + HOUR)

        async def over() -> bool:
            return not await seen()

        await until(over)
        assert (await ask(client, 10))["offers"]


async def test_who_paused_and_who_went_on_is_remembered_once(connections: Connections) -> None:
    await install(connections)
    await go_on(connections, SHOP, "8", NOW)
    assert await known_pauses(connections) == ()
    await pause(connections, SHOP, "7", NOW)
    await pause(connections, SHOP, "9", NOW + HOUR)
    assert await known_pauses(connections) == (Pause(NOW, "7"),)
    await go_on(connections, SHOP, "8", NOW - HOUR)  # the clock was put back
    await go_on(connections, SHOP, "9", NOW + HOUR)
    assert await known_pauses(connections) == (Pause(NOW, "7", NOW, "8"),)


async def test_only_the_latest_pauses_are_remembered(connections: Connections) -> None:
    many = [
        {"began_at": NOW.isoformat(), "began_by": str(n), "ended_at": NOW.isoformat()} for n in range(MOST)
    ]
    await install(connections, settings={"pauses": many})
    await pause(connections, SHOP, "new", NOW)
    told = await known_pauses(connections)
    assert (len(told), told[0].began_by, told[-1].began_by) == (MOST, "1", "new")


def test_only_what_lies_within_counts_as_paused() -> None:
    first = {"began_at": NOW.isoformat(), "began_by": "7", "ended_at": (NOW + 2 * HOUR).isoformat()}
    lasting = {"began_at": (NOW + 10 * HOUR).isoformat(), "began_by": "7"}
    settings = {"pauses": [first, lasting]}
    assert paused_within(settings, NOW + HOUR, NOW + 11 * HOUR) == 2 * HOUR
    assert paused_within(settings, NOW + 3 * HOUR, NOW + 4 * HOUR) == timedelta()
    assert is_paused(settings)
    assert not is_paused({"pauses": "yes"})


async def test_what_was_ordered_during_a_pause_is_of_no_arm(connections: Connections) -> None:
    over, lasting = Pause(WHEN + 2 * HOUR, "7", WHEN + 4 * HOUR, "7"), Pause(WHEN + 8 * HOUR, "7")
    pauses = msgspec.to_builtins([over, lasting])
    hours = {"a": 1, "b": 2, "c": 4, "d": 9}
    orders = [an_order(at, f"token-{name}", created_at=WHEN + at * HOUR) for name, at in hours.items()]
    await running(connections, *map(a_decision, hours), *orders, pauses=pauses)
    assert sorted((await units_of(connections)).revenue.tolist()) == [0, 0, 1_000, 1_000]
