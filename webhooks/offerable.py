"""Whether products can be offered, as the Admin API says: webhooks do not tell all of it.

None tells which sell with a selling plan only or are gift cards, nor that the time has come for which one
was scheduled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.catalog.flags import Flag, record_flag
from app.connections import Connections
from app.shops.changes import CATALOG_CHANGED, announce_change
from app.shops.store import Shop
from webhooks.payload import Payload
from webhooks.read_admin import is_published


async def note_offerable(
    connections: Connections, shop: Shop, products: Sequence[Payload], now: datetime
) -> None:
    """Store the products' flags, and announce it to serving where that changes what can be offered."""
    told: dict[Flag, dict[int, bool]] = {"published": {}, "requires_selling_plan": {}, "gift_card": {}}
    for product in products:
        if (required := product.flag_or_none("requiresSellingPlan")) is not None:
            told["requires_selling_plan"][product.id("id")] = required
            told["gift_card"][product.id("id")] = product.flag_or_none("isGiftCard") or False
            told["published"][product.id("id")] = is_published(product, now)
    changed = [await record_flag(connections, shop.shop, flag, each) for flag, each in told.items() if each]
    if any(changed):
        await announce_change(connections.redis, shop.shop, CATALOG_CHANGED)
