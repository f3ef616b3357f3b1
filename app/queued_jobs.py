"""What the queue of jobs holds: which are due, since when, and how often they were begun."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.exceptions import ResponseError
from streaq.constants import REDIS_GROUP, REDIS_PREFIX, REDIS_RETRY, REDIS_STREAM, REDIS_TASK

from app.connections import Connections
from app.events.log import entry_order, text_of
from app.jobs import CLUSTER_QUEUE, QUEUE
from app.redis_address import cluster_address

_LOOKED_AT = 1_000
_LATELY_MS = 60_000
_DUE = f"{REDIS_STREAM}normal"  # the only priority that is used


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that is due. begun: how often workers began it without an end; 0 while it waits for one."""

    name: str
    shop: str
    due_at: datetime
    begun: int


async def queued_jobs(connections: Connections) -> list[QueuedJob]:
    """Return the first thousand jobs that are due or under way, the longest due first."""
    redis, queue = connections.redis, _queue(connections)
    entries: Any = await redis.xrange(queue + _DUE, count=_LOOKED_AT)
    found: list[QueuedJob] = []
    for entry_id, fields in entries:
        task = text_of(fields[b"task_id"])
        held = await redis.get(f"{queue}{REDIS_TASK}{task}")
        begun = await redis.get(f"{queue}{REDIS_RETRY}{task}")
        if held is not None:
            found.append(_read(text_of(entry_id), json.loads(held), int(begun or 0)))
    return found


async def count_workers(connections: Connections) -> int:
    """Return how many workers asked for jobs lately; one that waits does so twice a minute."""
    try:
        readers: Any = await connections.redis.xinfo_consumers(_queue(connections) + _DUE, REDIS_GROUP)
    except ResponseError:  # none ever did
        return 0
    return sum(reader["idle"] < _LATELY_MS for reader in readers)


def _queue(connections: Connections) -> str:
    """Return what the keys of the queue begin with."""
    clustered = cluster_address(connections.redis_url) is not None
    return REDIS_PREFIX + (CLUSTER_QUEUE if clustered else QUEUE)


def _read(entry_id: str, task: dict[str, Any], begun: int) -> QueuedJob:
    due_at = datetime.fromtimestamp(entry_order(entry_id)[0] / 1000, UTC)
    return QueuedJob(task["f"], task["a"][0], due_at, begun)
