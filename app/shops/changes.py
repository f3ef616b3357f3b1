"""Telling every process that something a shop's answers depend on has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from app.shops.active import forget_activity, note_active

CHANGED = "tw:changed"
_REVISIONS = "tw:revisions"


async def announce_change(redis: Redis, shop: str) -> None:
    """Publish the shop on the channel that reloads its snapshot: catalogue, exclusions, model.

    Its revision tells who was not listening.
    """
    await note_active(redis, [shop])
    await redis.hincrby(_REVISIONS, shop, 1)
    await redis.publish(CHANGED, shop)


async def forget_changes(redis: Redis, shop: str) -> None:
    """Know nothing of the shop's changes any more, nor when they were."""
    await forget_activity(redis, shop)
    await redis.hdel(_REVISIONS, shop)


async def revisions(redis: Redis, shops: Sequence[str]) -> list[bytes | None]:
    """Return a text of each shop that is another one after a change was announced, None before the first."""
    found: Any = await redis.hmget(_REVISIONS, shops) if shops else []
    return list(found)
