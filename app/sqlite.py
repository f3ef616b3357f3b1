"""SQLite in as few turns of its thread as it takes: each turn costs as much as a small statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import aiosqlite
from aiosqlite.context import contextmanager

AT_ONCE = 500  # rows that are read in the turn that runs their statement


class _Cursor(aiosqlite.Cursor):
    """Reads a statement's first rows with it, and so needs one turn where aiosqlite needs three."""

    _read: Sequence[Any] = ()
    _more = False  # rows may be left in the database

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> _Cursor:
        first = self._execute(_first_rows, self._cursor, sql, parameters or ())  # type: ignore[no-untyped-call]
        self._read = await first
        self._more = len(self._read) == AT_ONCE
        return self

    async def fetchone(self) -> Any:
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        size = size or self.arraysize
        rows, self._read = list(self._read[:size]), self._read[size:]
        if self._more and len(rows) < size:
            rows += await super().fetchmany(size - len(rows))
        return rows

    async def fetchall(self) -> list[Any]:
        rows, self._read = list(self._read), ()
        if self._more:
            rows += await super().fetchall()
            self._more = False
        return rows

    async def close(self) -> None:
        if self._more:  # else the statement is over
            await super().close()


class _Connection(aiosqlite.Connection):
    @contextmanager
    async def cursor(self) -> aiosqlite.Cursor:
        return _Cursor(self, self._conn.cursor())


async def reach(database: str, **options: Any) -> aiosqlite.Connection:
    """Return a connection to the file; the options are those of `sqlite3.connect`."""
    connection = _Connection(partial(sqlite3.connect, database, **options), iter_chunk_size=AT_ONCE)
    connection._thread.daemon = True  # whoever ends without closing it is not held
    return await connection


def _first_rows(cursor: sqlite3.Cursor, sql: str, parameters: Any) -> list[Any]:
    return cursor.execute(sql, parameters).fetchmany(AT_ONCE)
