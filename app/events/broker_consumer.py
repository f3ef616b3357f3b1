"""The consumer protocol of the event log, and the consumer for a log with a broker behind it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import Protocol

from redis.asyncio import Redis

from app.connections import Connections
from app.events.broker import Broker, Copy, open_broker
from app.events.broker_ledger import BrokerLedger
from app.events.log import RESTS_MS, Delivery, EventConsumer, EventLog, entry_order, this_consumer

_ECHO_RESTS = 10  # times as long as an entry, so that what it follows came to an end
_log = logging.getLogger(__name__)


class Consumer(Protocol):
    """One reader of the log. What it does not acknowledge is given out again, here or elsewhere."""

    async def open(self) -> None:
        """Begin to read: from the first entry that nobody has acknowledged."""

    async def read(self, *, count: int = 200, block_ms: int = 1_000) -> list[Delivery]:
        """Return new entries, oldest first; waits up to block_ms for the first."""

    async def reclaim(self, *, count: int = 200) -> list[Delivery]:
        """Return entries that rested unacknowledged for long enough to be tried again."""

    async def inherit(self, *, count: int = 200) -> list[Delivery]:
        """Return entries that dead processes of this machine held and nobody else gives out."""

    async def keep(self, deliveries: Iterable[Delivery]) -> None:
        """Say that the entries are still in hand: nobody else is given them for a while."""

    async def put_down(self, deliveries: Iterable[Delivery]) -> None:
        """Let entries rest, in nobody's hands, until they are tried again."""

    async def take_up(self, deliveries: Iterable[Delivery]) -> set[str]:
        """Take in hand again what was put down; return the ids of what nobody else took meanwhile."""

    async def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Mark entries as handled: they are not given out again."""

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Move an entry to the dead letters with its reason."""


@dataclass(slots=True)
class _Held:
    """An entry in hand. copies: more than one where it was sent twice. since: when it was given out."""

    copies: list[Copy]
    delivery: Delivery
    since: float


class BrokerConsumer:
    """One reader of what a broker holds. What it held when it ends the broker gives to others.

    idle_ms: how long an entry rests after a failure before it is tried again.
    """

    def __init__(self, redis: Redis, broker: Broker, *, idle_ms: int = RESTS_MS) -> None:
        self._broker = broker
        self._moved = BrokerLedger(redis)
        self._idle_s = idle_ms / 1_000
        self._held: dict[str, _Held] = {}
        self._echoes: deque[tuple[float, Copy]] = deque()

    async def open(self) -> None:
        """Begin to read, with Redis there: else what is given out could not be opened."""
        await self._moved.count()
        await self._broker.subscribe()

    async def read(self, *, count: int = 200, block_ms: int = 1_000) -> list[Delivery]:
        """Return new entries, oldest first; waits up to block_ms for the first."""
        copies = await self._broker.receive(count, block_ms / 1_000)
        opened = list(zip(copies, await self._moved.opened(copies), strict=True))
        # All of its time was handled, or Redis was lost, or it is none of ours: no note is of it.
        await self._broker.acknowledge([copy for copy, body in opened if body is None])
        self._echoes += [(monotonic(), copy) for copy, body in opened if body == b""]
        return await self._take([held for copy, body in opened if body and (held := self._hold(copy, body))])

    async def reclaim(self, *, count: int = 200) -> list[Delivery]:
        """Return entries that rested for idle_ms."""
        now = monotonic()
        while self._echoes and self._echoes[0][0] + _ECHO_RESTS * self._idle_s <= now:
            await self._let_go([self._echoes.popleft()[1]])
        rested = [held for held in self._held.values() if held.since + self._idle_s <= now]
        return await self._take(rested[:count])

    async def inherit(self, *, count: int = 200) -> list[Delivery]:
        """Return nothing: the broker itself gives out what the dead held."""
        return []

    async def keep(self, deliveries: Iterable[Delivery]) -> None:
        """Do nothing: the broker gives nobody else what this connection holds."""

    async def put_down(self, deliveries: Iterable[Delivery]) -> None:
        """Do nothing: what is noted and not handled counts as in somebody's hands all the same."""

    async def take_up(self, deliveries: Iterable[Delivery]) -> set[str]:
        """Return the ids of all: the broker gave nobody else what this connection holds."""
        return {delivery.entry_id for delivery in deliveries}

    async def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Mark entries as handled: they are not given out again."""
        held = [self._held.pop(delivery.entry_id, None) for delivery in deliveries]
        await self._let_go([copy for each in held if each for copy in each.copies])

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Put an entry among the dead letters with its reason, and be done with it."""
        await self._moved.bury(delivery, reason)
        await self.acknowledge([delivery])

    def _hold(self, copy: Copy, body: bytes) -> _Held | None:
        """Return the entry, None for one that is in hand already."""
        if held := self._held.get(copy.entry_id):
            held.copies.append(copy)
            return None
        return self._held.setdefault(copy.entry_id, _Held([copy], Delivery(copy.entry_id, body), monotonic()))

    async def _take(self, given: Sequence[_Held]) -> list[Delivery]:
        found = sorted(given, key=lambda held: entry_order(held.delivery.entry_id))
        times = await self._moved.take([held.delivery.entry_id for held in found])
        for held, often in zip(found, times, strict=True):
            held.delivery, held.since = replace(held.delivery, deliveries=often), monotonic()
        return [held.delivery for held in found]

    async def _let_go(self, copies: Sequence[Copy]) -> None:
        if copies:
            await self._moved.handled(await self._broker.acknowledge(copies))


@asynccontextmanager
async def open_consumer(connections: Connections) -> AsyncIterator[Consumer]:
    """Yield a reader of the log: of the broker's queue where there is one, else of the stream."""
    if url := connections.settings.event_log_url:
        async with open_broker(url) as broker:
            yield BrokerConsumer(connections.redis, broker)
        return
    if count := await BrokerLedger(connections.redis).count():
        _log.error(
            "events are with a broker that nobody reads: EVENT_LOG_URL is not set", extra={"events": count}
        )
    yield EventConsumer(connections.redis, this_consumer())


async def count_unhandled(connections: Connections) -> int:
    """Return how many events nobody has handled, wherever they are."""
    if connections.settings.event_log_url:
        return await BrokerLedger(connections.redis).count_unhandled()
    return await EventLog(connections.redis).count_unhandled()


async def handled_before(connections: Connections) -> datetime | None:
    """Return before when all that came is handled; None while nobody reads."""
    if connections.settings.event_log_url:
        return await BrokerLedger(connections.redis).handled_before()
    return await EventConsumer(connections.redis, "inbox").handled_before()
