"""Telling every process that something a shop's answers depend on has changed."""

from __future__ import annotations

from redis.asyncio import Redis

CHANGED = "tw:changed"


async def announce_change(redis: Redis, shop: str) -> None:
    """Publish the shop on the channel that reloads its snapshot: catalogue, exclusions, model."""
    await redis.publish(CHANGED, shop)
