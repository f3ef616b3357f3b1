import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
from sqlmodel import col, delete, update

import app.live
import app.ttl_cache
from app.connections import Connections
from app.experiments.design import read_design
from app.experiments.versions import draft, start
from app.intent_tables import ForesightRow
from app.live import LiveShops, live_shops
from app.profiles.segments import publish_segmentation
from app.recommend.publish import publish, publish_successor, withdraw
from app.shops.changes import CATALOG_CHANGED, announce_change
from app.snapshots import load_snapshot
from app.tables import ExclusionRow, ProductRow, ShopRow, VariantRow
from app.values import ShopDomain
from tests.admin.segment_factories import a_segmentation
from tests.offers.factories import NOW, SHOP
from tests.profiles.test_visit_clusters import a_shops_clusters
from tests.recommend.factories import a_model
from tests.recommend.test_publish import a_card


async def install(connections: Connections, shop: str = SHOP, **changes: Any) -> None:
    fields: dict[str, Any] = {"shop": shop, "publishable_key": f"pk_{shop}", "installed_at": NOW}
    async with connections.write() as db:
        db.add(ShopRow(**(fields | changes)))


async def sell(connections: Connections, product_id: int, shop: str = SHOP) -> None:
    async with connections.write() as db:
        product = ProductRow(
            shop=shop, product_id=product_id, title=f"Product {product_id}", created_at=NOW, updated_at=NOW
        )
        db.add(product)
        db.add(VariantRow(shop=shop, variant_id=1000 + product_id, product_id=product_id, price_minor=500))


