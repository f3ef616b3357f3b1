from __future__ import annotations

import pytest

from app.catalog.fingerprint import catalog_fingerprint
from app.catalog.stock import record_offline_locations
from app.catalog.store import load_catalog, record_inventory, record_product
from app.connections import Connections
from app.tables import ShopRow
from tests.catalog.test_store import NOON, SHOP, changed, level, stock

STORE, WAREHOUSE = 1, 2


@pytest.fixture
async def shop(on_both_databases: Connections) -> Connections:
    """A shop that sells nothing online from its store."""
    async with on_both_databases.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOON))
    assert await record_offline_locations(on_both_databases, SHOP, [STORE])
    await record_product(on_both_databases, changed())
    return on_both_databases


async def test_what_is_in_the_store_alone_is_not_offered(shop: Connections) -> None:
    await record_inventory(shop, level(1, 5, STORE))
    assert await stock(shop) == 0
    assert not (await load_catalog(shop, SHOP)).available_ids
    await record_inventory(shop, level(2, 3, WAREHOUSE))
    assert await stock(shop) == 3
    await record_product(shop, changed(3))  # of which Shopify counts seven, wherever they are
    assert await stock(shop) == 3


async def test_what_is_not_counted_is_offered_wherever_it_is(shop: Connections) -> None:
    await record_inventory(shop, level(1, None, STORE))
    assert await stock(shop) is None


async def test_a_location_that_begins_to_sell_online_counts_at_once(shop: Connections) -> None:
    await record_inventory(shop, level(1, 5, STORE))
    before = await catalog_fingerprint(shop, SHOP)
    assert not await record_offline_locations(shop, SHOP, [STORE])
    assert await record_offline_locations(shop, SHOP, [])
    assert await stock(shop) == 5
    assert await catalog_fingerprint(shop, SHOP) != before
    assert not await record_offline_locations(shop, SHOP, [])


async def test_another_shops_locations_are_its_own(shop: Connections) -> None:
    await record_inventory(shop, level(1, 5, WAREHOUSE))
    await record_offline_locations(shop, "b.myshopify.com", [WAREHOUSE])
    assert await stock(shop) == 5
