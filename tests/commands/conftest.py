"""The command line on a database and a Redis of its own."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner, Result

from app.cli import cli
from app.config import Settings
from app.connections import Connections, connect
from tests.conftest import ENVIRONMENT

Prepare = Callable[[Connections], Awaitable[object]]


class Terminal:
    """`tillwise` as an operator types it, and a way to set the stage first."""

    def __init__(self, settings: Settings, redis_url: str, migrated: Path) -> None:
        self._settings = replace(settings, redis_url=redis_url)
        self._redis_url = redis_url
        self._migrated = migrated

    def prepare(self, work: Prepare) -> None:
        """Do the work on open connections."""

        async def run() -> None:
            async with connect(self._settings, self._redis_url) as connections:
                await work(connections)

        asyncio.run(run())

    def empty(self) -> None:
        """Begin with the newest tables and nothing in them."""
        self._settings.data_dir.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._migrated, make_url(self._settings.database_url).database or "")
        self.prepare(lambda connections: connections.redis.flushall())

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
def terminal(settings: Settings, redis_url: str, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    variables = ENVIRONMENT | {"TILLWISE_DATA_DIR": str(settings.data_dir), "REDIS_URL": redis_url}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    opened = Terminal(settings, redis_url, migrated)
    opened.empty()
    return opened
