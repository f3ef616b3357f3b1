"""Telling every process that something a shop's answers depend on has changed."""

from __future__ import annotations

from redis.asyncio import Redis

from app.shops.active import note_active

CHANGED = "tw:changed"


async def announce_change(redis: Redis, shop: str) -> None:
    """Publish the shop on the channel that reloads its snapshot: catalogue, exclusions, model."""
    await note_active(redis, [shop])
    await redis.publish(CHANGED, shop)
