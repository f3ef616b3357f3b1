"""Batches concurrent requests to the same store into one round trip."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any, Generic, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.failures import reason_of
from app.redis_cluster import Cluster

_log = logging.getLogger(__name__)

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")
Waiting = tuple[Asked, "asyncio.Future[Answered]"]

_PAUSE_S = 0.002
_OUTAGES = (RedisError, SQLAlchemyError, OSError, TimeoutError)


@asynccontextmanager
async def _at_most(seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError when what is inside takes longer, not counting pauses of this process.

    After a pause (a garbage collection, a busy machine) an answer that came in time may lie there unread. It
    has as long to be read as the pause lasted beyond the limit.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() + seconds
    async with asyncio.timeout(None) as limit:

        def check() -> None:
            late = loop.time() - due
            limit.reschedule(due + 2 * late if late > _PAUSE_S else due)

        timer = loop.call_at(due, check)
        try:
            yield
        finally:
            timer.cancel()


class Batcher(Generic[Asked, Answered]):
    """Sends calls that were made while a batch was in flight together, as the next batch.

    run: answers a batch, one answer each in order. timeout_ms: how long a batch may take, not counting pauses
    of this process. When a store is away, a batch fails with the calls waiting behind it: no caller waits for
    two time-outs. When it is anything else, its calls are made again one by one: what one of them asks, which
    a stranger may have written, must not cost the others their answers.
    """

    def __init__(
        self,
        run: Callable[[list[Asked]], Awaitable[Sequence[Answered]]],
        *,
        timeout_ms: int,
        batch_size: int = 256,
    ) -> None:
        self._run = run
        self._timeout_s = timeout_ms / 1000
        self._batch_size = batch_size
        self._waiting: list[Waiting[Asked, Answered]] = []
        self._one_by_one = 0  # of those who wait, how many
        self._sender: asyncio.Task[None] | None = None

    async def __call__(self, asked: Asked) -> Answered:
        """Return the answer. Raises what the batch raised, TimeoutError included."""
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return await future

    async def _send(self) -> None:
        """Send batches until nobody waits."""
        try:
            while self._waiting:
                size = 1 if self._one_by_one else self._batch_size
                self._one_by_one = max(0, self._one_by_one - 1)
                batch = self._waiting[:size]
                del self._waiting[:size]
                await self._answer(batch)
        finally:
            self._sender = None

    async def _answer(self, batch: list[Waiting[Asked, Answered]]) -> None:
        try:
            async with _at_most(self._timeout_s):
                answers = await self._run([asked for asked, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():  # its caller may have gone away
                    future.set_result(answer)
        except _OUTAGES as error:
            _log.warning("a batch failed", extra={"callers": len(batch), "reason": reason_of(error)})
            self._fail([*batch, *self._all_waiting()], error)
        except Exception as error:
            _log.warning("a batch failed", extra={"callers": len(batch), "reason": reason_of(error)})
            if len(batch) == 1:
                self._fail(batch, error)
            else:
                self._waiting[:0] = batch
                self._one_by_one = len(batch)
        except BaseException:  # the server stops: nobody is left hanging
            self._fail([*batch, *self._all_waiting()], ConnectionError("the process is stopping"))
            raise

    def _all_waiting(self) -> list[Waiting[Asked, Answered]]:
        """Return all who wait, who wait no more."""
        waiting, self._waiting, self._one_by_one = self._waiting, [], 0
        return waiting

    def _fail(self, callers: list[Waiting[Asked, Answered]], error: Exception) -> None:
        for _, future in callers:
            if not future.done():
                future.set_exception(error)


Reads = Batcher[Sequence[str], list[bytes | None]]


def batched_reads(redis: Redis | Cluster, *, timeout_ms: int) -> Reads:
    """Return a reader of keys: one MGET for all who ask at the same time."""

    async def read(batch: list[Sequence[str]]) -> list[list[bytes | None]]:
        values: Any = await redis.mget(list(chain.from_iterable(batch)))
        remaining = iter(values)
        return [[next(remaining) for _ in keys] for keys in batch]

    if isinstance(redis, Cluster):
        return _ReadsByNode(redis, read, timeout_ms=timeout_ms)
    return Batcher(read, timeout_ms=timeout_ms)


class _ReadsByNode(Reads):
    """Reads of keys, batched for each node of a cluster: a slow or lost node delays its own callers alone.

    All keys of one call are on the same node.
    """

    def __init__(self, cluster: Cluster, run: Any, *, timeout_ms: int) -> None:
        super().__init__(run, timeout_ms=timeout_ms)
        self._cluster = cluster
        self._nodes = defaultdict[str, Reads](lambda: Batcher(run, timeout_ms=timeout_ms))

    async def __call__(self, asked: Sequence[str]) -> list[bytes | None]:
        """Return the values, None for what is not there."""
        return await self._nodes[self._cluster.place_of(asked[0])](asked)
