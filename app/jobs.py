"""A shop's long jobs: requested in any process, run by one worker at a time, and again after a crash."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Literal, Self

import msgspec
from coredis.exceptions import RedisError as QueueError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import LockError, RedisError
from streaq import Worker

from app.connections import Connections, redis_key
from app.failures import reason_of
from app.leases import let_go_if_overlong
from app.redis_address import cluster_address

Job = Literal[
    "backfill", "train", "segment", "freshen", "clear", "opt_outs", "write_back", "offers_ahead", "watch",
    "resume", "intent", "coupons", "reach", "alerts",
    "figures", "collections",
]  # fmt: skip

# How long a request that never reached the queue keeps the next one out.
_REQUEST_TTL_S = 60
_LEASE_S = 30
QUEUE, CLUSTER_QUEUE = "default", "{jobs}"  # their names
_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S = 2, 5  # as with our own client of Redis
_OUTAGES = (QueueError, OSError)
_may_wait: ContextVar[bool] = ContextVar("may_wait", default=True)
_log = logging.getLogger(__name__)


class Progress(msgspec.Struct, frozen=True):
    """How far a job is. total is 0 while that is not known."""

    stage: str
    done: int = 0
    total: int = 0


class JobLocked(Exception):
    """Another process is running this job of the shop, and may have read its input before this request."""


class _OnCluster(Worker[Any]):
    """A queue on a cluster. It closes what its client leaves open."""

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        try:
            async with super().__asynccontextmanager__():
                yield self
        finally:
            pool: Any = self._redis.connection_pool
            for stream in pool.cluster_layout._error_stream:
                stream.close()


def job_queue(redis_url: str, *, waits_s: float = 0, **options: Any) -> Worker[Any]:
    """Return the queue of jobs. It holds JSON: unpickling could run what somebody else wrote.

    waits_s: how long a read from the queue may block in Redis.
    """
    options |= {"serializer": _as_json, "deserializer": json.loads}
    bounds = {"connect_timeout": _CONNECT_TIMEOUT_S, "stream_timeout": waits_s + _READ_TIMEOUT_S}
    if (cluster := cluster_address(redis_url)) is None:
        return Worker(redis_url=redis_url, redis_kwargs=bounds, **options)
    proof = {"username": cluster.username, "password": cluster.password, "ssl": cluster.tls}
    # Its scripts reach for keys they do not name: the tag keeps all of a queue on one node.
    return _OnCluster(
        cluster_nodes=[*cluster.nodes], redis_kwargs=proof | bounds, queue_name=CLUSTER_QUEUE, **options
    )


def _as_json(value: Any) -> str:
    """Return the value as JSON, an exception as its reason: the queue stores a failed job's error."""
    return json.dumps(value, default=reason_of)


async def request_job(connections: Connections, job: Job, shop: str) -> None:
    """Put a shop's job in the queue, unless one already waits there."""
    if not await connections.redis.set(_waiting(shop, job), 1, nx=True, ex=_REQUEST_TTL_S):
        return
    async with _opened(job_queue(connections.redis_url)) as queue:
        await queue.enqueue_unsafe(job, shop)


async def requeue_job(connections: Connections, job: Job, shop: str, after: timedelta) -> None:
    """Queue a shop's job to run after a delay; requests until then add nothing."""
    await connections.redis.set(_waiting(shop, job), 1, ex=_REQUEST_TTL_S)
    async with _opened(job_queue(connections.redis_url)) as queue:
        await queue.enqueue_unsafe(job, shop).start(delay=after)


@asynccontextmanager
async def _opened(queue: Worker[Any]) -> AsyncIterator[Worker[Any]]:
    """Yield the open queue; a Redis that fails it raises RedisConnectionError, as our own client does."""
    try:
        async with queue:
            yield queue
    except _OUTAGES as error:
        raise RedisConnectionError(reason_of(error)) from error
    except ExceptionGroup as group:
        if group.split(_OUTAGES)[1] is not None:
            raise
        raise RedisConnectionError(reason_of(group)) from group


def never_wait() -> None:
    """Make `exclusive_job` raise JobLocked in this task: a job that waits would block a slot."""
    _may_wait.set(False)


async def is_under_way(connections: Connections, job: Job, shop: str) -> bool:
    """Return whether a process does the shop's job now."""
    return bool(await connections.redis.exists(redis_key(shop, "running", job)))


@asynccontextmanager
async def exclusive_job(
    connections: Connections, job: Job, shop: str, *, lock: Job | None = None
) -> AsyncIterator[None]:
    """Wait until no other process runs this job for the shop, and keep them out until left.

    From then on it can be requested again: this run may not see what happens after it began. lock: the job
    that it shares its lock with. Raises JobLocked where `never_wait` was called.
    """
    key = redis_key(shop, "running", lock or job)
    if not _may_wait.get():
        await let_go_if_overlong(connections.redis, key, _LEASE_S * 1_000)
        if await connections.redis.exists(key):
            raise JobLocked(f"{shop}: {job}")
    async with alone(connections, lock or job, shop):
        await connections.redis.delete(_waiting(shop, job))
        yield


@asynccontextmanager
async def alone(connections: Connections, what: str, shop: str) -> AsyncIterator[None]:
    """Wait until nobody else does this in the shop, and keep them out until left.

    A process that dies is waited for at most half a minute.
    """
    key = redis_key(shop, "running", what)
    lock = connections.redis.lock(key, timeout=_LEASE_S)
    await let_go_if_overlong(connections.redis, key, _LEASE_S * 1_000)
    while not await lock.acquire(blocking_timeout=_LEASE_S):
        await let_go_if_overlong(connections.redis, key, _LEASE_S * 1_000)
    keeper = asyncio.create_task(_keep(lock))
    try:
        yield
    finally:
        keeper.cancel()
        with suppress(LockError):  # it may have expired while this process was held up
            await lock.release()


async def turns_of(connections: Connections, works: Iterable[str], shop: str) -> set[bytes]:
    """Return the tokens of who holds the shop's locks on these works, another one each time."""
    found: list[Any] = await connections.redis.mget([redis_key(shop, "running", each) for each in works])
    return {token for token in found if token is not None}


async def _keep(lock: Any) -> None:
    """Hold the lock until cancelled, or until somebody else has it: the lease had lapsed."""
    held = True
    while held:
        await asyncio.sleep(_LEASE_S / 3)
        with suppress(RedisError, OSError):  # while Redis is away nobody else can take it either
            held = await _held_on(lock)
    _log.warning("work goes on without its lock: this process was held up for longer than the lease")


async def _held_on(lock: Any) -> bool:
    """Return whether the lock is ours: renewed, or taken again where it lapsed and nobody else has it."""
    try:
        return bool(await lock.reacquire())
    except LockError:
        return bool(await lock.acquire(blocking=False, token=lock.local.token))


async def report_progress(connections: Connections, job: Job, shop: str, progress: Progress) -> None:
    """Publish the job's progress for an hour."""
    key = redis_key(shop, "progress", job)
    await connections.redis.set(key, msgspec.json.encode(progress), ex=3600)


async def read_progress(connections: Connections, job: Job, shop: str) -> Progress | None:
    """Return what the job last reported, None when it never did."""
    packed = await connections.redis.get(redis_key(shop, "progress", job))
    return msgspec.json.decode(packed, type=Progress) if packed else None


def _waiting(shop: str, job: Job) -> str:
    return redis_key(shop, "waiting", job)
