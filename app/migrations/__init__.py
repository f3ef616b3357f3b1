"""The database's history: one step a file, forward only."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import ConfigError
from app.migrations import locks
from app.migrations.sizes import tell_sizes
from app.postgres import open_engine
from app.unreachable import why

if sys.platform != "win32":
    import fcntl

_TURN = 7_455_101  # ours alone in the database
_ASK_AGAIN_S = 0.2
_log = logging.getLogger(__name__)


def config_of(connection: Connection) -> Config:
    """Return Alembic's view of the steps, on the connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    tables = standing(connection)
    if tables == "later":
        _log.warning("the tables are of a later version, and are left as they are")
        return
    if tables == "earlier":
        locks.bound_waits(connection)
        connection.commit()  # each step is a transaction of its own, or none
        command.upgrade(config_of(connection), "head")
    if connection.dialect.name == "sqlite":
        tell_sizes(connection)
        connection.commit()


def standing(connection: Connection) -> Literal["earlier", "current", "later"]:
    """Return of which version the tables are, beside this one; where there are none, of an earlier one."""
    found = MigrationContext.configure(connection).get_current_revision()
    steps = ScriptDirectory.from_config(config_of(connection))
    if found == steps.get_current_head():
        return "current"
    known = found is None or any(found == step.revision for step in steps.walk_revisions())
    return "earlier" if known else "later"


async def migrate(database_url: str) -> None:
    """Bring the database's tables to what this version expects; safe to run again.

    Tables of a later version are left alone: the version before can work with nearly all of them.
    Raises ConfigError when there is no connection to be had, the database refuses a step, or a table that one
    changes is in use: the steps before it are done, and are not begun again.
    """
    engine = open_engine(database_url)
    try:
        await _reach(engine)
        async with _turn(engine), engine.connect() as connection:
            await connection.run_sync(_upgrade)
    except DBAPIError as error:
        says = locks.in_use(error) or f"the tables can't be made or changed: {error.orig}"
        raise ConfigError(says) from error
    finally:
        await engine.dispose()


@asynccontextmanager
async def _turn(engine: AsyncEngine) -> AsyncIterator[None]:
    """Let processes that start together take turns: each step ends its transaction."""
    async with _turn_in_sqlite(engine) if engine.dialect.name == "sqlite" else _turn_in_postgresql(engine):
        yield


@asynccontextmanager
async def _turn_in_sqlite(engine: AsyncEngine) -> AsyncIterator[None]:
    """Hold a lock of the database's folder, which ends with the process and leaves no file behind."""
    if sys.platform == "win32":
        yield
        return
    folder = os.open(_folder(engine), os.O_RDONLY)
    try:
        await _lock(folder)
        yield
    finally:
        os.close(folder)


def _folder(engine: AsyncEngine) -> Path:
    """Return where SQLite keeps its file; an address may name that as a URI."""
    return Path((engine.url.database or "").removeprefix("file:")).parent


async def _lock(folder: int) -> None:
    while True:
        try:
            return fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(_ASK_AGAIN_S)


@asynccontextmanager
async def _turn_in_postgresql(engine: AsyncEngine) -> AsyncIterator[None]:
    """Hold a lock of the server's, by a connection of its own.

    What builds an index waits for all that others saw before; so who waits begins anew each time, and who has
    the turn keeps nothing in sight.
    """
    async with engine.connect() as connection:
        while not await connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _TURN}):
            await connection.rollback()
            await asyncio.sleep(_ASK_AGAIN_S)
        # With another statement the server lets go of what the last one saw; this one lets the turn last.
        await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield


async def _reach(engine: AsyncEngine) -> None:
    """Return when the database lets us in. Raises ConfigError with its words: nothing was asked of it yet."""
    try:
        if engine.url.get_backend_name() == "sqlite":
            _folder(engine).mkdir(0o700, parents=True, exist_ok=True)
        async with engine.connect():
            pass
    except (OSError, DBAPIError) as error:
        says = error.orig if isinstance(error, DBAPIError) else error
        raise ConfigError(f"no connection to the database: {str(says) or why(error)}") from error
