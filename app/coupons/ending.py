"""Ends codes whose shopper's time is over, and pools that nobody needs any more.

A code works until its shopper's time is over, and a little longer for whoever is paying just then. One that
no browser said it showed, though it would have, goes back to its pool.

Events tell who holds a code and whether it was seen, so none is ended while such an event may still wait.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter

from app.connections import Connections
from app.coupons.discounts import delete_codes, delete_discount
from app.coupons.missing import renewed
from app.coupons.pool import drop_pool, fill, forget_codes, forget_pool
from app.coupons.store import (
    ExpiredGrant,
    Pool,
    codes_of,
    drop_ended,
    drop_unused,
    grants_over,
    keep_pool,
    last_expiry,
    pools_of,
    pools_over,
    set_status,
)
from app.coupons.terms import REMEMBERED_S
from app.errors import ShopifyError
from app.events.broker_consumer import count_unhandled, handled_before

GRACE = timedelta(minutes=15)
# A code handed out at the last moment is written down by then.
SETTLED = timedelta(minutes=1)
_AT_ONCE = 1_000
_log = logging.getLogger(__name__)


async def end_grants(connections: Connections, now: datetime) -> None:
    """End every grant whose time is over. What Shopify refuses is tried again at the next call.

    Pool by pool: a discount that is gone in Shopify, or a shop without the app, holds up no other. What ended
    is forgotten once no other code is kept from its shopper for it.
    """
    await drop_ended(connections, now - timedelta(seconds=REMEMBERED_S))
    behind = await _behind(connections)
    if behind is None:
        return
    over = now - GRACE - behind
    for shop, theirs in groupby(await pools_over(connections, over), key=itemgetter(0)):
        pools = {pool.pool_id: pool for pool in await pools_of(connections, shop)}
        for _, pool_id in theirs:
            grants = await grants_over(connections, shop, pool_id, over, _AT_ONCE)
            try:
                await _end(connections, shop, pools.get(pool_id), grants)
            except ShopifyError as error:
                _log.warning("codes not ended", extra={"shop": shop, "reason": str(error)})


async def _end(connections: Connections, shop: str, pool: Pool | None, over: Sequence[ExpiredGrant]) -> None:
    """Take back what was never shown while the pool serves, and let the rest work no more."""
    serves = pool is not None and pool.ended_at is None
    back = [each.code for each in over if serves and not each.shown]
    gone = [each for each in over if each.shown or not serves]
    known = [each.redeem_id for each in gone if each.redeem_id is not None]
    if pool is not None and pool.discount_id is not None and known:
        await delete_codes(connections, shop, pool.discount_id, known)
    await set_status(connections, shop, [each.code for each in gone], "deleted")
    if pool is not None:
        await forget_codes(connections, shop, pool.pool_id, [each.code for each in gone])
    if pool is not None and back:
        await set_status(connections, shop, back, "pooled")
        await forget_codes(connections, shop, pool.pool_id, back)
        await fill(connections, shop, pool.pool_id, back)


async def end_pool(connections: Connections, shop: str, pool: Pool, now: datetime) -> None:
    """Hand out no more of the pool; delete it in Shopify once nobody holds one of its codes.

    A repeat goes on where the last one stopped. Raises ShopifyError.
    """
    if pool.discount_id is None and pool.ended_at is not None:
        return
    pool = replace(pool, ended_at=pool.ended_at or now)
    await drop_pool(connections, shop, pool.pool_id)
    await keep_pool(connections, shop, pool, now)
    if pool.discount_id is None:
        return
    held_until = await last_expiry(connections, shop, pool.pool_id)
    if held_until is None and await _is_told(connections, now - (pool.ended_at or now)):
        await delete_discount(connections, shop, pool.discount_id)
        await drop_unused(connections, shop, pool.pool_id)
        await forget_pool(connections, shop, pool.pool_id)
        await keep_pool(connections, shop, replace(pool, discount_id=None), now)
        return
    left = await codes_of(connections, shop, pool.pool_id, "pooled")
    await set_status(connections, shop, [each.code for each in left], "deleted")
    if held_until is not None and (pool.lapses_at is None or pool.lapses_at < held_until + GRACE):
        pool = await renewed(connections, shop, pool, held_until + GRACE, now)
        await keep_pool(connections, shop, pool, now)


async def _is_told(connections: Connections, since: timedelta) -> bool:
    """Return whether all events about codes handed out longer ago than that have been handled."""
    if since < SETTLED:
        return False
    behind = await _behind(connections)
    return behind is not None and since >= SETTLED + behind


async def _behind(connections: Connections) -> timedelta | None:
    """Return how long the oldest unhandled event has waited; None where events wait and nobody reads them."""
    handled = await handled_before(connections)
    if handled is None:
        return None if await count_unhandled(connections) else timedelta()
    return max(datetime.now(UTC) - handled, timedelta())
