"""Pools of codes kept full in a shop: made in Shopify first, handed out after.

A code is written down before Shopify is asked for it, and is in the pool only once Shopify is known to have
it. So a crash between any two steps loses no code and hands out none that does not work.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from app.connections import Connections
from app.coupons.discounts import add_codes, codes_held, make_discount
from app.coupons.ending import end_pool
from app.coupons.missing import renewed
from app.coupons.pool import fill
from app.coupons.store import Code, Pool, codes_of, keep_codes, keep_pool, pools_of, set_status
from app.coupons.terms import LASTS, CouponTerms, lapses_at, new_codes, pool_id
from app.errors import ShopifyRefused
from app.shops.store import Shop

SCOPE = "write_discounts"
# A pool is filled when this share of it is left: few large requests rather than many small ones.
REFILL_BELOW = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PoolTarget:
    """The pool a running campaign needs. size: codes to keep ready. ends_at: None for no end."""

    campaign_id: str
    terms: CouponTerms
    size: int
    prefix: str
    ends_at: datetime | None = None

    @property
    def pool_id(self) -> str:
        """Return the name of the pool."""
        return pool_id(self.campaign_id, self.terms)


async def keep_pools(connections: Connections, shop: Shop, wishes: Sequence[PoolTarget]) -> None:
    """Fill the pools that run low, renew their discounts, and end those that nobody wishes any more.

    What Shopify refuses is written down beside its pool, for the merchant to read, and the others go on.
    Raises ShopifyUnavailable when it is worth trying again soon.
    """
    if SCOPE not in shop.scopes:
        return
    now = datetime.now(UTC)
    known = {pool.pool_id: pool for pool in await pools_of(connections, shop.shop)}
    for wish in wishes:
        new = Pool(wish.pool_id, wish.campaign_id, wish.terms, wish.size)
        pool = replace(known.pop(wish.pool_id, new), size=wish.size, ended_at=None)
        await _or_say(connections, shop, pool, wish, now)
    for pool in known.values():
        await end_pool(connections, shop.shop, pool, now)


async def _or_say(connections: Connections, shop: Shop, pool: Pool, wish: PoolTarget, now: datetime) -> None:
    """Keep the pool, or write down beside it what Shopify refuses."""
    try:
        pool = await _discount(connections, shop, pool, wish, now)
        await _fill(connections, shop.shop, pool, wish)
    except ShopifyRefused as error:
        _log.warning("coupons not made", extra={"shop": shop.shop, "reason": str(error)})
        pool = replace(pool, error=str(error))
    await keep_pool(connections, shop.shop, pool, now)


async def _discount(
    connections: Connections, shop: Shop, pool: Pool, wish: PoolTarget, now: datetime
) -> Pool:
    """Return the pool with a discount in Shopify that does not end soon while its campaign runs."""
    end = lapses_at(now, wish.ends_at)
    if pool.discount_id is None:
        (first,) = new_codes(wish.prefix, 1)
        await keep_codes(connections, shop.shop, pool.pool_id, [Code(first, None)], "asked")
        made = await make_discount(connections, shop, pool.terms, first, now, end)
        pool = replace(pool, discount_id=made, lapses_at=end, error="")
        await keep_pool(connections, shop.shop, pool, now)
        return pool
    # What lapses in a week is renewed daily, what ends with its campaign as soon as that ends later.
    least = LASTS / 7 if end >= now + LASTS else timedelta()
    if pool.lapses_at is None or end - pool.lapses_at > least:
        return await renewed(connections, shop.shop, pool, end, now)
    return replace(pool, error="")


async def _fill(connections: Connections, shop: str, pool: Pool, wish: PoolTarget) -> None:
    await _take_in(connections, shop, pool)
    left = await _ready(connections, shop, pool.pool_id)
    if left >= wish.size * REFILL_BELOW:
        return
    fresh = [Code(code, None) for code in new_codes(wish.prefix, wish.size - left)]
    await keep_codes(connections, shop, pool.pool_id, fresh, "asked")
    await _take_in(connections, shop, pool)
    await _ready(connections, shop, pool.pool_id)


async def _take_in(connections: Connections, shop: str, pool: Pool) -> None:
    """Have Shopify make the codes that were asked for, and count those it has as pooled."""
    asked = {each.code for each in await codes_of(connections, shop, pool.pool_id, "asked")}
    if not asked or pool.discount_id is None:
        return
    held = await codes_held(connections, shop, pool.discount_id, asked)
    if missing := sorted(asked - held.keys()):
        refused = await add_codes(connections, shop, pool.discount_id, missing)
        held = await codes_held(connections, shop, pool.discount_id, asked)
        # Such as one of a discount whose making we did not hear of: asked again, it is refused again.
        await set_status(connections, shop, refused - held.keys(), "deleted")
    pooled = [Code(code, held[code]) for code in sorted(asked & held.keys())]
    await keep_codes(connections, shop, pool.pool_id, pooled, "pooled")


async def _ready(connections: Connections, shop: str, pool: str) -> int:
    """Return how many codes wait, after making Redis hold those that the database says wait."""
    pooled = await codes_of(connections, shop, pool, "pooled")
    return await fill(connections, shop, pool, [each.code for each in pooled])
