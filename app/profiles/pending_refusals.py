"""Refusals of consent that could not be logged when they came: the app was too busy, or Redis was away.

Each was obeyed in the answer to its own question. What was allowed before has to end as well, so they are
kept in memory and logged for the ledger as soon as that is possible; a process that ends before loses them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.connections import Connections
from app.consent.digests import Digests
from app.consent.policy import PURPOSES, Answers
from app.consent.told import told_key, unpack
from app.events.erased import only_kept
from app.events.kinds import ConsentTold
from app.events.log import EventLog
from app.loops import rest
from app.profiles.consent_events import ConsentCall, all_told
from app.profiles.guests import heard_as
from app.profiles.names import Names
from app.profiles.recall import keep_told
from app.upsert import chunks

EVERY_S = 2.0
MOST = 10_000  # beyond it the oldest are dropped
_AT_ONCE = 200


class PendingRefusals:
    """Calls that refuse something and are still to be logged, the last one of each visitor."""

    def __init__(self, connections: Connections, digests: Digests, most: int = MOST) -> None:
        self._connections, self._digests, self._most = connections, digests, most
        self._calls: dict[tuple[str, Names], ConsentCall] = {}

    def keep(self, call: ConsentCall) -> None:
        """Keep the call to be logged later, if it refuses anything in anybody's name."""
        if not refuses(call.answers):
            return
        for heard in heard_as(call):
            if any(heard.names):
                self._calls.pop((heard.shop, heard.names), None)
                self._calls[heard.shop, heard.names] = heard
        while len(self._calls) > self._most:
            del self._calls[next(iter(self._calls))]

    def __len__(self) -> int:
        return len(self._calls)

    async def log(self) -> None:
        """Log what is kept, shop by shop. Raises RedisError: the rest stays."""
        by_shop: dict[str, list[ConsentCall]] = defaultdict(list)
        for call in self._calls.values():
            by_shop[call.shop].append(call)
        for calls in by_shop.values():
            for some in chunks(calls, _AT_ONCE):
                told = await append_consent(self._connections.redis, self._digests, some)
                await self._keep_told(told)
                for call in some:
                    if self._calls.get((call.shop, call.names)) is call:  # else they answered anew by now
                        del self._calls[call.shop, call.names]

    async def _keep_told(self, events: Sequence[ConsentTold]) -> None:
        """Keep the answers, but of who was erased since they came.

        Where that can't be known, nobody's are kept: the ledger keeps them once it has the events.
        """
        try:
            kept = await only_kept(self._connections, events)
        except (SQLAlchemyError, OSError, TimeoutError):
            return
        await keep_told(self._connections.redis, self._digests, kept)

    async def keep_logging(self, stop: asyncio.Event) -> None:
        """Log what is kept, every two seconds, until stopped."""
        while not stop.is_set():
            await rest(stop, EVERY_S)
            try:
                await self.log()
            except (RedisError, OSError, TimeoutError):
                continue


def refuses(answers: Answers) -> bool:
    """Return whether the answers say no to any purpose."""
    return any(getattr(answers, each) is False for each in PURPOSES)


async def log_consent(redis: Redis, digests: Digests, calls: Sequence[ConsentCall]) -> None:
    """Append to the event log what the calls of one shop, that came just now, change about consent.

    Keeps the answers for the next call. Raises RedisError.
    """
    await keep_told(redis, digests, await append_consent(redis, digests, calls))


async def append_consent(
    redis: Redis, digests: Digests, calls: Sequence[ConsentCall]
) -> Sequence[ConsentTold]:
    """Append to the event log what the calls of one shop change about consent, and return that.

    Raises RedisError.
    """
    subjects = sorted({each for call in calls for each in call.names.subjects(digests, call.shop).values()})
    if not subjects:
        return []
    values: Any = await redis.mget([told_key(calls[0].shop, each) for each in subjects])
    told = all_told(calls, dict(zip(subjects, map(unpack, values), strict=True)), digests)
    await EventLog(redis).append(told)
    return told
