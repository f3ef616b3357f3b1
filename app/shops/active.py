"""Which shops had activity recently."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from redis.asyncio import Redis

KEPT_S = 24 * 3600
_ACTIVE = "tw:active"


async def note_active(redis: Redis, shops: Collection[str]) -> None:
    """Record activity in these shops, as of now."""
    if shops:
        await redis.zadd(_ACTIVE, dict.fromkeys(shops, time.time()))


async def forget_activity(redis: Redis, shop: str) -> None:
    """Delete the record of the shop's activity."""
    await redis.zrem(_ACTIVE, shop)


async def active_shops(redis: Redis, lately_s: float) -> set[str]:
    """Return the shops with activity in the last `lately_s` seconds, a day at most."""
    now = time.time()
    await redis.zremrangebyscore(_ACTIVE, "-inf", now - KEPT_S)
    found: Any = await redis.zrangebyscore(_ACTIVE, now - lately_s, "+inf")
    return {each.decode() for each in found}
