"""The ledger of entries handed to a broker: noted before they are sent, until they are handled.

A note is an entry's id with its time. A body is sealed with a key of the few seconds it is of, which is kept
here as long as a note of those seconds: what a broker still has of it then, nobody can read any more.

An echo is an entry without a body, sent after one that may have been lost on its way.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from redis.asyncio import Redis

from app.events.broker import Copy
from app.events.log import DEAD, STREAM, Delivery, dead_letter, text_of

MOVED = "{tw:events}:moved"
KEYS = "{tw:events}:keys"
TRIES = "{tw:events}:tries"
_SPAN_MS = 5_000
_NONCE = 12
_LOOK_EVERY_S = 0.05
_NOTE = """
local entries = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[1])
for i, entry in ipairs(entries) do
  redis.call('ZADD', KEYS[2], string.match(entry[1], '^%d+'), entry[1])
  entries[i] = {entry[1], entry[2][2]}
end
return entries
"""
# What waits in the stream is sent all the same.
_LATE = """
local late = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], '-inf', '(' .. ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])) do
  if #redis.call('XRANGE', KEYS[1], id, id) == 0 then late[#late + 1] = id end
end
return late
"""
_NOW = "return redis.call('TIME')"  # of the node that has the stream
_FORGET_KEYS = """
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
for _, span in ipairs(redis.call('HKEYS', KEYS[2])) do
  if not oldest[2] or tonumber(span) < math.floor(oldest[2] / ARGV[1]) then
    redis.call('HDEL', KEYS[2], span)
  end
end
"""


class BrokerLedger:
    """The notes of what is with a broker, and the keys to it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._note = redis.register_script(_NOTE)
        self._late = redis.register_script(_LATE)
        self._forget_keys = redis.register_script(_FORGET_KEYS)

    async def note(self, count: int) -> list[Copy]:
        """Return the oldest entries that wait to be sent, noted and sealed."""
        return await self._sealed(await self._note([STREAM, MOVED], [count]))

    async def late(self, count: int, after: timedelta) -> list[Copy]:
        """Return echoes of the oldest entries that were sent so long ago and are not handled."""
        before = int((await self.now() - after).timestamp() * 1_000)
        return await self._sealed(
            [(each, b"") for each in await self._late([STREAM, MOVED], [before, count])]
        )

    async def sent(self, copies: Sequence[Copy]) -> None:
        """Take out of the stream what the broker has on disk."""
        await self._redis.xdel(STREAM, *[copy.entry_id for copy in copies])

    async def opened(self, copies: Sequence[Copy]) -> list[bytes | None]:
        """Return each copy's body, empty for an echo, None for one that no key opens (any more)."""
        keys = await self._keys({_span(copy.entry_id) for copy in copies})
        return [_opened(keys.get(_span(copy.entry_id)), copy) for copy in copies]

    async def take(self, entry_ids: Sequence[str]) -> list[int]:
        """Return for each entry how often it was taken in hand, this time included."""
        if not entry_ids:
            return []
        async with self._redis.pipeline(transaction=False) as pipe:
            for entry_id in entry_ids:
                pipe.hincrby(TRIES, entry_id, 1)
            return list(await pipe.execute())

    async def handled(self, copies: Iterable[Copy]) -> None:
        """Take away the notes of these copies."""
        if ids := [copy.entry_id for copy in copies]:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zrem(MOVED, *ids)
                pipe.hdel(TRIES, *ids)
                await pipe.execute()

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Put an entry among the dead letters with its reason."""
        await self._redis.xadd(DEAD, dead_letter(delivery, reason))

    async def forget_keys(self) -> None:
        """Let nobody open any more what was handled: delete the keys of times before the oldest note."""
        await self._forget_keys([MOVED, KEYS], [_SPAN_MS])

    async def count(self) -> int:
        """Return how many entries are with a broker."""
        return int(await self._redis.zcard(MOVED))

    async def count_unhandled(self) -> int:
        """Return how many entries nobody has handled; those that are being sent just now count twice."""
        return int(await self._redis.xlen(STREAM)) + await self.count()

    async def handled_before(self) -> datetime:
        """Return before when all that came is handled."""
        now = await self.now()
        first: Any = await self._redis.xrange(STREAM, count=1)
        waiting = [_time(_milliseconds(text_of(entry_id))) for entry_id, _ in first]
        return min([now, *waiting, *filter(None, [await self._oldest()])])

    async def passes(self, time: datetime, within_s: float) -> bool:
        """Return whether nothing told before that time is with a broker; waits so long for it."""
        until = monotonic() + within_s
        while (oldest := await self._oldest()) is not None and oldest < time:
            if monotonic() >= until:
                return False
            await asyncio.sleep(_LOOK_EVERY_S)
        return True

    async def is_emptied(self, within_s: float) -> bool:
        """Return whether nothing told until now is with a broker, or can be read there; waits for it."""
        if not await self._redis.exists(MOVED, KEYS):
            return True
        now = await self.now()
        end = _time((int(now.timestamp() * 1_000) // _SPAN_MS + 1) * _SPAN_MS)
        await asyncio.sleep((end - now).total_seconds())
        if not await self.passes(end, within_s):
            return False
        await self.forget_keys()
        return True

    async def now(self) -> datetime:
        """Return the time that entries are named by."""
        seconds, microseconds = map(int, await self._redis.eval(_NOW, 1, STREAM))
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)

    async def _oldest(self) -> datetime | None:
        found: Any = await self._redis.zrange(MOVED, 0, 0, withscores=True)
        return _time(int(found[0][1])) if found else None

    async def _sealed(self, entries: Sequence[tuple[bytes, bytes]]) -> list[Copy]:
        named = [(text_of(entry_id), body) for entry_id, body in entries]
        keys = await self._keys({_span(entry_id) for entry_id, _ in named}, make=True)
        return [Copy(entry_id, _sealed(keys[_span(entry_id)], entry_id, body)) for entry_id, body in named]

    async def _keys(self, spans: Collection[int], *, make: bool = False) -> dict[int, bytes]:
        """Return the keys of the times; made where there is none, or left out."""
        if not spans:
            return {}
        async with self._redis.pipeline(transaction=True) as pipe:
            for span in spans if make else ():
                pipe.hsetnx(KEYS, str(span), AESGCM.generate_key(256))
            pipe.hmget(KEYS, [str(span) for span in spans])
            found = (await pipe.execute())[-1]
        return {span: key for span, key in zip(spans, found, strict=True) if key}


def _sealed(key: bytes, entry_id: str, body: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, body, entry_id.encode())


def _opened(key: bytes | None, copy: Copy) -> bytes | None:
    if key is None or len(copy.body) < _NONCE:
        return None
    try:
        return AESGCM(key).decrypt(copy.body[:_NONCE], copy.body[_NONCE:], copy.entry_id.encode())
    except InvalidTag:
        return None


def _milliseconds(entry_id: str) -> int:
    text = entry_id.partition("-")[0]
    return int(text) if text.isascii() and text.isdigit() else 0


def _span(entry_id: str) -> int:
    return _milliseconds(entry_id) // _SPAN_MS


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC)
