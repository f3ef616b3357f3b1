"""Writes shoppers' campaign histories in the same round trip that logs their decisions, in order.

A shopper's value is put in place only if it is still the one that was read. Where two questions of one
shopper meet, the later writer puts its own on top of the other's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis

from app.campaigns.shopper_history import KEPT_S, HistoryUpdate, ShopperHistory, pack, unpack
from app.events.kinds import AnyEvent
from app.events.log import EventLog

_TRIES = 5
_PUT = """
local there = redis.call('GET', KEYS[1])
if (there or '') ~= ARGV[1] then return there or '' end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return false
"""


async def write_decisions(
    redis: Redis, log: EventLog, events: Sequence[AnyEvent], nudgings: Sequence[HistoryUpdate]
) -> None:
    """Append the events and keep what was shown, in one round trip."""
    kept = [each for each in nudgings if each.key is not None]
    async with redis.pipeline(transaction=False) as pipe:
        log.append_through(pipe, events)
        for nudging in kept:
            _put(pipe, nudging, nudging.read)
        for nudging in nudgings:
            _count(pipe, nudging)
        answers: list[Any] = await pipe.execute()
    begin = 1 if events else 0
    for nudging, there in zip(kept, answers[begin : begin + len(kept)], strict=True):
        if there is not None:
            await _put_on_top(redis, nudging, there)


async def change_kept(redis: Redis, key: str, change: Callable[[ShopperHistory], ShopperHistory]) -> None:
    """Change what is kept of a shopper, if anything is."""
    for _ in range(_TRIES):  # a decision may write in between
        value: Any = await redis.get(key)
        if value is None:
            return
        before = unpack(value)
        after = change(before)
        if after == before or await _put_if_same(redis, key, value, pack(after)):
            return


async def _put_if_same(redis: Redis, key: str, read: bytes | None, value: bytes) -> bool:
    """Return whether the value was put in the place of the one that was read."""
    answer: Any = await redis.eval(_PUT, 1, key, read or b"", value, KEPT_S)
    return answer is None


async def _put_on_top(redis: Redis, nudging: HistoryUpdate, there: bytes) -> None:
    """Put it on top of what another decision of the shopper wrote meanwhile."""
    for _ in range(_TRIES):
        async with redis.pipeline(transaction=False) as pipe:
            _put(pipe, nudging, there or None)
            (answer,) = await pipe.execute()
        if answer is None:
            return
        there = answer


def _put(pipe: Any, nudging: HistoryUpdate, read: bytes | None) -> None:
    pipe.eval(_PUT, 1, nudging.key, read or b"", nudging.onto(read), KEPT_S)


def _count(pipe: Any, nudging: HistoryUpdate) -> None:
    for number in nudging.counts:
        pipe.execute_command("BITFIELD", nudging.counter, "INCRBY", "u32", f"#{number}", 1)
