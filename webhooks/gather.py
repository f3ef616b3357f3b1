"""Deliveries that arrive together, written down together: one commit for all, then all are answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError

from app.connections import Connections
from app.tables import InboxRow
from app.upsert import insert_new

WAKE_CHANNEL = "tw:inbox"
_MOST_AT_ONCE = 500
_MOST_WAITING = 5_000
_log = logging.getLogger(__name__)

Row = Mapping[str, Any]


class InboxFull(Exception):
    """More deliveries wait for the database than we hold in memory."""


class Gather:
    """The way into the inbox. While one commit runs, the next one's rows collect."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def store(self, row: Row) -> None:
        """Return once the row is durably stored, or was before. Raises what the database raised."""
        if len(self._waiting) >= _MOST_WAITING:
            raise InboxFull
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, stored))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting())
        await stored

    async def close(self) -> None:
        """Return when nothing waits any more."""
        if self._writer is not None:
            await self._writer

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch = self._waiting[:_MOST_AT_ONCE]
            del self._waiting[:_MOST_AT_ONCE]
            failure = await self._write([row for row, _ in batch])
            for _, stored in batch:
                if stored.done():
                    continue  # its sender hung up
                if failure is None:
                    stored.set_result(None)
                else:
                    stored.set_exception(failure)
            if failure is None:
                await self._wake_worker()

    async def _write(self, rows: list[Row]) -> Exception | None:
        try:
            async with self._connections.write() as db:
                await insert_new(db, InboxRow, rows)
        except Exception as error:
            return error
        return None

    async def _wake_worker(self) -> None:
        """Tell the worker. It looks by itself every second, so a failure only costs that."""
        try:
            await self._connections.redis.publish(WAKE_CHANNEL, b"")
        except (RedisError, OSError):
            _log.warning("the worker could not be woken")
