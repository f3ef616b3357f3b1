"""What workers have in hand: entries of the log that one of them was given and is not done with.

A worker says again and again that it has them, for as long as it works on them, and puts down what has to
rest. So it is known of each entry whether something of it may still be written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from app.events.log import GROUP, NOBODY, RESTS_MS, STREAM, may_live, text_of, this_consumer

_PAGE = 1_000
_working_off: ContextVar[bool] = ContextVar("working_off", default=False)


@contextmanager
def working_off() -> Iterator[None]:
    """Let what is done here be known as the doing of an event that this process has in hand."""
    before = _working_off.set(True)
    try:
        yield
    finally:
        _working_off.reset(before)


async def in_hand(redis: Redis) -> set[tuple[str, int]]:
    """Return the entries that workers have in hand now, each with how often it was given out.

    Not of a worker that died. Nor, where an event is handled, of this process: it would wait for itself, and
    asks anew about what it has not begun.
    """
    left_out = {NOBODY, *([this_consumer()] if _working_off.get() else [])}
    found, after = set[tuple[str, int]](), "-"
    while page := await _pending(redis, after):
        for each in page:
            name = text_of(each["consumer"])
            if name not in left_out and each["time_since_delivered"] < RESTS_MS and may_live(name):
                found.add((text_of(each["message_id"]), int(each["times_delivered"])))
        after = f"({text_of(page[-1]['message_id'])}"
    return found


async def _pending(redis: Redis, after: str) -> list[Any]:
    try:
        return list(await redis.xpending_range(STREAM, GROUP, min=after, max="+", count=_PAGE))
    except ResponseError:  # nobody reads yet
        return []
