"""Finds which of a shop's locations do not sell online: webhooks tell the stock of all of them alike.

A closed location sells nothing either, and no webhook that we subscribe to takes back the stock it had.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from app.catalog.stock import record_offline_locations
from app.connections import Connections
from app.errors import ShopifyRefused
from app.shops.changes import CATALOG_CHANGED, announce_change
from webhooks.documents import LOCATIONS
from webhooks.paging import pages

_log = logging.getLogger(__name__)


async def note_locations(connections: Connections, shop: str) -> None:
    """Store which locations do not sell online; if that changed, have the shop's stock loaded again.

    Where the app may not read locations, nothing changes. Raises ShopifyUnavailable and TokenRevoked.
    """
    try:
        offline = [number async for number in _offline(connections, shop)]
    except ShopifyRefused as error:
        _log.warning("locations not read", extra={"shop": shop, "reason": str(error)})
        return
    if await record_offline_locations(connections, shop, offline):
        await announce_change(connections.redis, shop, CATALOG_CHANGED)


async def _offline(connections: Connections, shop: str) -> AsyncIterator[int]:
    async for _, nodes in pages(connections, shop, LOCATIONS, "locations"):
        for node in nodes:
            if False in (node.flag_or_none("isActive"), node.flag_or_none("fulfillsOnlineOrders")):
                yield node.id("id")
