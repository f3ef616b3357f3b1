"""What `tillwise doctor` looks at in Redis."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError as RedisRefuses
from redis.exceptions import TimeoutError as RedisSlow

from app import __version__
from app.config import Settings
from app.findings import Fault
from app.redis_address import CLUSTER, cluster_address
from app.redis_cluster import each_node
from app.unreachable import why

EMBEDDED = "REDIS_URL is not set, and the embedded one does not run: `tillwise serve` starts it"
_MOST_USED = 0.9  # of the memory that Redis may take
_VERSION = re.compile(r"tillwise_v([^;)]+)")  # in what a connection of ours tells Redis
_SLOTS = 16_384  # of every cluster


@asynccontextmanager
async def each_redis(url: str) -> AsyncIterator[dict[str, Redis]]:
    """Yield a client of each node of the Redis, by what to call it."""
    if address := cluster_address(url):
        async with each_node(address, socket_timeout=2, socket_connect_timeout=2) as nodes:
            yield nodes
    else:
        async with Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as redis:
            yield {"it": redis}


async def redis_answers(settings: Settings) -> str:
    """Say whether Redis answers, or each node of a cluster, and whether it is what its address says."""
    if (url := settings.redis_url) is None:
        return EMBEDDED
    async with each_redis(url) as nodes:
        for name, redis in nodes.items():
            try:
                clustered: Any = await redis.info("cluster")
            except (RedisConnectionError, RedisSlow) as error:
                no_tls = url.startswith("rediss") and isinstance(error, RedisSlow)
                maybe = ", or speaks no TLS" if no_tls else ""
                raise Fault(f"can't talk to {name}: {why(error) or error}{maybe}") from None
            if cluster_address(url):
                await _served_slots(name, redis)
            elif clustered.get("cluster_enabled"):
                raise Fault(f"it is a node of a cluster: let REDIS_URL start with {CLUSTER}://")
            else:
                await _takes_writes(redis)
    return f"{len(nodes)} nodes of a cluster answer" if cluster_address(url) else "answers and takes writes"


async def _takes_writes(redis: Redis) -> None:
    """Raise where a replica, a full memory, a full disk or a lack of rights keeps us from writing."""
    try:
        await redis.set("tw:doctor", 1, xx=True, px=1)  # keeps nothing: it only replaces what is not there
    except RedisRefuses as error:
        raise Fault(f"it takes no writes: {error}") from None


async def _served_slots(name: str, redis: Redis) -> None:
    state: Any = await redis.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    if lost := _SLOTS - int(state["cluster_slots_ok"]):
        raise Fault(f"to {name}, {lost} slots of the cluster are on no node that answers")


async def redis_keeps(settings: Settings) -> str:
    """Say whether Redis keeps the event log: on disk, and when its memory ends."""
    if settings.redis_url is None:
        return EMBEDDED
    async with each_redis(settings.redis_url) as nodes:
        for name, redis in nodes.items():
            memory: Any = await redis.info("memory")
            persistence: Any = await redis.info("persistence")
            if (policy := memory.get("maxmemory_policy", "noeviction")) != "noeviction":
                wanted = f"set maxmemory-policy noeviction, not {policy}"
                raise Fault(f"{name} throws out events when memory ends: {wanted}")
            if not persistence.get("aof_enabled"):
                raise Fault(f"what {name} holds is gone with its process: set appendonly yes")
            if memory["used_memory"] > _MOST_USED * (memory.get("maxmemory") or math.inf):
                raise Fault(f"{name} has used nine tenths of its memory: raise maxmemory before it is full")
    return "on disk, and nothing is thrown out"


async def versions(settings: Settings) -> str:
    """Say whether the processes that are connected to Redis are of this version, where it knows that."""
    if settings.redis_url is None:
        return EMBEDDED
    async with each_redis(settings.redis_url) as nodes:
        found = set[str]().union(*[await _connected_versions(redis) for redis in nodes.values()])
    if others := found - {__version__}:
        named = ", ".join(sorted(others))
        raise Fault(f"this is {__version__}, and processes of {named} are at work: start them anew")
    return f"{__version__}, and no process of another is known to be at work"


async def _connected_versions(redis: Redis) -> set[str]:
    """Return of which versions the processes are that have a connection to this database of the Redis."""
    ours = str(redis.connection_pool.connection_kwargs.get("db") or 0)
    try:
        clients: Any = await redis.client_list()
    except RedisRefuses:  # it is a right of its own
        return set()
    told = [_VERSION.search(each.get("lib-name", "")) for each in clients if each["db"] == ours]
    return {version[1] for version in told if version}
