"""What workers have in hand: entries of the log that one of them was given and is not done with.

A worker says again and again that it has them, for as long as it works on them, and puts down what has to
rest. So it is known of each entry whether something of it may still be written down. A request to erase and
what comes after it are in nobody's hands meanwhile: two that erase would wait for each other.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from app.events.log import GROUP, NOBODY, RESTS_MS, STREAM, may_live, text_of

_PAGE = 1_000


async def in_hand(redis: Redis) -> set[tuple[str, int]]:
    """Return the entries that workers have in hand now, each with how often it was given out.

    Not of a worker that died.
    """
    found, after = set[tuple[str, int]](), "-"
    while page := await _pending(redis, after):
        for each in page:
            name = text_of(each["consumer"])
            if name != NOBODY and each["time_since_delivered"] < RESTS_MS and may_live(name):
                found.add((text_of(each["message_id"]), int(each["times_delivered"])))
        after = f"({text_of(page[-1]['message_id'])}"
    return found


async def _pending(redis: Redis, after: str) -> list[Any]:
    try:
        return list(await redis.xpending_range(STREAM, GROUP, min=after, max="+", count=_PAGE))
    except ResponseError:  # nobody reads yet
        return []
