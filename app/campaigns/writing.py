"""Writes shoppers' campaign histories in the same round trip that logs their decisions, in order.

A shopper's value is put in place only if it is still the one that was read. Where two questions of one
shopper meet, the later writer puts its own on top of the other's. Nothing is put of who was erased
since they asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis

from app.campaigns.shopper_history import KEPT_S, HistoryUpdate, ShopperHistory, pack, unpack
from app.consent.barred import barred_unit
from app.consent.digests import Digests
from app.events.kinds import AnyEvent
from app.events.log import EventLog
from app.profiles.keys import fired_key, nudged_key

_TRIES = 5
# KEYS: the shopper's history, and until when what began of them is not kept. ARGV: what was read, what to
# put, how long it is kept (s), when the shopper asked.
_PUT = """
if KEYS[2] and tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[4]) then return false end
local there = redis.call('GET', KEYS[1])
if (there or '') ~= ARGV[1] then return there or '' end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return false
"""


async def write_decisions(
    redis: Redis,
    log: EventLog,
    digests: Digests,
    events: Sequence[AnyEvent],
    nudgings: Sequence[HistoryUpdate],
) -> None:
    """Append the events and keep what was shown, in one round trip."""
    kept = [(each, _keys(digests, each.shop, each.unit)) for each in nudgings if each.unit]
    async with redis.pipeline(transaction=False) as pipe:
        log.append_through(pipe, events)
        for nudging, keys in kept:
            _put(pipe, nudging, keys, nudging.read)
        for nudging in nudgings:
            _count(pipe, nudging)
        answers: list[Any] = await pipe.execute()
    begin = 1 if events else 0
    for (nudging, keys), there in zip(kept, answers[begin : begin + len(kept)], strict=True):
        if there is not None:
            await _put_on_top(redis, nudging, keys, there)


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


async def _put_on_top(redis: Redis, nudging: HistoryUpdate, keys: Sequence[str], there: bytes) -> None:
    """Put it on top of what another decision of the shopper wrote meanwhile."""
    for _ in range(_TRIES):
        async with redis.pipeline(transaction=False) as pipe:
            _put(pipe, nudging, keys, there or None)
            (answer,) = await pipe.execute()
        if answer is None:
            return
        there = answer


def _put(pipe: Any, nudging: HistoryUpdate, keys: Sequence[str], read: bytes | None) -> None:
    pipe.eval(_PUT, len(keys), *keys, read or b"", nudging.onto(read), KEPT_S, nudging.showing.at)


def _keys(digests: Digests, shop: str, unit: str) -> tuple[str, str]:
    return nudged_key(shop, unit), barred_unit(digests, shop, unit)


def _count(pipe: Any, nudging: HistoryUpdate) -> None:
    for number in nudging.counts:
        pipe.execute_command("BITFIELD", fired_key(nudging.shop), "INCRBY", "u32", f"#{number}", 1)