async def run(connections: Connections, name: str, changes: dict[str, Any]) -> None:
    """Start an experiment with one arm that changes the shop."""
    arms = [{"name": "now"}, {"name": "changed", "changes": changes}]
    await draft(connections, SHOP, read_design({"id": name, "arms": arms, "control": "now"}), NOW)
    await start(connections, SHOP, name, NOW)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Return once it holds; fail after a minute."""
    async with asyncio.timeout(60):
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def listened_to(connections: Connections) -> bool:
    return bool((await connections.redis.pubsub_numsub(app.live.CHANGED))[0][1])


async def sells(live: LiveShops, product_id: int) -> bool:
    snapshot = await live.get(SHOP)
    return snapshot is not None and product_id in snapshot.catalog.available_ids


async def test_a_shop_is_loaded_when_it_is_first_asked_for(connections: Connections) -> None:
    await install(connections, currency="EUR", settings={"pinned": [20]})
    await sell(connections, 10)
    await sell(connections, 20)
    snapshot = await LiveShops(connections).get(SHOP)
    assert snapshot is not None
    assert (snapshot.currency, snapshot.model) == ("EUR", None)
    assert [pick.product_id for pick in snapshot.defaults] == [20, 10]


async def test_what_is_loaded_comes_from_memory(connections: Connections) -> None:
    await install(connections)
    live = LiveShops(connections)
    first, again = await asyncio.gather(live.get(SHOP), live.get(SHOP))
    assert first is again is await live.get(SHOP)


async def test_a_shop_without_the_app_is_none(connections: Connections) -> None:
    await install(connections, "gone.myshopify.com", uninstalled_at=NOW)
    live = LiveShops(connections)
    for shop in ("unknown.myshopify.com", "gone.myshopify.com"):
        assert await live.get(shop) is None
        assert await live.get(shop) is None


async def test_the_model_is_the_published_one(connections: Connections) -> None:
    await install(connections)
    await sell(connections, 10)
    card = publish(connections.settings.data_dir, SHOP, a_model(3), a_card())
    snapshot = await LiveShops(connections).get(SHOP)
    assert snapshot is not None
    assert snapshot.model_version == card.version
    assert snapshot.allowed is not None
    assert snapshot.allowed.tolist() == [True, False, False]


async def test_an_unusable_model_is_as_good_as_none(connections: Connections) -> None:
    await install(connections)
    card = publish(connections.settings.data_dir, SHOP, a_model(3), a_card())
    (connections.settings.data_dir / "models" / SHOP / card.version / "orders.npy").write_bytes(b"torn")
    snapshot = await LiveShops(connections).get(SHOP)
    assert snapshot is not None
    assert snapshot.model is None


async def test_an_arm_is_served_with_what_took_the_place_of_its_model(connections: Connections) -> None:
    await install(connections)
    data_dir = connections.settings.data_dir
    tried = publish(data_dir, SHOP, a_model(3), a_card())
    publish(data_dir, SHOP, a_model(4), a_card(NOW + timedelta(days=1)))
    await run(connections, "model", {"model": tried.version})
    successor = publish_successor(data_dir, SHOP, tried, a_model(3, 2))  # as an erasure makes one
    withdraw(data_dir, SHOP, tried.version, successor.version)
    snapshot = await load_snapshot(connections, SHOP)
    assert snapshot is not None
    assert snapshot.variants[frozenset({("model", "changed")})].model_version == successor.version
    assert not snapshot.unserved


async def test_the_model_that_arms_try_is_read_once_for_all_of_them_and_for_every_reload(
    connections: Connections,
) -> None:
    await install(connections)
    data_dir = connections.settings.data_dir
    tried = publish(data_dir, SHOP, a_model(3), a_card())
    publish(data_dir, SHOP, a_model(4), a_card(NOW + timedelta(days=1)))
    await run(connections, "model", {"model": tried.version})
    await run(connections, "dear", {"dear_ratio": 9})
    first = await load_snapshot(connections, SHOP)
    assert first is not None
    await sell(connections, 10)
    second = await load_snapshot(connections, SHOP, first)
    assert second is not None
    assert second.version != first.version
    models = [each.model for shop in (first, second) for each in shop.variants.values()]
    trying = [model for model in models if model is not None and model.version == tried.version]
    # In no arm of the other experiment, in either of its arms; before and after.
    assert len(trying) == 2 * 3
    assert len({id(model) for model in trying}) == 1


async def test_an_announced_change_is_seen(connections: Connections) -> None:
    await install(connections)
    async with live_shops(connections) as live:
        assert not await sells(live, 10)
        await sell(connections, 10)

        async def announced_and_seen() -> bool:
            await announce_change(connections.redis, SHOP)
            return await sells(live, 10)

        await until(announced_and_seen)


async def test_a_large_shop_rests_after_a_reload_from_what_it_sells_and_not_from_what_the_merchant_says(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.live, "REST_S", 0.01)
    monkeypatch.setattr(app.live, "REST_A_PRODUCT_S", 50.0)
    await install(connections)
    await sell(connections, 10)
    async with live_shops(connections) as live:
        assert await sells(live, 10)
        await until(lambda: listened_to(connections))
        await sell(connections, 20)
        await announce_change(connections.redis, SHOP, CATALOG_CHANGED)
        await until(lambda: sells(live, 20))
        await sell(connections, 30)
        await announce_change(connections.redis, SHOP, CATALOG_CHANGED)
        await asyncio.sleep(0.1)
        assert not await sells(live, 30)
        await announce_change(connections.redis, SHOP)
        await until(lambda: sells(live, 30))
        await sell(connections, 40)
        await announce_change(connections.redis, SHOP, CATALOG_CHANGED)
        await asyncio.sleep(0.1)
        assert not await sells(live, 40)
        live._rested(SHOP)
        await until(lambda: sells(live, 40))


async def test_what_the_merchant_says_while_a_large_shop_is_read_waits_for_no_rest_either(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.live, "REST_S", 0.01)
    monkeypatch.setattr(app.live, "REST_A_PRODUCT_S", 50.0)
    read, handed_over = asyncio.Event(), asyncio.Event()
    handed_over.set()

    async def held_up(*args: Any) -> Any:
        snapshot = await load_snapshot(*args)
        read.set()
        await handed_over.wait()
        return snapshot

    monkeypatch.setattr(app.live, "load_snapshot", held_up)
    await install(connections)
    await sell(connections, 10)
    async with live_shops(connections) as live:
        assert await sells(live, 10)
        await until(lambda: listened_to(connections))
        read.clear()
        handed_over.clear()
        await announce_change(connections.redis, SHOP, CATALOG_CHANGED)
        await read.wait()
        await sell(connections, 20)
        await announce_change(connections.redis, SHOP)

        async def heard() -> bool:
            return SHOP in live._changed

        await until(heard)
        handed_over.set()
        await until(lambda: sells(live, 20))


async def test_a_new_model_replaces_the_old_one(connections: Connections) -> None:
    await install(connections)
    publish(connections.settings.data_dir, SHOP, a_model(3), a_card())
    async with live_shops(connections) as live:
        await live.get(SHOP)
        card = publish(connections.settings.data_dir, SHOP, a_model(5), a_card())

        async def announced_and_seen() -> bool:
            await announce_change(connections.redis, SHOP)
            snapshot = await live.get(SHOP)
            return snapshot is not None and snapshot.model_version == card.version

        await until(announced_and_seen)


async def test_a_lost_announcement_is_noticed_all_the_same(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.live, "POLL_S", 0.02)
    await install(connections)
    async with live_shops(connections) as live:
        assert not await sells(live, 10)
        await sell(connections, 10)
        await until(lambda: sells(live, 10))
        async with connections.write() as db:
            db.add(ExclusionRow(shop=SHOP, product_id=10, excluded_at=NOW))

        async def excluded() -> bool:
            snapshot = await live.get(SHOP)
            return snapshot is not None and not snapshot.defaults

        await until(excluded)


async def test_a_new_segmentation_is_what_visits_are_compared_with(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.live, "POLL_S", 0.01)
    monkeypatch.setattr(app.ttl_cache, "REMEMBERED_S", 0.0)
    await install(connections)
    made = msgspec.structs.replace(a_segmentation(), clusters=a_shops_clusters())
    async with live_shops(connections) as live:
        before = await live.get(SHOP)
        assert before is not None
        assert before.visits is None
        await publish_segmentation(connections, SHOP, made, {}, NOW)

        async def compared() -> bool:
            snapshot = await live.get(SHOP)
            return snapshot is not None and snapshot.visits is not None

        await until(compared)
        after = await live.get(SHOP)
    assert after is not None
    assert after.version == before.version  # what a visitor is called is logged: the choice needs no more


async def test_an_uninstalled_shop_is_let_go(connections: Connections) -> None:
    await install(connections)
    async with live_shops(connections) as live:
        assert await live.get(SHOP) is not None
        async with connections.write() as db:
            await db.exec(update(ShopRow).where(col(ShopRow.shop) == SHOP).values(uninstalled_at=NOW))

        async def announced_and_gone() -> bool:
            await announce_change(connections.redis, SHOP)
            return await live.get(SHOP) is None

        await until(announced_and_gone)


async def test_listening_goes_on_after_the_connection_was_cut(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.live, "RECONNECT_S", 0.01)
    await install(connections)
    async with live_shops(connections) as live:
        assert not await sells(live, 10)
        await until(lambda: listened_to(connections))
        await connections.redis.client_kill_filter(_type="pubsub")
        await sell(connections, 10)
        await announce_change(connections.redis, SHOP)  # to nobody
        await until(lambda: sells(live, 10))


async def test_only_what_was_announced_is_loaded_again_after_a_cut(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.live, "RECONNECT_S", 0.01)
    await install(connections)
    await install(connections, "other.myshopify.com")
    async with live_shops(connections) as live:
        before = await live.get(ShopDomain("other.myshopify.com"))
        assert not await sells(live, 10)
        await until(lambda: listened_to(connections))
        await connections.redis.client_kill_filter(_type="pubsub")
        await sell(connections, 10)
        await announce_change(connections.redis, SHOP)
        await until(lambda: sells(live, 10))
        assert await live.get(ShopDomain("other.myshopify.com")) is before


async def test_stored_changes_of_many_shops_are_noticed_by_turns(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.live, "POLL_S", 0.01)
    monkeypatch.setattr(app.live, "POLLED", 1)
    shops = [ShopDomain(f"shop-{number}.myshopify.com") for number in range(3)]
    for shop in shops:
        await install(connections, shop)
    async with live_shops(connections) as live:
        for shop in shops:
            assert await live.get(shop) is not None
        for shop in shops:
            await sell(connections, 10, shop)

        async def all_noticed() -> bool:
            held = [await live.get(shop) for shop in shops]
            return all(each is not None and 10 in each.catalog.available_ids for each in held)

        await until(all_noticed)


async def test_a_shop_that_can_not_be_read_keeps_no_other_from_being_followed(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.live, "POLL_S", 0.01)
    odd = ShopDomain("odd.myshopify.com")
    for shop in (odd, SHOP):
        await install(connections, shop)
    async with live_shops(connections) as live:
        before = await live.get(odd)
        assert await live.get(SHOP) is not None
        async with connections.write() as db:
            db.add(ForesightRow(shop=odd, kind="choice", trained_at=NOW, content={"weights": 1}, report={}))
        with monkeypatch.context() as at_once:
            at_once.setattr(app.ttl_cache.TtlCache, "of", lambda self, *of: self._read(*of))
            for product_id in (10, 20):
                await sell(connections, product_id)
                await until(partial(sells, live, product_id))
        assert await live.get(odd) is before


async def test_a_database_that_is_down_leaves_what_was_loaded(connections: Connections) -> None:
    await install(connections)
    await sell(connections, 10)
    async with live_shops(connections) as live:
        assert await sells(live, 10)
        async with connections.write() as db:
            await db.exec(delete(VariantRow))
        async with connections.engine.begin() as connection:
            await connection.run_sync(ProductRow.__table__.drop)
        await announce_change(connections.redis, SHOP)
        await asyncio.sleep(0.1)
        assert await sells(live, 10)
