"""The latest messages sent to a shop's webhook, shown to the merchant without naming customers."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import msgspec
from redis.exceptions import RedisError

from app.connections import Connections, redis_key

KEPT = 20
_KEPT_S = 30 * 24 * 3600
_log = logging.getLogger(__name__)


class Sent(msgspec.Struct, frozen=True, array_like=True):
    """A message and its outcome. sent_at: epoch seconds. error: why it was not accepted, or None."""

    event_id: str
    sent_at: int
    attempt: int
    error: str | None = None
    test: bool = False


async def record_sent(connections: Connections, shop: str, sent: Iterable[Sent]) -> None:
    """Keep these as the latest messages. A failure is only logged: the merchant then does not see them."""
    packed = [msgspec.msgpack.encode(each) for each in sent]
    if not packed:
        return
    key = _key(shop)
    try:
        async with connections.redis.pipeline(transaction=True) as pipe:
            pipe.lpush(key, *packed)
            pipe.ltrim(key, 0, KEPT - 1)
            pipe.expire(key, _KEPT_S)
            await pipe.execute()
    except (RedisError, OSError) as error:
        _log.warning("deliveries not noted", extra={"shop": shop, "reason": type(error).__name__})


async def recent_messages(connections: Connections, shop: str) -> list[Sent]:
    """Return the last messages, the newest first."""
    kept: Any = await connections.redis.lrange(_key(shop), 0, KEPT - 1)
    return [msgspec.msgpack.decode(each, type=Sent) for each in kept]


def _key(shop: str) -> str:
    return redis_key(shop, "outbound", "lately")
