"""Discounts of ours that somebody deleted or deactivated in Shopify: their codes are shown no more."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from app.connections import Connections, redis_key
from app.coupons.discounts import renew_discount, statuses_of
from app.coupons.pool import forget_pool
from app.coupons.store import WITHDRAWN, Pool, codes_of, keep_pool, pools_of, set_status
from app.shops.changes import announce_change

LOOKED_S = 600
# How far Shopify's clock may go before ours.
_AHEAD = timedelta(minutes=1)
_log = logging.getLogger(__name__)

Deactivated = Callable[[Pool], Awaitable[object]]


async def withdraw_missing(
    connections: Connections, shop: str, now: datetime, deactivated: Deactivated
) -> None:
    """Withdraw the codes of discounts that are gone in Shopify, which is looked at every ten minutes.

    deactivated: told first of each pool that serves and whose discount somebody deactivated; of one that is
    deleted, the codes are made anew. Raises ShopifyError.
    """
    pools = [pool for pool in await pools_of(connections, shop) if pool.discount_id is not None]
    looked = redis_key(shop, "coupons", "looked")
    if not pools or not await connections.redis.set(looked, 1, nx=True, ex=LOOKED_S):
        return
    statuses = await statuses_of(connections, shop, [str(pool.discount_id) for pool in pools])
    for pool in pools:
        status = statuses.get(str(pool.discount_id))
        off = _is_off(pool, status, now)
        if off and pool.ended_at is None:
            await deactivated(pool)
        if off or status is None:
            await _let_go(connections, shop, pool, now)


async def renewed(connections: Connections, shop: str, pool: Pool, end: datetime, now: datetime) -> Pool:
    """Return the pool with a discount that goes on until then; one that somebody deactivated stays so.

    Raises ShopifyError.
    """
    if pool.discount_id is None:
        return pool
    statuses = await statuses_of(connections, shop, [pool.discount_id])
    if _is_off(pool, statuses.get(pool.discount_id), now):
        return pool
    await renew_discount(connections, shop, pool.discount_id, pool.terms, end)
    return replace(pool, lapses_at=end, error="")


def ended_early(status: str | None, end: datetime | None, now: datetime) -> bool:
    """Return whether somebody ended a discount: it is over before the end that we gave it, None for none."""
    return status == "EXPIRED" and (end is None or end > now + _AHEAD)


def _is_off(pool: Pool, status: str | None, now: datetime) -> bool:
    return pool.lapses_at is not None and ended_early(status, pool.lapses_at, now)


async def _let_go(connections: Connections, shop: str, pool: Pool, now: datetime) -> None:
    """Keep the pool without its discount; none of its codes works any more."""
    place = {"shop": shop, "campaign": pool.campaign_id}
    _log.warning("a discount is gone in Shopify; its codes are withdrawn", extra=place)
    for status in ("asked", "pooled", "granted"):
        dead = await codes_of(connections, shop, pool.pool_id, status)
        await set_status(connections, shop, [each.code for each in dead], WITHDRAWN)
    await forget_pool(connections, shop, pool.pool_id)
    await keep_pool(connections, shop, replace(pool, discount_id=None, lapses_at=None), now)
    await announce_change(connections.redis, shop)
