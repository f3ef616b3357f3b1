"""Pools of codes kept full in a shop: made in Shopify first, handed out after.

A code is written down before Shopify is asked for it, and is in the pool only once Shopify is known to have
it. So a crash between any two steps loses no code and hands out none that does not work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from app.connections import Connections
from app.coupons import documents
from app.coupons.grants import pool_key
from app.coupons.store import Code, Pool, codes_of, keep_codes, keep_pool, pools_of
from app.coupons.terms import LASTS, CouponTerms, discount_input, lapses_at, new_codes
from app.errors import ShopifyRefused, ShopifyUnavailable
from app.shopify import accepted
from app.shops.store import Shop
from app.shops.tokens import ask_shop

SCOPE = "write_discounts"
# A pool is filled when this share of it is left: few large requests rather than many small ones.
REFILL_BELOW = 0.5
LOW_BELOW = 0.1
_LOOK_S = 1.0
_LOOKS = 60

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PoolWish:
    """The pool a running campaign needs. size: codes to keep ready. ends_at: None for a campaign without end."""

    campaign_id: str
    terms: CouponTerms
    size: int
    prefix: str
    ends_at: datetime | None


async def keep_pools(connections: Connections, shop: Shop, wishes: Sequence[PoolWish]) -> None:
    """Fill the pools that run low, renew their discounts, and make Redis hold what the database says.

    What Shopify refuses is written down beside its pool, for the merchant to read, and the others go on.
    Raises ShopifyUnavailable when it is worth trying again soon.
    """
    if SCOPE not in shop.scopes:
        return
    known = {pool.campaign_id: pool for pool in await pools_of(connections, shop.shop)}
    for wish in wishes:
        pool = known.get(wish.campaign_id) or Pool(wish.campaign_id, None, wish.terms, wish.size, None, "", None)
        try:
            await _keep(connections, shop, wish, replace(pool, size=wish.size, ended_at=None))
        except ShopifyUnavailable:
            raise
        except ShopifyRefused as error:
            _log.warning("coupons not made", extra={"shop": shop.shop, "reason": str(error)})
            told = (await _pool(connections, shop.shop, wish.campaign_id)) or pool
            await keep_pool(connections, shop.shop, replace(told, error=str(error)), datetime.now(UTC))


async def _keep(connections: Connections, shop: Shop, wish: PoolWish, pool: Pool) -> None:
    now = datetime.now(UTC)
    pool = await _made(connections, shop, wish, pool, now)
    pool = await _renewed(connections, shop.shop, wish, pool, now)
    await _take_in(connections, shop.shop, pool)
    left = await _pooled(connections, shop.shop, wish.campaign_id)
    if left < wish.size * REFILL_BELOW:
        fresh = [Code(code, None) for code in new_codes(wish.prefix, wish.size - left)]
        await keep_codes(connections, shop.shop, wish.campaign_id, fresh, "asked")
        await _take_in(connections, shop.shop, pool)
        await _pooled(connections, shop.shop, wish.campaign_id)
    await keep_pool(connections, shop.shop, replace(pool, error=""), now)


async def _made(connections: Connections, shop: Shop, wish: PoolWish, pool: Pool, now: datetime) -> Pool:
    """Return the pool with its discount in Shopify; a new one where the campaign's terms changed."""
    if pool.discount_id is not None and pool.terms == wish.terms:
        return pool
    if pool.discount_id is not None:
        await end_pool(connections, shop.shop, pool)
    (first,) = new_codes(wish.prefix, 1)
    await keep_codes(connections, shop.shop, wish.campaign_id, [Code(first, None)], "asked")
    end = lapses_at(now, wish.ends_at)
    free = wish.terms.applies_to == "shipping"
    document = documents.CREATE_FREE_SHIPPING if free else documents.CREATE_BASIC
    mutation = "discountCodeFreeShippingCreate" if free else "discountCodeBasicCreate"
    given = discount_input(wish.terms, shop.currency, first, now, end)
    answer = await ask_shop(connections, shop.shop, document, {"discount": given})
    made = accepted(answer, mutation, shop=shop.shop).get("codeDiscountNode") or {}
    if not isinstance(made.get("id"), str):
        raise ShopifyRefused(f"{shop.shop} {mutation}: the answer carries no discount")
    pool = replace(pool, discount_id=made["id"], terms=wish.terms, lapses_at=end)
    await keep_pool(connections, shop.shop, pool, now)
    return pool


