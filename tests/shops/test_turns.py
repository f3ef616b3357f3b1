import time
from datetime import UTC, datetime

import pytest

from app.connections import Connections
from app.shops import active, turns
from app.shops.active import active_shops, note_active
from app.shops.turns import shops_by_turns, shops_to_look_at
from app.tables import ShopRow

SHOPS = [f"shop-{number:02}.myshopify.com" for number in range(25)]
GONE = "shop-00a.myshopify.com"


@pytest.fixture
async def connections(on_both_databases: Connections) -> Connections:
    now = datetime.now(UTC)
    async with on_both_databases.write() as db:
        db.add_all(ShopRow(shop=shop, publishable_key=shop, installed_at=now) for shop in SHOPS)
        db.add(ShopRow(shop=GONE, publishable_key=GONE, installed_at=now, uninstalled_at=now))
    return on_both_databases


async def looked_at(connections: Connections, work: str = "freshen", few: int = 10) -> list[str]:
    return [each.shop for each in await shops_to_look_at(connections, work, few=few)]


async def test_where_there_are_few_all_are_looked_at_every_time(connections: Connections) -> None:
    assert await looked_at(connections, few=25) == await looked_at(connections, few=25) == SHOPS


async def test_of_many_all_have_their_turn_and_then_begin_again(connections: Connections) -> None:
    rounds = [await looked_at(connections) for _ in range(4)]
    assert rounds == [SHOPS, SHOPS[:10], SHOPS[10:20], sorted([*SHOPS[20:], *SHOPS[:5]])]


async def test_each_work_has_turns_of_its_own(connections: Connections) -> None:
    await looked_at(connections)
    await looked_at(connections)
    assert await looked_at(connections, "retrain") == SHOPS
    assert await looked_at(connections, "retrain") == SHOPS[:10]


async def test_the_longer_nobody_looked_the_more_have_their_turn(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time()
    monkeypatch.setattr(time, "time", lambda: clock)
    await looked_at(connections, few=1)
    clock += turns.ALL_WITHIN_S / 5
    assert await looked_at(connections, few=1) == SHOPS[:5]
    clock += 2 * turns.ALL_WITHIN_S
    assert await looked_at(connections, few=1) == SHOPS


async def test_a_shop_where_something_happened_is_looked_at_until_a_while_later(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await looked_at(connections)
    await note_active(connections.redis, [SHOPS[23], GONE, "never-installed.myshopify.com"])
    assert await looked_at(connections) == [*SHOPS[:10], SHOPS[23]]
    clock = time.time() + turns.LATELY_S + 1
    monkeypatch.setattr(time, "time", lambda: clock)
    assert SHOPS[23] not in await looked_at(connections)


async def test_what_happened_a_day_ago_is_forgotten(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await note_active(connections.redis, SHOPS[:1])
    clock = time.time() + active.KEPT_S + 1
    monkeypatch.setattr(time, "time", lambda: clock)
    assert await active_shops(connections.redis, 2 * active.KEPT_S) == set()
    assert not await connections.redis.exists("tw:active")


async def test_a_shop_that_comes_between_is_in_the_next_round(connections: Connections) -> None:
    await looked_at(connections)
    await looked_at(connections)
    async with connections.write() as db:
        db.add(ShopRow(shop="shop-05a.myshopify.com", publishable_key="5a", installed_at=datetime.now(UTC)))
    rounds = [shop for _ in range(3) for shop in await looked_at(connections)]
    assert "shop-05a.myshopify.com" in rounds


async def test_by_turns_each_shop_comes_once_an_hour_in_even_steps(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time()
    monkeypatch.setattr(time, "time", lambda: clock)
    assert [each.shop for each in await shops_by_turns(connections, "reconcile")] == SHOPS
    met: list[str] = []
    for _ in range(60):
        clock += 60
        met += [each.shop for each in await shops_by_turns(connections, "reconcile")]
    assert met in (SHOPS, SHOPS[:-1])  # floats


async def test_where_nobody_is_installed_nobody_has_a_turn(on_both_databases: Connections) -> None:
    assert await shops_by_turns(on_both_databases, "reconcile") == []
    assert await shops_to_look_at(on_both_databases, "freshen") == []
