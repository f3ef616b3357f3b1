"""The command line on a database and a Redis of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.config import Settings
from app.connections import Connections, connect
from app.migrations import migrate
from tests.conftest import ENVIRONMENT

Prepare = Callable[[Connections], Awaitable[object]]


class Terminal:
    """`tillwise` as an operator types it, and a way to set the stage first."""

    def __init__(self, settings: Settings, redis_url: str) -> None:
        self._settings = replace(settings, redis_url=redis_url)
        self._redis_url = redis_url

    def prepare(self, work: Prepare) -> None:
        """Do the work on open connections."""

        async def run() -> None:
            async with connect(self._settings, self._redis_url) as connections:
                await work(connections)

        asyncio.run(run())

    def empty(self) -> None:
        """Begin with the newest tables and nothing in them."""

        async def run() -> None:
            await migrate(self._settings.database_url)
            async with connect(self._settings, self._redis_url) as connections:
                await connections.redis.flushall()

        asyncio.run(run())

    def run(self, *words: str) -> Result:
        """Return what the command printed and its exit code."""
        return CliRunner().invoke(cli, list(words))


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A command sends the process's log to its own standard error, which ends with it."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks


@pytest.fixture
def terminal(settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    variables = ENVIRONMENT | {"TILLWISE_DATA_DIR": str(settings.data_dir), "REDIS_URL": redis_url}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    opened = Terminal(settings, redis_url)
    opened.empty()
    return opened
