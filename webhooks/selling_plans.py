"""Products that sell with a selling plan only, as the Admin API says: webhooks do not."""

from __future__ import annotations

from collections.abc import Sequence

from app.catalog.selling_plans import record_selling_plans
from app.connections import Connections
from app.shops.changes import announce_change
from app.shops.store import Shop
from webhooks.payload import Payload


async def note_selling_plans(connections: Connections, shop: Shop, products: Sequence[Payload]) -> None:
    """Keep which of the products need a plan; serving is told where that changes what can be offered."""
    told = {
        product.id("id"): required
        for product in products
        if (required := product.flag_or_none("requiresSellingPlan")) is not None
    }
    if told and await record_selling_plans(connections, shop.shop, told):
        await announce_change(connections.redis, shop.shop)
