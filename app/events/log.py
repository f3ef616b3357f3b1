"""The event log on Redis Streams: appended to in one round trip, read at least once.

An entry leaves the stream only after every group has acknowledged it. One that fails again and
again goes to a dead-letter stream with its reason, where an operator can see and revive it.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from app.events.kinds import AnyEvent

STREAM = "tw:events"
DEAD = "{tw:events}:dead"  # the tag keeps what belongs to the log on the log's own node of a cluster
GROUP = "tillwise"
RESTS_MS = 30_000  # an entry, after a failure, or after its worker last said that it has it
NOBODY = "nobody"  # whoever an entry rests with
_EVENT = "e"
# A repeat within a day is noticed.
_SEEN = "{tw:events}:seen:"
_SEEN_TTL_S = 24 * 3600
_PAGE = 1_000
_APPEND = """
for _, event in ipairs(ARGV) do
  redis.call('XADD', KEYS[1], '*', 'e', event)
end
"""
_APPEND_UNSEEN = """
local added = 0
for i, seen in ipairs(KEYS) do
  if i > 1 and redis.call('SET', seen, 1, 'NX', 'EX', ARGV[1]) then
    redis.call('XADD', KEYS[1], '*', 'e', ARGV[i])
    added = added + 1
  end
end
return added
"""
# Only what is still the first consumer's: it may have been held up for so long that another was given it.
_GIVE = """
local claim = {KEYS[1], ARGV[1], ARGV[3], 0}
for i = 4, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2]) > 0 then
    claim[#claim + 1] = ARGV[i]
  end
end
if #claim > 4 then
  claim[#claim + 1] = 'JUSTID'
  return redis.call('XCLAIM', unpack(claim))
end
return {}
"""

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyEvent] = msgspec.msgpack.Decoder(AnyEvent)


def encode(event: AnyEvent) -> bytes:
    """Return the event as the log holds it."""
    return _encoder.encode(event)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One entry as it was handed to this consumer. deliveries: 1 on the first try."""

    entry_id: str
    body: bytes
    deliveries: int = 1

    def event(self) -> AnyEvent:
        """Return the event. Raises msgspec.DecodeError for an entry that isn't one."""
        return _decoder.decode(self.body)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log or of the dead letters as it stands there."""

    entry_id: str
    fields: dict[bytes, bytes]

    def event(self) -> AnyEvent | None:
        """Return the event, None for an entry that isn't one."""
        try:
            return _decoder.decode(self.fields[_EVENT.encode()])
        except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def put_aside(self) -> tuple[datetime, str]:
        """Return of a dead letter when it was put aside, and why."""
        return datetime.fromtimestamp(int(self.fields[b"buried_at"]), UTC), text_of(self.fields[b"reason"])

    def is_of(self, shop: str) -> bool:
        """Return whether it holds an event of the shop."""
        event = self.event()
        return event is not None and event.shop == shop


class EventLog:
    """Where events are written."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._append = redis.register_script(_APPEND)
        self._append_unseen = redis.register_script(_APPEND_UNSEEN)

    async def append(self, events: Sequence[AnyEvent]) -> None:
        """Add the events in order, all or none, in one round trip."""
        if events:  # a script: one command to pack and one answer to read, however many events
            await self._append([STREAM], [encode(event) for event in events])

    def append_through(self, pipe: Any, events: Sequence[AnyEvent]) -> None:
        """Let a pipeline append the events, in order, when it is sent: one command, none for no events."""
        if events:
            pipe.eval(_APPEND, 1, STREAM, *map(encode, events))

    async def append_unseen(self, events: Sequence[AnyEvent]) -> int:
        """Return how many of the events were added: those whose id the shop did not send today.

        All or none, in one round trip: an event is remembered only together with its entry.
        """
        if not events:
            return 0
        seen = [f"{_SEEN}{event.shop}:{event.event_id}" for event in events]
        bodies = [encode(event) for event in events]
        return int(await self._append_unseen([STREAM, *seen], [_SEEN_TTL_S, *bodies]))

    async def revive(self, count: int = 1_000, shop: str | None = None) -> int:
        """Return how many of the oldest dead letters, of one shop or of all, were put back into the log."""
        letters = await self._dead(shop)
        async with self._redis.pipeline(transaction=True) as pipe:
            for letter_id, body in letters[:count]:
                pipe.xadd(STREAM, {_EVENT: body})
                pipe.xdel(DEAD, letter_id)
            await pipe.execute()
        return len(letters[:count])

    async def give_up(self, letter_id: str) -> bool:
        """Delete a dead letter. Return whether there is one."""
        return bool(await self._redis.xdel(DEAD, letter_id))

    async def count_dead(self, shop: str | None = None) -> int:
        """Return how many dead letters there are, of one shop or of all."""
        return len(await self._dead(shop)) if shop else int(await self._redis.xlen(DEAD))

    async def count_unhandled(self) -> int:
        """Return how many events no process has handled: waiting, or in somebody's hands."""
        if not await self._redis.exists(STREAM):
            return 0
        groups: Any = await self._redis.xinfo_groups(STREAM)
        ours = [group for group in groups if text_of(group["name"]) == GROUP]
        if not ours:  # nobody has read yet
            return int(await self._redis.xlen(STREAM))
        return int(ours[0]["pending"]) + int(ours[0]["lag"] or 0)

    async def entries(self, stream: str) -> AsyncIterator[Entry]:
        """Yield what the log or the dead letters hold, handled or not, up to the last entry there is now."""
        newest: Any = await self._redis.xrevrange(stream, count=1)
        after, last = "-", text_of(newest[0][0]) if newest else "-"
        while newest:
            page: Any = await self._redis.xrange(stream, min=after, max=last, count=_PAGE)
            for entry_id, fields in page:
                yield Entry(text_of(entry_id), fields)
            if len(page) < _PAGE:
                return
            after = f"({text_of(page[-1][0])}"

    async def replace(self, stream: str, entry: Entry, event: AnyEvent | None) -> None:
        """Put an event in an entry's place, at the end, or nothing; never both and never neither."""
        async with self._redis.pipeline(transaction=True) as pipe:
            if event is not None:
                fields: dict[Any, Any] = {**entry.fields, _EVENT.encode(): encode(event)}
                pipe.xadd(stream, fields)
            pipe.xdel(stream, entry.entry_id)
            await pipe.execute()

    async def count(self, stream: str, shop: str) -> int:
        """Return how many entries of the shop a stream holds."""
        return len([1 async for entry in self.entries(stream) if entry.is_of(shop)])

    async def forget(self, shop: str) -> None:
        """Delete all that the log holds of the shop: entries, dead letters, and which events it has seen."""
        for stream in (STREAM, DEAD):
            ids = [entry.entry_id async for entry in self.entries(stream) if entry.is_of(shop)]
            if ids:
                await self._redis.xdel(stream, *ids)
        async for key in self._redis.scan_iter(match=f"{_SEEN}{shop}:*", count=1_000):
            await self._redis.delete(key)

    async def _dead(self, shop: str | None) -> list[tuple[bytes, bytes]]:
        letters: Any = await self._redis.xrange(DEAD)
        found = [(letter_id, fields[_EVENT.encode()]) for letter_id, fields in letters]
        return [dead_letter for dead_letter in found if shop is None or _shop_of(dead_letter[1]) == shop]


def dead_letter(delivery: Delivery, reason: str) -> dict[Any, Any]:
    """Return a delivery as the dead letters hold it."""
    return {
        _EVENT: delivery.body,
        "reason": reason[:1_000],
        "entry": delivery.entry_id,
        "deliveries": delivery.deliveries,
        "buried_at": int(time.time()),
    }


def this_consumer() -> str:
    """Return the name under which this process reads the log."""
    return f"{socket.gethostname()}-{os.getpid()}"


def may_live(name: str) -> bool:
    """Return whether the process that reads under this name may live; one of another machine may."""
    host, _, pid = name.rpartition("-")
    if host != socket.gethostname() or not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


class EventConsumer:
    """One reader of a group. What it does not acknowledge is given out again.

    name: unique among the running consumers of the group.
    idle_ms: how long an entry rests after a failure or a crash before it is tried again.
    """

    def __init__(self, redis: Redis, name: str, *, group: str = GROUP, idle_ms: int = RESTS_MS) -> None:
        self._redis = redis
        self._name = name
        self._group = group
        self._idle_ms = idle_ms
        self._give = redis.register_script(_GIVE)

    async def open(self) -> None:
        """Create the group, from the log's first entry on, unless it exists."""
        try:
            await self._redis.xgroup_create(STREAM, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def read(self, *, count: int = 200, block_ms: int = 1_000) -> list[Delivery]:
        """Return new entries, oldest first; waits up to block_ms for the first."""
        answer = await self._redis.xreadgroup(
            self._group, self._name, {STREAM: ">"}, count=count, block=block_ms
        )
        return [Delivery(text_of(entry_id), fields[_EVENT.encode()]) for entry_id, fields in _entries(answer)]

    async def reclaim(self, *, count: int = 200) -> list[Delivery]:
        """Return entries that rested for idle_ms unacknowledged, now given to this consumer."""
        answer: Any = await self._redis.xautoclaim(
            STREAM, self._group, self._name, min_idle_time=self._idle_ms, count=count
        )
        entries = [(text_of(entry_id), fields) for entry_id, fields in answer[1] if fields]
        times = await self._times_delivered([entry_id for entry_id, _ in entries])
        return [
            Delivery(entry_id, fields[_EVENT.encode()], times.get(entry_id, 1))
            for entry_id, fields in entries
        ]

    async def inherit(self, *, count: int = 200) -> list[Delivery]:
        """Return entries that processes of this machine held when they died, now given to this consumer."""
        for name in await self._dead_beside():
            pending: Any = await self._redis.xpending_range(
                STREAM, self._group, min="-", max="+", count=count, consumername=name
            )
            held = {text_of(each["message_id"]): int(each["times_delivered"]) for each in pending}
            if held:
                answer: Any = await self._redis.xclaim(STREAM, self._group, self._name, 0, [*held])
                entries = [(text_of(entry_id), fields) for entry_id, fields in answer if fields]
                return [Delivery(i, fields[_EVENT.encode()], held[i] + 1) for i, fields in entries]
        return []

    async def _dead_beside(self) -> list[str]:
        consumers: Any = await self._redis.xinfo_consumers(STREAM, self._group)
        names = [text_of(each["name"]) for each in consumers if each["pending"]]
        return [name for name in names if name != self._name and not may_live(name)]

    async def keep(self, deliveries: Iterable[Delivery]) -> None:
        """Say that the entries are still in hand: nobody else is given them for idle_ms."""
        await self._gave(self._name, self._name, deliveries)

    async def put_down(self, deliveries: Iterable[Delivery]) -> None:
        """Let entries rest, in nobody's hands, until they are tried again."""
        await self._gave(self._name, NOBODY, deliveries)

    async def take_up(self, deliveries: Iterable[Delivery]) -> set[str]:
        """Take in hand again what was put down; return the ids of what nobody else took meanwhile."""
        return await self._gave(NOBODY, self._name, deliveries)

    async def _gave(self, giver: str, taker: str, deliveries: Iterable[Delivery]) -> set[str]:
        """Return which entries the giver still had."""
        if ids := [delivery.entry_id for delivery in deliveries]:
            return set(map(text_of, await self._give([STREAM], [self._group, giver, taker, *ids])))
        return set()

    async def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Mark entries as handled: they are not given out again."""
        if ids := [delivery.entry_id for delivery in deliveries]:
            await self._redis.xack(STREAM, self._group, *ids)

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Move an entry to the dead-letter stream with its reason."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(DEAD, dead_letter(delivery, reason))
            pipe.xack(STREAM, self._group, delivery.entry_id)
            await pipe.execute()

    async def trim(self) -> int:
        """Return how many entries were dropped: only what every group has acknowledged."""
        oldest = [await self._oldest_needed(group) for group in await self._groups()]
        if not oldest:
            return 0
        keep_from = min(oldest, key=entry_order)
        return int(await self._redis.xtrim(STREAM, minid=keep_from, approximate=False))

    async def handled_before(self) -> datetime | None:
        """Return before when all that came is handled by every group; None while nobody reads."""
        oldest = [await self._oldest_needed(group) for group in await self._groups()]
        if not oldest:
            return None
        needed = min(oldest, key=entry_order)
        if await self._redis.xrange(STREAM, min=needed, count=1):
            return datetime.fromtimestamp(entry_order(needed)[0] / 1000, UTC)
        return datetime.now(UTC)

    async def _oldest_needed(self, group: dict[str, Any]) -> str:
        """Return the id before which the group has acknowledged everything."""
        pending: Any = await self._redis.xpending(STREAM, text_of(group["name"]))
        if pending["min"]:
            return text_of(pending["min"])
        milliseconds, sequence = entry_order(text_of(group["last-delivered-id"]))
        return f"{milliseconds}-{sequence + 1}"

    async def _groups(self) -> list[dict[str, Any]]:
        if not await self._redis.exists(STREAM):  # nothing has happened yet
            return []
        answer: Any = await self._redis.xinfo_groups(STREAM)
        return list(answer)

    async def _times_delivered(self, ids: Sequence[str]) -> dict[str, int]:
        if not ids:
            return {}
        pending: Any = await self._redis.xpending_range(
            STREAM, self._group, min=ids[0], max=ids[-1], count=len(ids), consumername=self._name
        )
        return {text_of(entry["message_id"]): int(entry["times_delivered"]) for entry in pending}


def _entries(answer: Any) -> list[tuple[Any, dict[bytes, bytes]]]:
    """Return the entries of one stream from XREADGROUP's answer, in RESP2's or RESP3's shape."""
    if not answer:
        return []
    if isinstance(answer, dict):
        (batches,) = answer.values()
        return [entry for batch in batches for entry in batch]
    return list(answer[0][1])


def _shop_of(body: bytes) -> str | None:
    """Return whose event it is, None for what is no event."""
    try:
        return _decoder.decode(body).shop
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def entry_order(entry_id: str) -> tuple[int, int]:
    """Return what entries are in order by: when they were appended, and which of that millisecond."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)


def text_of(value: bytes | str) -> str:
    """Return what Redis answered as text."""
    return value.decode() if isinstance(value, bytes) else value
