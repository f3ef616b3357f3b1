"""The whole app paused for a shop's shoppers, and shown to them again.

Decisions follow the setting by themselves. What Shopify shows without asking us is taken back here: offers
written ahead at once, discounts without a code by the worker.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from redis.exceptions import RedisError

from app.ahead.due import make_due
from app.ahead.write import hide_offers
from app.connections import Connections
from app.errors import ShopifyError
from app.jobs import Job, request_job
from app.shops import pausing
from app.values import ShopDomain

_PATIENCE_S = 2.0
_FOLLOW: tuple[Job, ...] = ("coupons", "offers_ahead")
_log = logging.getLogger(__name__)


async def pause_shop(connections: Connections, shop: ShopDomain, by: str, now: datetime) -> None:
    """Show shoppers nothing of the app from now on. by: see `Pause`. Raises NotFound."""
    await pausing.pause(connections, shop, by, now)
    await _follow(connections, shop)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await hide_offers(connections, shop)
    except (ShopifyError, TimeoutError) as error:  # the worker does it, as soon as it can be done
        _log.warning("offers ahead not hidden yet", extra={"shop": shop, "reason": type(error).__name__})


async def go_on(connections: Connections, shop: ShopDomain, by: str, now: datetime) -> None:
    """Show shoppers again what they saw before the pause. Raises NotFound."""
    await pausing.go_on(connections, shop, by, now)
    await _follow(connections, shop)


async def _follow(connections: Connections, shop: ShopDomain) -> None:
    """Have the worker bring what Shopify holds in line. Where it can't be asked, its schedule does it."""
    try:
        await make_due(connections, shop)
        for job in _FOLLOW:
            await request_job(connections, job, shop)
    except (RedisError, OSError) as error:
        _log.warning("the worker was not asked", extra={"shop": shop, "reason": type(error).__name__})
