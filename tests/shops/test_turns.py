import time
from datetime import UTC, datetime

import pytest

from app.connections import Connections
from app.shops import active, turns
from app.shops.active import active_shops, note_active
from app.shops.turns import shops_by_turns, shops_to_look_at
from app.tables import ShopRow
from webhooks.opt_outs import request_opt_outs

SHOPS = [f"shop-{number:02}.myshopify.com" for number in range(25)]
GONE = "shop-00a.myshopify.com"


@pytest.fixture
async def connections(on_both_databases: Connections) -> Connections:
    now = datetime.now(UTC)
    async with on_both_databases.write() as db:
        db.add_all(ShopRow(shop=shop, publishable_key=shop, installed_at=now) for shop in SHOPS)
        db.add(ShopRow(shop=GONE, publishable_key=GONE, installed_at=now, uninstalled_at=now))
    return on_both_databases


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is: the sum of what is in it."""
    passed = [time.time()]
    monkeypatch.setattr(time, "time", lambda: sum(passed))
    return passed


async def looked_at(connections: Connections, work: str = "freshen", few: int = 10) -> list[str]:
    return [each.shop for each in await shops_to_look_at(connections, work, few=few)]


@pytest.mark.parametrize("jump_s", [3_600, 24 * 3_600])
async def test_a_clock_that_was_ahead_and_is_put_back_leaves_nobody_without_a_turn(
    connections: Connections, clock: list[float], jump_s: float
) -> None:
    clock.append(jump_s)
    await looked_at(connections)
    clock.append(-jump_s)
    assert await looked_at(connections) == SHOPS
    clock.append(turns.ALL_WITHIN_S * 0.401)
    assert await looked_at(connections) == SHOPS[:10]


async def test_workers_whose_clocks_are_minutes_apart_give_nobody_a_turn_twice(
    connections: Connections, clock: list[float]
) -> None:
    await looked_at(connections)
    found: list[str] = []
    for _ in range(5):
        clock.append(300)
        found += await looked_at(connections)  # by the one whose clock is ahead
        clock.append(60 - 300)
        found += await looked_at(connections)
    assert found == SHOPS[:3]  # 540 s of the hour in which each of 25 has one


async def test_where_there_are_few_all_are_looked_at_every_time(connections: Connections) -> None:
    assert await looked_at(connections, few=25) == await looked_at(connections, few=25) == SHOPS


async def test_of_many_all_have_their_turn_and_then_begin_again(
    connections: Connections, clock: list[float]
) -> None:
    rounds = [await looked_at(connections)]
    for _ in range(3):
        clock.append(turns.ALL_WITHIN_S * 0.401)
        rounds.append(await looked_at(connections))
    assert rounds == [SHOPS, SHOPS[:10], SHOPS[10:20], sorted([*SHOPS[20:], *SHOPS[:5]])]


async def test_each_work_has_turns_of_its_own(connections: Connections, clock: list[float]) -> None:
    assert await looked_at(connections) == SHOPS
    assert await looked_at(connections) == []
    assert await looked_at(connections, "retrain") == SHOPS


async def test_after_a_long_break_all_are_looked_at(connections: Connections, clock: list[float]) -> None:
    await looked_at(connections)
    clock.append(3 * turns.ALL_WITHIN_S)
    assert await looked_at(connections) == SHOPS
    assert await looked_at(connections) == []


async def test_a_shop_where_something_happened_is_looked_at_until_a_while_later(
    connections: Connections, clock: list[float]
) -> None:
    await looked_at(connections)
    await note_active(connections.redis, [SHOPS[23], GONE, "never-installed.myshopify.com"])
    assert await looked_at(connections) == await looked_at(connections) == [SHOPS[23]]
    clock.append(turns.LATELY_S + 1)
    assert SHOPS[23] not in await looked_at(connections)


async def test_what_happened_a_day_ago_is_forgotten(connections: Connections, clock: list[float]) -> None:
    await note_active(connections.redis, SHOPS[:1])
    clock.append(active.KEPT_S + 1)
    assert await active_shops(connections.redis, 2 * active.KEPT_S) == set()
    assert not await connections.redis.exists("tw:active")


async def test_a_shop_that_comes_between_is_in_the_next_round(
    connections: Connections, clock: list[float]
) -> None:
    await looked_at(connections)
    async with connections.write() as db:
        db.add(ShopRow(shop="shop-05a.myshopify.com", publishable_key="5a", installed_at=datetime.now(UTC)))
    clock.append(turns.ALL_WITHIN_S / 2)
    assert "shop-05a.myshopify.com" in await looked_at(connections)


async def test_by_turns_each_shop_comes_once_an_hour_in_even_steps(
    connections: Connections, clock: list[float]
) -> None:
    assert [each.shop for each in await shops_by_turns(connections, "reconcile")] == SHOPS
    met: list[str] = []
    for _ in range(61):
        clock.append(60)
        met += [each.shop for each in await shops_by_turns(connections, "reconcile")]
    assert met == SHOPS


async def test_where_nobody_is_installed_nobody_has_a_turn(on_both_databases: Connections) -> None:
    assert await shops_by_turns(on_both_databases, "reconcile") == []
    assert await shops_to_look_at(on_both_databases, "freshen") == []


async def test_what_is_done_once_a_day_comes_in_even_steps_all_day_long(
    connections: Connections, clock: list[float]
) -> None:
    await request_opt_outs(connections)
    asked = []
    for _ in range(3):
        for key in await connections.redis.keys("tw:*:waiting:opt_outs"):
            await connections.redis.delete(key)
        clock.append(24 * 3_600 * 0.401)
        await request_opt_outs(connections)
        asked.append(len(await connections.redis.keys("tw:*:waiting:opt_outs")))
    assert asked == [10, 10, 10]