async def _renewed(connections: Connections, shop: str, wish: PoolWish, pool: Pool, now: datetime) -> Pool:
    """Return the pool with an end that is days away, as long as its campaign runs."""
    end = lapses_at(now, wish.ends_at)
    if pool.lapses_at is not None and end - pool.lapses_at < LASTS / 7:
        return pool
    free = pool.terms.applies_to == "shipping"
    document = documents.RENEW_FREE_SHIPPING if free else documents.RENEW_BASIC
    mutation = "discountCodeFreeShippingUpdate" if free else "discountCodeBasicUpdate"
    answer = await ask_shop(connections, shop, document, {"id": pool.discount_id, "endsAt": end.isoformat()})
    accepted(answer, mutation, shop=shop)
    return replace(pool, lapses_at=end)


async def _take_in(connections: Connections, shop: str, pool: Pool) -> None:
    """Have Shopify make the codes that were asked for, and put those it has into the pool."""
    asked = {each.code for each in await codes_of(connections, shop, pool.campaign_id, "asked")}
    if not asked or pool.discount_id is None:
        return
    held = {code async for code in _held(connections, shop, pool.discount_id) if code.code in asked}
    missing = sorted(asked - {each.code for each in held})
    for at in range(0, len(missing), documents.ADD_AT_ONCE):
        await _add(connections, shop, pool.discount_id, missing[at : at + documents.ADD_AT_ONCE])
    if missing:
        held = {code async for code in _held(connections, shop, pool.discount_id) if code.code in asked}
    await keep_codes(connections, shop, pool.campaign_id, sorted(held, key=lambda c: c.code), "pooled")


async def _add(
    connections: Connections,
    shop: str,
    discount_id: str,
    codes: Sequence[str],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Have Shopify add the codes, and wait until it has."""
    variables = {"id": discount_id, "codes": [{"code": code} for code in codes]}
    answer = await ask_shop(connections, shop, documents.ADD_CODES, variables)
    adding = accepted(answer, "discountRedeemCodeBulkAdd", shop=shop).get("bulkCreation") or {}
    for _ in range(_LOOKS):
        if adding.get("done"):
            return
        await sleep(_LOOK_S)
        answer = await ask_shop(connections, shop, documents.HOW_FAR, {"id": adding.get("id")})
        adding = {**adding, **(answer.get("discountRedeemCodeBulkCreation") or {})}
    raise ShopifyUnavailable(f"{shop}: codes are still being added after {_LOOKS * _LOOK_S:.0f} s")


async def _held(connections: Connections, shop: str, discount_id: str) -> AsyncIterator[Code]:
    """Yield the codes that Shopify has of the discount."""
    after: str | None = None
    while True:
        answer = await ask_shop(connections, shop, documents.LIST_CODES, {"id": discount_id, "after": after})
        discount = (answer.get("codeDiscountNode") or {}).get("codeDiscount") or {}
        page: dict[str, Any] = discount.get("codes") or {}
        for node in page.get("nodes") or ():
            yield Code(str(node["code"]), int(str(node["id"]).rpartition("/")[2]))
        info = page.get("pageInfo") or {}
        if not info.get("hasNextPage"):
            return
        after = info.get("endCursor")


async def _pooled(connections: Connections, shop: str, campaign_id: str) -> int:
    """Return how many codes wait, after making Redis hold those that the database says wait.

    Codes that were granted a moment ago may still be written down as pooled: only what Redis never had is
    put in, which the set beside the pool knows.
    """
    pooled = [each.code for each in await codes_of(connections, shop, campaign_id, "pooled")]
    key = pool_key(shop, campaign_id)
    return int(await connections.redis.register_script(_FILL)(keys=[key, f"{key}:in"], args=pooled))


# What was put into the pool once is not put there again, however late its grant is written down.
_FILL = """
for _, code in ipairs(ARGV) do
  if redis.call('SADD', KEYS[2], code) == 1 then redis.call('RPUSH', KEYS[1], code) end
end
return redis.call('LLEN', KEYS[1])
"""


async def end_pool(connections: Connections, shop: str, pool: Pool) -> None:
    """Delete the pool's discount in Shopify with all its codes, and forget those that wait. A repeat is good."""
    key = pool_key(shop, pool.campaign_id)
    await connections.redis.delete(key, f"{key}:in")
    if pool.discount_id is not None:
        answer = await ask_shop(connections, shop, documents.DELETE_DISCOUNT, {"id": pool.discount_id})
        accepted(answer, "discountCodeDelete", shop=shop)


async def _pool(connections: Connections, shop: str, campaign_id: str) -> Pool | None:
    pools = await pools_of(connections, shop)
    return next((pool for pool in pools if pool.campaign_id == campaign_id), None)
