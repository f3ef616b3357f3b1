"""A way over TCP to a server, on which everything can get lost without a word."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Way:
    """What goes to and fro, while it does: one that is silent takes connections, and carries nothing.

    target: the server's path of a unix socket, or its port on this machine.
    """

    def __init__(self, target: str | int, listener: socket.socket) -> None:
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._listener = listener
        self.port = int(listener.getsockname()[1])

    def silence(self) -> None:
        """Carry nothing from now on, and tell nobody."""
        self._open.clear()

    def heal(self, *, forgetting: bool = False) -> None:
        """Carry again. forgetting: connections made so far stay silent, as of a machine that vanished."""
        if forgetting:
            self._open = asyncio.Event()
        self._open.set()

    async def take(self) -> None:
        """Take connections until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                near, _ = await loop.sock_accept(self._listener)
                task = asyncio.create_task(self._carry(near, self._open))
                self._carrying.add(task)
                task.add_done_callback(self._carrying.discard)
        finally:
            self._listener.close()
            for task in self._carrying:
                task.cancel()
            await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _carry(self, near: socket.socket, is_open: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection(sock=near)
        try:
            await is_open.wait()
            with suppress(OSError):
                far_reader, far_writer = await self._reach()
                try:
                    await asyncio.gather(
                        _copy(reader, far_writer, is_open), _copy(far_reader, writer, is_open)
                    )
                finally:
                    far_writer.transport.abort()
        finally:
            writer.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, str):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection("127.0.0.1", self._target)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_open: asyncio.Event) -> None:
    """Copy what comes, and that it ended, as long as anything is carried."""
    while part := await reader.read(65_536):
        await is_open.wait()
        writer.write(part)
        await writer.drain()
    await is_open.wait()
    writer.close()


@asynccontextmanager
async def way_to(target: str | int, listener: socket.socket | None = None) -> AsyncIterator[Way]:
    """Yield a way to the server. listener: where it begins, else at a port of this machine."""
    begin = listener or socket.create_server(("127.0.0.1", 0))
    begin.setblocking(False)
    way = Way(target, begin)
    taking = asyncio.create_task(way.take())
    try:
        yield way
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
