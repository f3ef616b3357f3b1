import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

import app.catalog.store
import app.streamed
from app.catalog.catalog import Product
from app.catalog.fingerprint import catalog_fingerprint
from app.catalog.flags import record_flag, titles_flagged
from app.catalog.store import (
    load_catalog,
    record_inventory,
    record_levels,
    record_product,
    record_products,
    remove_product,
)
from app.connections import Connections
from app.events.kinds import InventoryChanged, ProductChanged, ProductDeleted, VariantFacts
from app.tables import ShopRow, VariantRow

SHOP = "a.myshopify.com"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def variant(variant_id: int = 3, **fields: Any) -> VariantFacts:
    facts: dict[str, Any] = {
        "variant_id": variant_id,
        "title": "50 g",
        "price_minor": 420,
        "position": 1,
        "inventory_item_id": 30 + variant_id,
        "available": 7,
        "tracked": None,
        "sells_when_out": False,
    }
    return VariantFacts(**facts | fields)


def changed(minutes: int = 0, *variants: VariantFacts, **fields: Any) -> ProductChanged:
    facts: dict[str, Any] = {
        "shop": SHOP,
        "event_id": f"p{minutes}",
        "happened_at": at(minutes),
        "product_id": 2,
        "title": "Tea",
        "vendor": "Harvest",
        "product_type": "Drinks",
        "tags": ("green",),
        "image_url": None,
        "published": True,
        "created_at": NOON,
        "updated_at": at(minutes),
        "variants": variants or (variant(),),
    }
    return ProductChanged(**facts | fields)


def deleted(minutes: int) -> ProductDeleted:
    return ProductDeleted(shop=SHOP, event_id=f"d{minutes}", happened_at=at(minutes), product_id=2)


def level(minutes: int, available: int | None, location_id: int = 1) -> InventoryChanged:
    return InventoryChanged(
        shop=SHOP,
        event_id=f"i{minutes}",
        happened_at=at(minutes),
        inventory_item_id=33,
        location_id=location_id,
        available=available,
        updated_at=at(minutes),
    )


async def the_product(connections: Connections) -> Product | None:
    return (await load_catalog(connections, SHOP)).get(2)


async def stock(connections: Connections) -> int | None:
    async with connections.read() as db:
        return (await db.exec(select(VariantRow.available))).one()


async def test_a_product_is_loaded_as_it_was_told(on_both_databases: Connections) -> None:
    async with on_both_databases.write() as db:
        db.add(ShopRow(shop=SHOP, currency="EUR", publishable_key="pk", installed_at=NOON))
    await record_product(on_both_databases, changed(0, variant(4, position=2), variant(3), handle="tea"))
    catalog = await load_catalog(on_both_databases, SHOP)
    product = catalog.products[2]
    assert product.handle == "tea"
    assert catalog.currency == "EUR"
    assert (product.title, product.vendor, product.tags) == ("Tea", "Harvest", ("green",))
    assert [v.variant_id for v in product.variants] == [3, 4]
    assert product.variants[0].price_minor == 420
    assert product.created_at == NOON
    assert catalog.available_ids == {2}


