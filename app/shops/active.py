"""In which shops something happened of late."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from redis.asyncio import Redis

KEPT_S = 24 * 3600
_ACTIVE = "tw:active"


async def note_active(redis: Redis, shops: Collection[str]) -> None:
    """Know that something happened in these shops just now."""
    if shops:
        await redis.zadd(_ACTIVE, dict.fromkeys(shops, time.time()))


async def forget_activity(redis: Redis, shop: str) -> None:
    """Know nothing of the shop any more."""
    await redis.zrem(_ACTIVE, shop)


async def active_shops(redis: Redis, lately_s: float) -> set[str]:
    """Return the shops where something happened in the last so many seconds, at most a day."""
    now = time.time()
    await redis.zremrangebyscore(_ACTIVE, "-inf", now - KEPT_S)
    found: Any = await redis.zrangebyscore(_ACTIVE, now - lately_s, "+inf")
    return {each.decode() for each in found}
