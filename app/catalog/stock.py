"""How much of each variant can be sold online: what lies where nothing is sold online does not count."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Update, case, exists, func, null, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections
from app.tables import InventoryRow, ShopRow, VariantRow
from app.upsert import chunks, table_of

_VARIANTS, _LEVELS, _SHOPS = table_of(VariantRow), table_of(InventoryRow), table_of(ShopRow)
_SAME_ITEM = (_LEVELS.c.shop == _VARIANTS.c.shop) & (
    _LEVELS.c.inventory_item_id == _VARIANTS.c.inventory_item_id
)


async def sum_levels(db: AsyncSession, items: Collection[tuple[str, int | None]]) -> None:
    """Set each variant's units to the sum over locations that sell online, where any location is known."""
    connection = await db.connection()
    for shop in {shop for shop, _ in items}:
        summed = _summed(shop, await offline_locations(db, shop))
        for part in chunks([item for owner, item in items if owner == shop]):
            await connection.execute(summed.where(_VARIANTS.c.inventory_item_id.in_(part)))


async def record_offline_locations(
    connections: Connections, shop: str, location_ids: Collection[int]
) -> bool:
    """Store which locations do not sell online; if that changed, sum all stock again and return True."""
    told = sorted(location_ids)
    async with connections.write() as db:
        if told == await offline_locations(db, shop):
            return False
        connection = await db.connection()
        await connection.execute(update(_SHOPS).where(_SHOPS.c.shop == shop).values(offline_locations=told))
        await connection.execute(_summed(shop, told))
    return True


async def offline_locations(db: AsyncSession, shop: str) -> Sequence[int]:
    """Return the shop's locations that do not sell online, by number."""
    query = select(_SHOPS.c.offline_locations).where(_SHOPS.c.shop == shop)
    return await (await db.connection()).scalar(query) or []


def _summed(shop: str, offline: Sequence[int]) -> Update:
    """Return the change of the shop's variants of which any location is known."""
    known = (_VARIANTS.c.shop == shop, exists().where(_SAME_ITEM))
    return update(_VARIANTS).where(*known).values(available=_units(offline))


def _units(offline: Sequence[int]) -> Any:
    """Return a variant's units: none where they are not counted, nought where all lie offline."""
    online = func.sum(case((_LEVELS.c.location_id.not_in(offline), _LEVELS.c.available)))
    counted = func.count(_LEVELS.c.available) > 0
    units = case((counted, func.coalesce(online, 0)), else_=null())
    return select(units).where(_SAME_ITEM).scalar_subquery()
