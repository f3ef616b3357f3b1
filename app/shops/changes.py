"""Announces to every process that something a shop's answers depend on has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.shops.active import forget_activity, note_active

CHANGED, CATALOG_CHANGED = "tw:changed", "tw:changed:catalog"
_REVISIONS = "tw:revisions"
_PATIENCE_S = 2.0
_log = logging.getLogger(__name__)
_untold: ContextVar[bool] = ContextVar("untold", default=False)


async def announce_change(redis: Redis, shop: str, channel: str = CHANGED) -> None:
    """Publish the shop on the channel that reloads its snapshot: settings, exclusions, model.

    channel: CATALOG_CHANGED where only the catalogue changed, as it does all the time. A process that was not
    listening finds out by the shop's revision.
    """
    await note_active(redis, [shop])
    await redis.hincrby(_REVISIONS, shop, 1)
    await redis.publish(channel, shop)


async def announce_kept(redis: Redis, shop: str) -> None:
    """Announce a change that is stored already. Without Redis, processes find it themselves, a little later.

    `is_untold` then tells the caller that it takes longer.
    """
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await announce_change(redis, shop)
    except (RedisError, OSError) as error:  # a TimeoutError is one of the system's
        _log.warning("nobody told of a change", extra={"shop": shop, "reason": type(error).__name__})
        _untold.set(True)


def begin_telling() -> None:
    """Reset `is_untold` at the beginning of a request."""
    _untold.set(False)


def is_untold() -> bool:
    """Return whether a change could not be announced in this request or task."""
    return _untold.get()


async def forget_changes(redis: Redis, shop: str) -> None:
    """Delete the shop's revision and its activity."""
    await forget_activity(redis, shop)
    await redis.hdel(_REVISIONS, shop)


async def revisions(redis: Redis, shops: Sequence[str]) -> list[bytes | None]:
    """Return each shop's revision, which every announced change increases; None before the first."""
    found: Any = await redis.hmget(_REVISIONS, shops) if shops else []
    return list(found)
