"""How commands are sent together to a Redis Cluster: by node at once, or as one transaction of a node.

The client of each is `app.redis_cluster.Cluster`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio.cluster import (
    ClusterNode,
    ClusterPipeline,
    PipelineCommand,
    PipelineStrategy,
    TransactionStrategy,
)
from redis.exceptions import AskError, ClusterDownError, SlotNotCoveredError, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError


class Pipeline(ClusterPipeline):
    """A pipeline with `mget`: a transaction reads the values it depends on in one command."""

    def mget(self, keys: Any, *args: Any) -> Any:
        return self.execute_command("MGET", *keys, *args)

    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        try:
            return await super().execute(raise_on_error, allow_redirections)
        except SlotNotCoveredError as error:
            raise ClusterDownError(str(error)) from error


class Together(PipelineStrategy):
    """Commands sent to each node at once, to all nodes at the same time.

    When a node is lost, redis-py closes its connections to all of them, and waits.
    """

    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        client: Any = self._pipe.cluster_client
        try:
            await client.initialize()
            parts: dict[ClusterNode, list[PipelineCommand]] = {}
            for command in self._command_queue:
                command.kwargs.pop("target_nodes", None)
                parts.setdefault(client.node_of(*command.args), []).append(command)
            await asyncio.gather(*(self._send(client, node, part) for node, part in parts.items()))
            return [await self._answer(client, command, raise_on_error) for command in self._command_queue]
        finally:
            await self.reset()  # type: ignore[no-untyped-call]

    async def _send(self, client: Any, node: ClusterNode, part: list[PipelineCommand]) -> None:
        """Send a node its commands and note their results; once more if idle connections were dead."""
        for _ in range(2):
            try:
                await node.execute_pipeline(part)
            except RedisConnectionError as error:
                for command in part:
                    command.result = error
            if not any(isinstance(command.result, RedisConnectionError) for command in part):
                return
            for connection in node._free:
                connection.mark_for_reconnect()  # type: ignore[no-untyped-call]
        client.lose(node)

    async def _answer(self, client: Any, command: PipelineCommand, raise_on_error: bool) -> Any:
        if isinstance(command.result, (AskError, TryAgainError)):  # MovedError is an AskError
            command.result = await client.execute_command(*command.args, **command.kwargs)
        if raise_on_error and isinstance(command.result, Exception):
            raise command.result
        return command.result


class Transaction(TransactionStrategy):
    """A transaction that computes the slots of its commands in the caller's thread.

    redis-py starts a thread with an event loop of its own for each command, only to find its slot.
    """

    def execute_command(self, *args: Any, **options: Any) -> Any:
        client: Any = self._pipe.cluster_client
        if args[0] not in self.NO_SLOTS_COMMANDS:
            self._pipeline_slots.add(client.slot_of(*args))
        if args[0] == "WATCH":
            self._validate_watch()  # type: ignore[no-untyped-call]
        elif self._explicit_transaction or not self._watching:
            return super(TransactionStrategy, self).execute_command(*args, **options)
        return self._immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]
