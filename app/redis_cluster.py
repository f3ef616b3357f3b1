"""A Redis Cluster, spoken to as a single Redis is: the same calls, each sent to the nodes that hold its keys.

The keys of a shop share a slot by their hash tag, and so do those of the event log and of the job queue.
What redis-py's client of a cluster lacks, or does worse than its client of one node, is mended here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, ClusterPipeline, ClusterPubSub, RedisCluster
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, RedisClusterException, SlotNotCoveredError
from redis.exceptions import ConnectionError as RedisConnectionError

from app.redis_address import ClusterAddress
from app.redis_pipelines import Pipeline, Together, Transaction

_MANY = 2**31  # connections: as many as a single node's client would open
_LOOKED_UP_EVERY_S = 2.0
_KEY_AT = {"EVAL": 3, "EVALSHA": 3}  # where a command has its first key, if not first


class Cluster(RedisCluster):
    """The client. What asks for keys of several slots asks each node once, all nodes at the same time.

    What it raises in an outage is a RedisError, as with a single node.
    """

    _lost: str | None = None
    _look_again_at = 0.0
    _looking: asyncio.Task[None] | None = None

    async def initialize(
        self, additional_startup_nodes_info: Any = None, last_failed_node_name: str | None = None
    ) -> RedisCluster:
        """Read which node holds which slots. Raises ConnectionError.

        Once that is known, it is read again in the background and only now and then: redis-py asks for it at
        each error, and a lost node would keep all the others from answering.
        """
        if self._initialize:
            known = bool(self.nodes_manager.slots_cache)
            self._initialize = not known
            if self._may_look(known):
                self._look_again_at = monotonic() + _LOOKED_UP_EVERY_S
                self._looking = asyncio.create_task(self._look(last_failed_node_name or self._lost))
                self._looking.add_done_callback(_retrieved)
            if not known and self._looking:
                await asyncio.shield(self._looking)  # who gives up leaves it to the others
        return self

    def _may_look(self, known: bool) -> bool:
        if self._looking and not self._looking.done():
            return False
        return not known or monotonic() >= self._look_again_at

    async def _look(self, lost: str | None) -> None:
        try:
            await self.nodes_manager.initialize(last_failed_node_name=lost)
        except RedisClusterException as error:
            raise RedisConnectionError(str(error)) from error
        except IndexError:  # redis-py trips over it
            raise RedisConnectionError("the node is in no cluster: it holds no slot and knows none") from None
        self._initialize = False

    async def aclose(self) -> None:
        """Have the next command read again which node holds which slots.

        redis-py calls this for that; closing connections would cut off commands that are being answered.
        """
        self._initialize = True

    async def close_for_good(self) -> None:
        """Close every connection."""
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        self._initialize = True
        await self.nodes_manager.aclose()
        await self.nodes_manager.aclose("startup_nodes")

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Return the answer of the nodes that the command is for."""
        await self.initialize()  # before it is decided where to: redis-py asks any node else
        try:
            return await super().execute_command(*args, **options)
        except SlotNotCoveredError as error:
            raise ClusterDownError(str(error)) from error

    def pubsub(self, *args: Any, **options: Any) -> ClusterPubSub:
        """Return a subscription, which any node can serve."""
        return _PubSub(self, *args, **options)

    def mget(self, keys: Any, *args: Any) -> Any:
        """Return the values in the order of the keys, whatever their slots."""
        return self.mget_nonatomic(keys, *args)

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> ClusterPipeline:
        """Return a pipeline; a transaction's keys share a slot."""
        pipe = Pipeline(self, transaction)  # type: ignore[abstract]
        pipe._execution_strategy = Transaction(pipe) if transaction else Together(pipe)
        return pipe

    async def script_load(self, script: Any) -> Any:
        """Return the script's name, once each node that answers has it."""
        await self.initialize()
        loads = [self.execute_command("SCRIPT LOAD", script, target_nodes=n) for n in self.get_primaries()]
        answers = await asyncio.gather(*loads, return_exceptions=True)
        names = [each for each in answers if not isinstance(each, BaseException)]
        if not names:
            raise RedisConnectionError("no node answers") from answers[0]
        return names[0]

    async def bgrewriteaof(self, schedule: bool = True, **options: Any) -> Any:
        """Have every node rewrite its append-only file."""
        await self.initialize()
        return await self.execute_command("BGREWRITEAOF", target_nodes=self.get_nodes(), **options)

    def lose(self, node: ClusterNode) -> None:
        """Have the next command read again which node holds which slots, from another node than this one."""
        self._initialize, self._lost = True, node.name

    def node_of(self, *command: Any) -> ClusterNode:
        """Return the node that holds the command's first key."""
        return self.nodes_manager.get_node_from_slot(self.slot_of(*command))

    def place_of(self, key: str) -> str:
        """Return the name of the node that holds the key, empty while that is not known."""
        nodes = self.nodes_manager.slots_cache.get(self.slot_of("GET", key))
        return nodes[0].name if nodes else ""

    def slot_of(self, *command: Any) -> int:
        """Return the slot of the command's first key."""
        reads = command[0] in ("XREAD", "XREADGROUP")
        at = command.index(b"STREAMS") + 1 if reads else _KEY_AT.get(command[0], 1)
        return key_slot(self.encoder.encode(command[at]))  # type: ignore[no-untyped-call]

    async def _determine_slot(self, command: str, *args: Any) -> int:
        """Return the slot of the command: redis-py asks a node for it, which may be the lost one."""
        return self.slot_of(command, *args)


