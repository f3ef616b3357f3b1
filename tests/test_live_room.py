"""How many products a process holds in memory, and whose go when there are more."""

import asyncio

from app.connections import Connections
from app.live import LiveShops
from app.shops.changes import announce_change
from app.values import ShopDomain
from tests.offers.factories import SHOP
from tests.test_live import install, sell, sells, until


async def test_of_too_many_products_those_of_the_shop_asked_for_longest_ago_go(
    connections: Connections,
) -> None:
    first, second, third = (ShopDomain(f"shop-{name}.myshopify.com") for name in ("a", "b", "c"))
    for shop in (first, second, third):
        await install(connections, shop)
        await sell(connections, 10, shop)
        await sell(connections, 20, shop)
    live = LiveShops(connections, most_products=4)
    loaded = {shop: await live.get(shop) for shop in (first, second)}
    assert await live.get(first) is loaded[first]
    await live.get(third)
    assert await live.get(first) is loaded[first]
    assert await live.get(second) is not loaded[second]


async def test_a_shop_with_too_many_products_is_held_all_the_same(connections: Connections) -> None:
    await install(connections)
    await sell(connections, 10)
    await sell(connections, 20)
    live = LiveShops(connections, most_products=1)
    assert await live.get(SHOP) is await live.get(SHOP)


async def test_a_shop_that_grows_in_memory_makes_room_for_itself(connections: Connections) -> None:
    other = ShopDomain("other.myshopify.com")
    for shop in (SHOP, other):
        await install(connections, shop)
        await sell(connections, 10, shop)
    live = LiveShops(connections, most_products=2)
    following = asyncio.create_task(live.follow())
    before = await live.get(other)
    assert not await sells(live, 20)
    assert await live.get(other) is before
    await sell(connections, 20)

    async def grown() -> bool:
        await announce_change(connections.redis, SHOP)
        return await sells(live, 20)

    await until(grown)
    assert await live.get(other) is not before
    following.cancel()
    await asyncio.wait([following])
