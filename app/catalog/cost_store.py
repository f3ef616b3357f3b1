"""What items cost, as Shopify last told it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Label, Select, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog.costs import Costs, costs_in
from app.connections import Connections
from app.events.kinds import CostChanged
from app.tables import ItemCostRow, ShopRow, VariantRow
from app.upsert import by_key, table_of, upsert

_COSTS, _SHOPS, _VARIANTS = table_of(ItemCostRow), table_of(ShopRow), table_of(VariantRow)
OF_VARIANT = (_COSTS.c.shop == _VARIANTS.c.shop) & (
    _COSTS.c.inventory_item_id == _VARIANTS.c.inventory_item_id
)


def cost_of(shop: str) -> Label[int]:
    """Return the column of what an item costs, with as much tax as prices hold: what is left is profit."""
    rate = select(_SHOPS.c.tax_rate).where(_SHOPS.c.shop == shop).scalar_subquery()
    taxed = func.round(_COSTS.c.cost_minor * (1 + func.coalesce(rate, 0.0)))
    return cast(taxed, BigInteger).label("cost_minor")


async def record_cost(connections: Connections, event: CostChanged) -> None:
    """Store what the item costs, unless something newer is known."""
    await record_costs(connections, [event])


async def record_costs(connections: Connections, events: Sequence[CostChanged]) -> None:
    """Store the costs of many items in one transaction. A cost may arrive before its variant."""
    rows = by_key(map(_row, events), "shop", "inventory_item_id", latest="updated_at")
    async with connections.write() as db:
        await upsert(db, ItemCostRow, rows, newer=lambda old, new: new.updated_at >= old.updated_at)


async def read_costs(connection: AsyncConnection, shop: str) -> Costs:
    """Return the costs of the shop's products, from the merchant's settings and from Shopify."""
    said = await _said(connection, shop)
    return Costs(said, dict(map(tuple, await connection.execute(_told(shop)))))


async def knows_costs(connections: Connections, shop: str) -> bool:
    """Return whether any cost is known in the shop."""
    async with connections.read() as db:
        connection = await db.connection()
        if await _said(connection, shop):
            return True
        return (await connection.execute(_told(shop).limit(1))).first() is not None


async def _said(connection: AsyncConnection, shop: str) -> dict[int, int]:
    settings = await connection.scalar(select(_SHOPS.c.settings).where(_SHOPS.c.shop == shop))
    return costs_in(settings or {})


def _told(shop: str) -> Select[Any]:
    """Return the question for what Shopify says that each variant costs."""
    told = select(_VARIANTS.c.variant_id, cost_of(shop)).join(_COSTS, OF_VARIANT)
    return told.where(_VARIANTS.c.shop == shop, _COSTS.c.cost_minor.is_not(None))


def _row(event: CostChanged) -> dict[str, Any]:
    return {
        "shop": event.shop,
        "inventory_item_id": event.inventory_item_id,
        "cost_minor": event.cost_minor,
        "updated_at": event.updated_at,
    }