def _retrieved(task: asyncio.Task[None]) -> None:
    """Note what a task raised that perhaps nobody waits for: the next call has it tried again."""
    if not task.cancelled():
        task.exception()


class _PubSub(ClusterPubSub):
    """A subscription that may be the first thing asked of a cluster."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        await self.cluster.initialize()
        return await super().execute_command(*args, **options)


def open_cluster(address: ClusterAddress, mended: Callable[[Any], Any], **options: Any) -> Cluster:
    """Return a client of the cluster. mended: makes of a class of connections the one to use."""
    cluster = Cluster(
        startup_nodes=[ClusterNode(*node) for node in address.nodes],
        username=address.username,
        password=address.password,
        ssl=address.tls,
        max_connections=_MANY,
        **options,
    )
    connection_class = _told_when_closed(mended(cluster.connection_kwargs["connection_class"]))
    cluster.connection_kwargs["connection_class"] = connection_class
    for node in cluster.startup_nodes:
        node.connection_class = connection_class
    return cluster


def _told_when_closed(connection_class: Any) -> Any:
    """Return the class, with an error of its own where another task closed the connection of a lost node."""

    class Connection(connection_class):  # type: ignore[misc]
        async def _send_packed_command(self, command: Any) -> None:
            if self._writer is None:
                raise RedisConnectionError("the connection is closed")
            await super()._send_packed_command(command)

    return Connection


@asynccontextmanager
async def each_node(address: ClusterAddress, **options: Any) -> AsyncIterator[dict[str, Redis]]:
    """Yield a client of each node, by name; it follows no redirection. Raises RedisError."""
    cluster = open_cluster(address, lambda known: known, **options)
    try:
        await cluster.initialize()
        places = [(node.name, node.host, int(node.port)) for node in cluster.get_nodes()]
    finally:
        await cluster.close_for_good()
    options |= {"username": address.username, "password": address.password, "ssl": address.tls}
    nodes = {name: Redis(host=host, port=port, **options) for name, host, port in places}
    try:
        yield nodes
    finally:
        for node in nodes.values():
            await node.aclose()


async def key_on_each_node(redis: Any, name: str) -> list[str]:
    """Return keys of this name, one on each node that holds any: it is gone when what the node held is."""
    if not isinstance(redis, Cluster):
        return [name]
    await redis.initialize()
    nodes, keys, number = len(redis.get_primaries()), dict[Any, str](), 0
    while len(keys) < nodes:
        key = f"{{{number}}}:{name}"  # the first tag counts
        keys.setdefault(redis.get_node_from_key(key), key)
        number += 1
    return sorted(keys.values())
