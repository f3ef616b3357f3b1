"""Stock that differs from what Shopify has: a delivery of a level was missed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from app.connections import Connections
from app.events.kinds import AnyEvent, InventoryChanged
from app.shops.store import Shop
from app.shops.tokens import ask_shop
from app.tables import InventoryRow, VariantRow
from app.upsert import table_of
from webhooks.documents import STOCK_OF_PRODUCT
from webhooks.payload import Payload
from webhooks.read_admin import read_level

_NOT_KNOWN = -1
_VARIANTS, _LEVELS = table_of(VariantRow), table_of(InventoryRow)


async def missed_stock(connections: Connections, shop: Shop, products: Sequence[Payload]) -> list[AnyEvent]:
    """Return the levels that were missed of these products: those whose sum differs from ours."""
    known = await _sums(connections, shop, [product.id("id") for product in products])
    missed: list[AnyEvent] = []
    for product in products:
        total, ours = product.count_or_none("totalInventory"), known.get(product.id("id"), _NOT_KNOWN)
        if ours is not None and ours != total:
            missed += await _unknown(connections, shop, await _levels(connections, shop, product.text("id")))
    return missed


async def _sums(connections: Connections, shop: Shop, product_ids: Sequence[int]) -> dict[int, int | None]:
    """Return the units we know of, by product; None where the shop does not count them."""
    query = (
        select(_VARIANTS.c.product_id, func.sum(_VARIANTS.c.available))
        .where(_VARIANTS.c.shop == shop.shop, _VARIANTS.c.product_id.in_(product_ids))
        .group_by(_VARIANTS.c.product_id)
    )
    async with connections.read() as db:
        rows = (await (await db.connection()).execute(query)).all()
    return {row[0]: None if row[1] is None else int(row[1]) for row in rows}


async def _levels(connections: Connections, shop: Shop, gid: str) -> list[InventoryChanged]:
    """Return where how much of the product is."""
    levels: list[InventoryChanged] = []
    variables: dict[str, str | None] = {"id": gid, "after": None}
    while True:
        answer = Payload(await ask_shop(connections, shop.shop, STOCK_OF_PRODUCT, variables))
        product = answer.child_or_none("product")
        if product is None:  # deleted since
            return levels
        page = product.child("variants")
        for variant in page.children("nodes"):
            nodes = variant.child("inventoryItem").child("inventoryLevels").children("nodes")
            levels += [read_level(shop.shop, node) for node in nodes]
        if not page.child("pageInfo").flag_or_none("hasNextPage"):
            return levels
        variables["after"] = page.child("pageInfo").text("endCursor")


async def _unknown(
    connections: Connections, shop: Shop, levels: Sequence[InventoryChanged]
) -> list[InventoryChanged]:
    """Return the levels that we know otherwise, or not at all."""
    items = sorted({level.inventory_item_id for level in levels})
    query = select(_LEVELS.c.inventory_item_id, _LEVELS.c.location_id, _LEVELS.c.available).where(
        _LEVELS.c.shop == shop.shop, _LEVELS.c.inventory_item_id.in_(items)
    )
    async with connections.read() as db:
        rows = (await (await db.connection()).execute(query)).all()
    known = {(row.inventory_item_id, row.location_id): row.available for row in rows}
    absent = object()
    return [
        level for level in levels
        if known.get((level.inventory_item_id, level.location_id), absent) != level.available
    ]  # fmt: skip
