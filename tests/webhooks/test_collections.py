from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from app.catalog.collections import titles_of
from app.catalog.store import load_catalog
from app.connections import Connections
from app.errors import ShopifyUnavailable
from app.events.kinds import AppUninstalled, CollectionsChanged
from app.shops.changes import revisions
from app.shops.store import mark_uninstalled
from devstore.records import Collection
from devstore.schema import MODULES
from tests.devstore.small_shop import NOW
from tests.webhooks.shopfront import Shopfront, installed
from webhooks import bulk
from webhooks.backfill import run_backfill
from webhooks.collections import note_collection, read_collections, request_due_collections
from webhooks.reconcile import reconcile_shop

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@pytest.fixture
async def front(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shopfront]:
    monkeypatch.setattr(bulk, "_LOOK_EVERY_S", 0.02)
    async with installed(connections) as made:
        yield made


async def in_collections(front: Shopfront) -> dict[int, tuple[str, ...]]:
    catalog = await load_catalog(front.connections, front.installed.shop)
    return {number: product.in_collections for number, product in catalog.products.items()}


async def requested(front: Shopfront) -> bool:
    """Return whether the collections were asked for since the last time, or since they were read."""
    key = f"tw:{{{front.installed.shop}}}:waiting:collections"
    return bool(await front.connections.redis.delete(key))


async def test_what_is_in_a_collection_is_read_on_install_and_again(front: Shopfront) -> None:
    connections, shop = front.connections, front.installed.shop
    await run_backfill(connections, shop)
    assert await requested(front)
    await read_collections(connections, shop)
    assert await titles_of(connections, shop) == {"breakfast": "Good morning"}
    assert await in_collections(front) == {1: ("breakfast",), 2: ("breakfast",), 3: (), 4: ()}

    told = await revisions(connections.redis, [shop])
    await read_collections(connections, shop)
    assert await revisions(connections.redis, [shop]) == told
    front.shop.collections[11].product_ids = [2, 3]
    front.shop.add_collection(Collection(12, "Empty", "empty", NOW, NOW))
    await read_collections(connections, shop)
    assert await revisions(connections.redis, [shop]) != told
    assert await in_collections(front) == {1: (), 2: ("breakfast",), 3: ("breakfast",), 4: ()}
    assert await titles_of(connections, shop) == {"breakfast": "Good morning", "empty": "Empty"}
    front.shop.collections.clear()
    await read_collections(connections, shop)
    assert await titles_of(connections, shop) == {}


async def test_what_can_not_be_read_leaves_what_is_known(front: Shopfront) -> None:
    connections, shop = front.connections, front.installed.shop
    await run_backfill(connections, shop)
    await read_collections(connections, shop)
    front.shop.collections[11].product_ids = []
    front.store.fail_next_bulk_after = 0
    await read_collections(connections, shop)
    gone = AppUninstalled(shop=shop, event_id="u", happened_at=datetime.now(UTC))
    await mark_uninstalled(connections, gone)
    await read_collections(connections, shop)
    assert (await in_collections(front))[1] == ("breakfast",)


async def test_what_shopify_gave_up_is_asked_again_after_a_while(front: Shopfront) -> None:
    connections, shop = front.connections, front.installed.shop
    redis: Redis = connections.redis
    await request_due_collections(connections)
    await requested(front)  # its turn of the day
    front.store.fail_next_bulk_after = 0
    await read_collections(connections, shop)
    await request_due_collections(connections)
    assert not await requested(front)
    await redis.delete(f"tw:{{{shop}}}:collections:rest")
    await request_due_collections(connections)
    assert await requested(front)
    await read_collections(connections, shop)
    assert await titles_of(connections, shop) == {"breakfast": "Good morning"}
    await redis.delete(f"tw:{{{shop}}}:collections:rest")
    await request_due_collections(connections)
    assert not await requested(front)


async def test_a_change_is_read_soon_and_not_all_the_time(front: Shopfront) -> None:
    connections, shop = front.connections, front.installed.shop
    redis: Redis = connections.redis
    changed = CollectionsChanged(shop=shop, event_id="c", happened_at=NOW, collection_id=11)
    await request_due_collections(connections)
    await requested(front)  # its turn of the day
    await request_due_collections(connections)
    assert not await requested(front)
    await note_collection(connections, changed)
    for _ in range(2):  # until it has been read
        await request_due_collections(connections)
        assert await requested(front)
    await read_collections(connections, shop)
    await redis.set(f"tw:{{{shop}}}:collections:rest", 1)
    await note_collection(connections, changed)
    await request_due_collections(connections)
    assert not await requested(front)
    await redis.delete(f"tw:{{{shop}}}:collections:rest")
    await request_due_collections(connections)
    assert await requested(front)


async def test_products_that_changed_may_be_in_other_collections(front: Shopfront) -> None:
    connections, shop = front.connections, front.installed.shop
    await request_due_collections(connections)
    await requested(front)
    front.shop.products[1].updated_at = front.store.clock()
    await reconcile_shop(connections, front.installed, datetime.now(UTC))
    await request_due_collections(connections)
    assert await requested(front)
    assert await connections.redis.exists(f"tw:{{{shop}}}:collections:changed")


async def test_what_is_noted_while_it_is_read_is_read_again(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections, shop = front.connections, front.installed.shop
    changed = CollectionsChanged(shop=shop, event_id="c", happened_at=NOW, collection_id=11)

    async def busy(*_: object) -> str:
        await note_collection(connections, changed)
        raise ShopifyUnavailable("others go first")

    monkeypatch.setattr(bulk, "start_bulk", busy)
    with pytest.raises(ShopifyUnavailable):
        await read_collections(connections, shop)
    assert await connections.redis.exists(f"tw:{{{shop}}}:collections:changed")
