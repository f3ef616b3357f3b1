"""What items cost, where Shopify has it otherwise than we: a delivery was missed, or the import begins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.connections import Connections
from app.events.kinds import CostChanged
from app.shops.store import Shop
from app.tables import ItemCostRow
from app.upsert import chunks, table_of
from webhooks.payload import Payload
from webhooks.read_admin import read_cost

_COSTS = table_of(ItemCostRow)

# What a unit costs, and since when.
Known = tuple[int | None, datetime]


def read_costs(shop: Shop, items: Sequence[Payload]) -> list[CostChanged]:
    """Return the costs of those items whose cost is in the shop's currency. Pure."""
    return [cost for item in items if (cost := read_cost(shop.shop, item, shop.currency))]


async def missed_costs(
    connections: Connections, shop: Shop, current: Sequence[CostChanged]
) -> list[CostChanged]:
    """Return the costs that differ from ours and are not older; of an item that is unknown, any."""
    known = await _known(connections, shop, [cost.inventory_item_id for cost in current])
    return [cost for cost in current if _is_missed(cost, known.get(cost.inventory_item_id))]


async def _known(connections: Connections, shop: Shop, item_ids: Sequence[int]) -> dict[int, Known]:
    item = _COSTS.c.inventory_item_id
    known: dict[int, Known] = {}
    async with connections.read() as db:
        for part in chunks(item_ids):
            query = select(item, _COSTS.c.cost_minor, _COSTS.c.updated_at)
            query = query.where(_COSTS.c.shop == shop.shop, item.in_(part))
            for number, cost, updated_at in await (await db.connection()).execute(query):
                known[number] = cost, updated_at
    return known


def _is_missed(current: CostChanged, known: Known | None) -> bool:
    if known is None:
        return current.cost_minor is not None
    cost_minor, updated_at = known
    return current.cost_minor != cost_minor and current.updated_at >= updated_at
