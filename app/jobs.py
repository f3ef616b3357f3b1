"""Long work that runs in the worker: asked for here, done there, run again after a crash."""

from __future__ import annotations

from typing import Literal

from redis.exceptions import RedisError
from streaq import Worker

from app.connections import Connections

Job = Literal["backfill", "train"]


async def request_job(connections: Connections, job: Job, shop: str) -> None:
    """Put a shop's job in the queue; one that already waits or runs is not asked for twice."""
    queue: Worker[None] = Worker(redis_url=connections.redis_url)
    async with queue:
        await queue.enqueue_unsafe(job, shop)


__all__ = ["Job", "RedisError", "request_job"]
