"""Discounts of ours that somebody deleted in Shopify: their codes are shown no more, and made anew."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.connections import Connections, redis_key
from app.coupons.discounts import discounts_there
from app.coupons.pool import forget_pool
from app.coupons.store import WITHDRAWN, Pool, codes_of, keep_pool, set_status
from app.shops.changes import announce_change

LOOKED_S = 600
_log = logging.getLogger(__name__)


async def without_missing(
    connections: Connections, shop: str, pools: Sequence[Pool], now: datetime
) -> list[Pool]:
    """Return the pools, without a discount those whose own is gone, which is looked at every ten minutes.

    Raises ShopifyError.
    """
    ids = [pool.discount_id for pool in pools if pool.discount_id is not None]
    looked = redis_key(shop, "coupons", "looked")
    if not ids or not await connections.redis.set(looked, 1, nx=True, ex=LOOKED_S):
        return list(pools)
    there = await discounts_there(connections, shop, ids)
    return [
        pool
        if pool.discount_id is None or pool.discount_id in there
        else await _let_go(connections, shop, pool, now)
        for pool in pools
    ]


async def _let_go(connections: Connections, shop: str, pool: Pool, now: datetime) -> Pool:
    """Return the pool without its discount; none of its codes works any more."""
    place = {"shop": shop, "campaign": pool.campaign_id}
    _log.warning("a discount is gone in Shopify; its codes are made anew", extra=place)
    for status in ("asked", "pooled", "granted"):
        dead = await codes_of(connections, shop, pool.pool_id, status)
        await set_status(connections, shop, [each.code for each in dead], WITHDRAWN)
    await forget_pool(connections, shop, pool.pool_id)
    gone = replace(pool, discount_id=None, lapses_at=None)
    await keep_pool(connections, shop, gone, now)
    await announce_change(connections.redis, shop)
    return gone
