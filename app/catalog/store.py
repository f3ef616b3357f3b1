"""The catalogue in the database: products, variants and stock, as Shopify last told them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import UNSET
from sqlalchemy import ColumnElement, Select, case, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.catalog.availability import IN_STOCK
from app.catalog.catalog import COUNTED_TO, Catalog, Product, Variant
from app.catalog.collections import collections_of
from app.catalog.cost_store import OF_VARIANT, cost_of
from app.catalog.stock import sum_levels
from app.connections import Connections
from app.events.kinds import InventoryChanged, ProductChanged, ProductDeleted, VariantFacts
from app.streamed import in_parts
from app.tables import InventoryRow, ItemCostRow, ProductRow, ShopRow, VariantRow
from app.upsert import by_key, delete_keys, newer_unless_deleted, table_of, upsert

_PRODUCTS, _VARIANTS = table_of(ProductRow), table_of(VariantRow)
_COSTS, _SHOPS = table_of(ItemCostRow), table_of(ShopRow)


async def load_catalog(connections: Connections, shop: str) -> Catalog:
    """Return everything the shop sells; an empty catalogue for an unknown shop.

    Read in parts: a large shop's is hundreds of thousands of rows, and others' checkouts go on meanwhile.
    """
    by_product: dict[int, list[Variant]] = defaultdict(list)
    products: dict[int, Product] = {}
    async with connections.read() as db:
        connection = await db.connection()
        currency = await connection.scalar(select(_SHOPS.c.currency).where(_SHOPS.c.shop == shop))
        async for part in in_parts(connection, _of_variants(shop)):
            for row in part:
                by_product[row.product_id].append(_variant(row))
        collections = await collections_of(connection, shop)
        sold = select(_PRODUCTS).where(_PRODUCTS.c.shop == shop, _PRODUCTS.c.deleted_at.is_(None))
        async for part in in_parts(connection, sold):
            for row in part:
                its = by_product.get(row.product_id, ())
                products[row.product_id] = _product(row, its, collections.get(row.product_id))
    return Catalog(currency or "USD", products)


def _of_variants(shop: str) -> Select[Any]:
    """Return the query of the shop's variants in the merchant's order, each with its cost."""
    columns = _VARIANTS.c
    told = (columns.product_id, columns.variant_id, columns.title, columns.price_minor)
    return (
        select(*told, columns.available, columns.sells_when_out, IN_STOCK.label("in_stock"), cost_of(shop))
        .outerjoin(_COSTS, OF_VARIANT)
        .where(columns.shop == shop)
        .order_by(columns.product_id, columns.position, columns.variant_id)
    )


async def record_product(connections: Connections, event: ProductChanged) -> None:
    """Keep the product as it stood, unless something newer is known."""
    await record_products(connections, [event])


async def record_products(connections: Connections, events: Sequence[ProductChanged]) -> None:
    """Keep many products and their variants in one transaction."""
    latest = {
        (event.shop, event.product_id): event for event in sorted(events, key=lambda event: event.updated_at)
    }
    async with connections.write() as db:
        kept: list[Any] = []
        for rows in _alike(map(_product_row, latest.values())):
            kept += await upsert(db, ProductRow, rows, newer=newer_unless_deleted)
        await _replace_variants(db, [latest[key] for key in kept])


async def remove_product(connections: Connections, event: ProductDeleted) -> None:
    """Mark the product as deleted, unless something newer is known; a late change stays out."""
    row = {
        "shop": event.shop,
        "product_id": event.product_id,
        "title": "",
        "created_at": event.happened_at,
        "updated_at": event.happened_at,
        "deleted_at": event.happened_at,
    }
    async with connections.write() as db:
        kept = await upsert(db, ProductRow, [row], newer=lambda old, new: new.updated_at >= old.updated_at)
        await delete_keys(db, VariantRow, ("shop", "product_id"), kept)


async def record_inventory(connections: Connections, event: InventoryChanged) -> None:
    """Keep the units at one location, unless something newer is known."""
    await record_levels(connections, [event])


async def record_levels(connections: Connections, events: Sequence[InventoryChanged]) -> None:
    """Keep the units of many items and locations in one transaction."""
    rows = by_key(map(_level_row, events), "shop", "inventory_item_id", "location_id", latest="updated_at")
    async with connections.write() as db:
        kept = await upsert(db, InventoryRow, rows, newer=lambda old, new: new.updated_at >= old.updated_at)
        await sum_levels(db, {(shop, item) for shop, item, _ in kept})


async def _replace_variants(db: AsyncSession, events: Sequence[ProductChanged]) -> None:
    described = [(event, variant) for event in events for variant in event.variants]
    connection = await db.connection()
    for event in events:
        known = {variant.variant_id for variant in event.variants}.union(event.other_variant_ids)
        await connection.execute(
            delete(_VARIANTS).where(
                _VARIANTS.c.shop == event.shop,
                _VARIANTS.c.product_id == event.product_id,
                _VARIANTS.c.variant_id.not_in(known),
            )
        )
    # A count that is told moves nothing between "not tracked" and "tracked"; being told does.
    for told, available in ((True, _as_told), (False, _as_known)):
        rows = [_variant_row(e, v) for e, v in described if (v.tracked is not None) is told]
        await upsert(db, VariantRow, by_key(rows, "shop", "variant_id"), merge={"available": available})
    items = {(e.shop, v.inventory_item_id) for e, v in described if v.inventory_item_id}
    await sum_levels(db, items)


def _as_told(old: Any, new: Any) -> ColumnElement[Any]:
    return new.available  # type: ignore[no-any-return]


def _as_known(old: Any, new: Any) -> ColumnElement[Any]:
    """Return the new count, or none for a variant whose stock was said not to be tracked."""
    return case((old.available.is_(None), None), else_=new.available)


def _product_row(event: ProductChanged) -> dict[str, Any]:
    facts = {
        "shop": event.shop,
        "product_id": event.product_id,
        "title": event.title,
        "vendor": event.vendor,
        "product_type": event.product_type,
        "tags": list(event.tags),
        "image_url": event.image_url,
        "handle": event.handle,
        "published": event.published,
        "created_at": event.created_at,
        "updated_at": event.updated_at,
        "deleted_at": None,
    }
    flags = {"requires_selling_plan": event.requires_selling_plan, "gift_card": event.gift_card}
    return facts | {flag: holds for flag, holds in flags.items() if holds is not None}


def _alike(rows: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    """Return the rows by what they tell: what is not told stays as it was told before."""
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        by_columns.setdefault(tuple(row), []).append(row)
    return by_columns.values()


def _variant_row(event: ProductChanged, variant: VariantFacts) -> dict[str, Any]:
    return {
        "shop": event.shop,
        "variant_id": variant.variant_id,
        "product_id": event.product_id,
        "title": variant.title,
        "price_minor": variant.price_minor,
        "position": variant.position,
        "inventory_item_id": variant.inventory_item_id,
        "available": None if variant.tracked is False else variant.available,
        "sells_when_out": variant.sells_when_out,
    }


def _level_row(event: InventoryChanged) -> dict[str, Any]:
    return {
        "shop": event.shop,
        "inventory_item_id": event.inventory_item_id,
        "location_id": event.location_id,
        "available": event.available,
        "updated_at": event.updated_at,
    }


def _variant(row: Any) -> Variant:
    counted = row.available is not None and not row.sells_when_out
    stock = min(max(row.available, 0), COUNTED_TO) if counted else None
    cost = UNSET if row.cost_minor is None else row.cost_minor
    return Variant(row.variant_id, row.title, row.price_minor, row.in_stock, stock, cost)


def _product(row: Any, variants: Iterable[Variant], collections: tuple[str, ...] | None) -> Product:
    return Product(
        product_id=row.product_id,
        title=row.title,
        variants=tuple(variants),
        published=row.published,
        image_url=row.image_url,
        vendor=row.vendor,
        product_type=row.product_type,
        tags=tuple(row.tags),
        created_at=row.created_at,
        handle=row.handle or UNSET,
        requires_selling_plan=row.requires_selling_plan or UNSET,
        gift_card=row.gift_card or UNSET,
        collections=collections or UNSET,
    )