async def test_a_large_catalogue_is_read_in_parts_that_let_checkouts_pass(
    on_both_databases: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = [changed(0, variant(n, inventory_item_id=None), product_id=n) for n in range(1, 13)]
    await record_products(on_both_databases, products)
    monkeypatch.setattr(app.streamed, "AT_ONCE", 4)
    turns, at_once = 0, Counter[int]()
    as_read = app.catalog.store._product

    def counted(*row: Any) -> Product:
        at_once[turns] += 1
        return as_read(*row)

    monkeypatch.setattr(app.catalog.store, "_product", counted)
    reading = asyncio.create_task(load_catalog(on_both_databases, SHOP))
    while not reading.done():
        turns += 1
        await asyncio.sleep(0)
    assert len((await reading).products) == sum(at_once.values()) == 12
    assert max(at_once.values()) <= 4


async def test_what_a_reading_told_of_a_selling_plan_stays_when_a_webhook_does_not_tell(
    on_both_databases: Connections,
) -> None:
    await record_product(on_both_databases, changed(0, requires_selling_plan=True))
    await record_product(on_both_databases, changed(1, title="Green tea"))
    catalog = await load_catalog(on_both_databases, SHOP)
    assert catalog.products[2].title == "Green tea"
    assert not catalog.available_ids
    await record_product(on_both_databases, changed(2, requires_selling_plan=False, gift_card=True))
    assert not (await load_catalog(on_both_databases, SHOP)).available_ids
    await record_product(on_both_databases, changed(3, gift_card=False))
    assert (await load_catalog(on_both_databases, SHOP)).available_ids == {2}


async def test_a_selling_plan_changes_what_servers_look_at(on_both_databases: Connections) -> None:
    await record_product(on_both_databases, changed())
    before = await catalog_fingerprint(on_both_databases, SHOP)
    assert await record_flag(on_both_databases, SHOP, "requires_selling_plan", {2: True, 9: True})
    assert await catalog_fingerprint(on_both_databases, SHOP) != before
    assert not await record_flag(on_both_databases, SHOP, "requires_selling_plan", {2: True})
    told = "requires_selling_plan", [2, 9]
    assert await titles_flagged(on_both_databases, SHOP, *told) == ["Tea"]
    assert await titles_flagged(on_both_databases, SHOP, "gift_card", [2]) == []
    assert await titles_flagged(on_both_databases, "b.myshopify.com", *told) == []
    assert await record_flag(on_both_databases, SHOP, "requires_selling_plan", {2: False})
    assert await catalog_fingerprint(on_both_databases, SHOP) == before
    assert await record_flag(on_both_databases, SHOP, "published", {2: False})
    assert await catalog_fingerprint(on_both_databases, SHOP) != before


async def test_an_unknown_shop_sells_nothing(on_both_databases: Connections) -> None:
    await record_product(on_both_databases, changed())
    assert not (await load_catalog(on_both_databases, "b.myshopify.com")).products


async def test_a_late_change_does_not_go_back_in_time(on_both_databases: Connections) -> None:
    await record_product(on_both_databases, changed(5, title="Green tea"))
    await record_product(on_both_databases, changed(1, variant(9), title="Tea"))
    product = await the_product(on_both_databases)
    assert product is not None
    assert product.title == "Green tea"
    assert [v.variant_id for v in product.variants] == [3]


async def test_variants_that_are_gone_go_but_undescribed_ones_stay(
    on_both_databases: Connections,
) -> None:
    await record_product(on_both_databases, changed(0, variant(3), variant(4), variant(5)))
    await record_product(on_both_databases, changed(1, variant(3), other_variant_ids=(3, 5)))
    product = await the_product(on_both_databases)
    assert product is not None
    assert {v.variant_id for v in product.variants} == {3, 5}


async def test_a_deleted_product_stays_deleted_for_late_changes(on_both_databases: Connections) -> None:
    await record_product(on_both_databases, changed(0))
    await remove_product(on_both_databases, deleted(2))
    for minutes in (1, 2):
        await record_product(on_both_databases, changed(minutes))
        assert await the_product(on_both_databases) is None
    await record_product(on_both_databases, changed(3))
    assert await the_product(on_both_databases) is not None


async def test_a_deletion_that_arrives_first_is_remembered(on_both_databases: Connections) -> None:
    await remove_product(on_both_databases, deleted(2))
    await record_product(on_both_databases, changed(1))
    assert await the_product(on_both_databases) is None


async def test_a_late_deletion_does_not_undo_a_newer_change(on_both_databases: Connections) -> None:
    await record_product(on_both_databases, changed(3))
    await remove_product(on_both_databases, deleted(2))
    assert await the_product(on_both_databases) is not None


async def test_stock_is_the_sum_of_all_locations(on_both_databases: Connections) -> None:
    await record_product(on_both_databases, changed())
    await record_levels(on_both_databases, [level(1, 2, location_id=1), level(1, 3, location_id=2)])
    assert await stock(on_both_databases) == 5  # 2 + 3
    await record_inventory(on_both_databases, level(2, 0, location_id=2))
    assert await stock(on_both_databases) == 2  # 2 + 0


async def test_a_late_stock_level_does_not_go_back_in_time(on_both_databases: Connections) -> None:
    await record_product(on_both_databases, changed())
    await record_inventory(on_both_databases, level(5, 0))
    await record_inventory(on_both_databases, level(1, 9))
    assert await stock(on_both_databases) == 0
    product = await the_product(on_both_databases)
    assert product is not None
    assert not product.available


async def test_stock_that_arrives_before_its_variant_is_remembered(
    on_both_databases: Connections,
) -> None:
    await record_inventory(on_both_databases, level(0, 4))
    await record_product(on_both_databases, changed(1, variant(available=99)))
    assert await stock(on_both_databases) == 4


@pytest.mark.parametrize(
    ("first", "then", "available"),
    [
        ({"tracked": False, "available": 0}, {}, None),  # not tracked stays not tracked
        ({"tracked": False, "available": 0}, {"tracked": True, "available": 0}, 0),
        ({"available": 7}, {"available": 5}, 5),
        ({"available": 7}, {"tracked": False, "available": 0}, None),
    ],
)
async def test_a_count_of_what_is_not_tracked_is_not_believed(
    on_both_databases: Connections,
    first: dict[str, Any],
    then: dict[str, Any],
    available: int | None,
) -> None:
    await record_product(on_both_databases, changed(0, variant(**first)))
    await record_product(on_both_databases, changed(1, variant(**then)))
    assert await stock(on_both_databases) == available


async def test_what_is_not_counted_or_sells_when_out_is_in_stock(
    on_both_databases: Connections,
) -> None:
    await record_product(
        on_both_databases,
        changed(
            0,
            variant(3, tracked=False),
            variant(4, available=0, sells_when_out=True),
            variant(5, available=0),
            variant(6, available=-2),
        ),
    )
    product = await the_product(on_both_databases)
    assert product is not None
    assert {v.variant_id for v in product.variants if v.in_stock} == {3, 4}


async def test_many_products_are_kept_at_once(on_both_databases: Connections) -> None:
    many = [changed(0, variant(n), product_id=n) for n in range(1, 1_102)]
    await record_products(on_both_databases, [*many, changed(5, variant(2), title="Newest")])
    catalog = await load_catalog(on_both_databases, SHOP)
    assert len(catalog.products) == 1_101
    assert catalog.products[2].title == "Newest"


@pytest.mark.parametrize(
    ("facts", "stock"),
    [
        ({"available": 2}, 2),
        ({"available": 700}, 5),  # more make no difference
        ({"available": -3}, 0),
        ({"available": 2, "sells_when_out": True}, None),
        ({"available": 2, "tracked": False}, None),
        ({"available": None}, None),
    ],
)
async def test_stock_is_known_where_it_is_counted(
    connections: Connections, facts: dict[str, Any], stock: int | None
) -> None:
    await record_product(connections, changed(0, variant(**facts)))
    product = (await load_catalog(connections, SHOP)).products[2]
    assert product.variants[0].stock == stock
