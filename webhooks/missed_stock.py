"""Finds stock levels that differ from Shopify's: a delivery was missed, or did not tell enough.

No webhook says which items a shop counts, and none that we subscribe to says that a location stopped
stocking one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, exists, func, select

from app.catalog.stock import offline_locations
from app.connections import Connections
from app.events.kinds import AnyEvent, InventoryChanged
from app.shops.store import Shop
from app.tables import InventoryRow, VariantRow
from app.upsert import chunks, table_of
from webhooks.documents import STOCK_OF_PRODUCT
from webhooks.paging import pages
from webhooks.payload import Payload
from webhooks.read_admin import read_level, uncounted

_NOT_KNOWN = -1
_VARIANTS, _LEVELS = table_of(VariantRow), table_of(InventoryRow)
_SAME_ITEM = and_(
    _LEVELS.c.shop == _VARIANTS.c.shop, _LEVELS.c.inventory_item_id == _VARIANTS.c.inventory_item_id
)


@dataclass(slots=True)
class _Stock:
    """Shopify's levels. unlisted: of each item read in full, what a location without a level holds."""

    levels: list[InventoryChanged] = field(default_factory=list)
    unlisted: dict[int, int | None] = field(default_factory=dict)


async def missed_stock(connections: Connections, shop: Shop, products: Sequence[Payload]) -> list[AnyEvent]:
    """Return the levels that were missed of these products.

    Levels are read where a product's total differs from ours, and where a variant is sold out and has no
    level; where some locations do not sell online, where any variant has none.
    """
    ids = [product.id("id") for product in products]
    async with connections.read() as db:
        offline = await offline_locations(db, shop.shop)
    known = await _known_units(connections, shop, ids)
    for number, units in (await _units_offline(connections, shop, ids, offline) if offline else {}).items():
        known[number] = (known.get(number) or 0) + units
    without_levels = await _without_levels(connections, shop, ids, any_units=bool(offline))
    missed: list[AnyEvent] = []
    for number, product in zip(ids, products, strict=True):
        if number in without_levels or known.get(number, _NOT_KNOWN) != _units(product):
            stock = await _stock(connections, shop, product.text("id"))
            missed += await _changed_levels(connections, shop, stock)
    return missed


def _units(product: Payload) -> int | None:
    """Return the units Shopify has, None where the shop counts none of the product's variants."""
    return product.count_or_none("totalInventory") if product.flag_or_none("tracksInventory") else None


async def _known_units(
    connections: Connections, shop: Shop, product_ids: Sequence[int]
) -> dict[int, int | None]:
    """Return the units we know of, by product; None where the shop does not count them."""
    query = (
        select(_VARIANTS.c.product_id, func.sum(_VARIANTS.c.available))
        .where(_VARIANTS.c.shop == shop.shop, _VARIANTS.c.product_id.in_(product_ids))
        .group_by(_VARIANTS.c.product_id)
    )
    rows = await connections.rows(query)
    return {row[0]: None if row[1] is None else int(row[1]) for row in rows}


async def _units_offline(
    connections: Connections, shop: Shop, product_ids: Sequence[int], offline: Sequence[int]
) -> dict[int, int]:
    """Return the units at locations that do not sell online, by product: `available` leaves them out."""
    product = _VARIANTS.c.product_id
    query = (
        select(product, func.sum(_LEVELS.c.available))
        .join(_LEVELS, _SAME_ITEM)
        .where(_VARIANTS.c.shop == shop.shop, product.in_(product_ids))
        .where(_LEVELS.c.location_id.in_(offline), _LEVELS.c.available.is_not(None))
        .group_by(product)
    )
    rows = await connections.rows(query)
    return {row[0]: int(row[1]) for row in rows}


async def _without_levels(
    connections: Connections, shop: Shop, product_ids: Sequence[int], *, any_units: bool
) -> set[int]:
    """Return which of the products have a sold-out variant of which no level is known.

    any_units: also of those that are not sold out.
    """
    by_webhook = _VARIANTS.c.available.is_not(None) if any_units else _VARIANTS.c.available <= 0
    query = select(_VARIANTS.c.product_id).where(
        _VARIANTS.c.shop == shop.shop, _VARIANTS.c.product_id.in_(product_ids),
        _VARIANTS.c.inventory_item_id.is_not(None), by_webhook, ~exists().where(_SAME_ITEM),
    )  # fmt: skip
    return set(await connections.scalars(query.distinct()))


async def _stock(connections: Connections, shop: Shop, gid: str) -> _Stock:
    """Return the product's levels, none where it was deleted since."""
    stock = _Stock()
    async for _, variants in pages(
        connections, shop.shop, STOCK_OF_PRODUCT, "variants", of="product", id=gid
    ):
        for variant in variants:
            _add(stock, shop, variant.child("inventoryItem"))
    return stock


def _add(stock: _Stock, shop: Shop, item: Payload) -> None:
    counted, levels = item.flag_or_none("tracked") is not False, item.child("inventoryLevels")
    read = [read_level(shop.shop, node) for node in levels.children("nodes")]
    stock.levels += read if counted else map(uncounted, read)
    if not levels.child("pageInfo").flag_or_none("hasNextPage"):
        stock.unlisted[item.id("id")] = 0 if counted else None


async def _changed_levels(connections: Connections, shop: Shop, stock: _Stock) -> list[InventoryChanged]:
    """Return the levels that differ from ours or are new to us, and those that are no more."""
    current = {(level.inventory_item_id, level.location_id): level for level in stock.levels}
    known = await _known(connections, shop, sorted({item for item, _ in current}.union(stock.unlisted)))
    absent = (object(), None)
    differing = [level for key, level in current.items() if known.get(key, absent)[0] != level.available]
    return differing + [
        _emptied_level(shop, *key, stock.unlisted[key[0]], updated_at)
        for key, (available, updated_at) in known.items()
        if key not in current and key[0] in stock.unlisted and available not in (None, stock.unlisted[key[0]])
    ]


async def _known(
    connections: Connections, shop: Shop, items: Sequence[int]
) -> dict[tuple[int, int], tuple[int | None, datetime]]:
    """Return our levels of these items, by item and location, with when they were updated."""
    columns = _LEVELS.c.inventory_item_id, _LEVELS.c.location_id, _LEVELS.c.available, _LEVELS.c.updated_at
    known: dict[tuple[int, int], tuple[int | None, datetime]] = {}
    async with connections.read() as db:
        for part in chunks(items):
            query = select(*columns).where(_LEVELS.c.shop == shop.shop, _LEVELS.c.inventory_item_id.in_(part))
            for item, location, available, updated_at in await (await db.connection()).execute(query):
                known[item, location] = available, updated_at
    return known


def _emptied_level(
    shop: Shop, item_id: int, location_id: int, available: int | None, known_at: datetime
) -> InventoryChanged:
    """Return the level of a location that stocks the item no more, dated as ours: any change is later."""
    return InventoryChanged(
        shop=shop.shop,
        event_id=f"gone:{item_id}:{location_id}:{known_at.isoformat()}",
        happened_at=known_at,
        inventory_item_id=item_id,
        location_id=location_id,
        available=available,
        updated_at=known_at,
    )
