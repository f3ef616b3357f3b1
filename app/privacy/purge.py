"""What was deleted taken out of the files that databases keep beside their data, as far as we may."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from redis.exceptions import ResponseError

from app.connections import Connections

_PATIENCE_MS = 500  # others can't write meanwhile


async def purge(connections: Connections) -> None:
    """Let SQLite write its log back and Redis its append-only file anew: both still hold the past.

    PostgreSQL reclaims on its own (autovacuum). A managed Redis may not let us; it does so by itself.
    """
    await empty_wal(connections)
    with suppress(ResponseError):
        await connections.redis.bgrewriteaof()


async def empty_wal(connections: Connections) -> None:
    """Let SQLite write its log back and empty it. Where somebody reads from it for long it stays for now."""
    if connections.engine.dialect.name != "sqlite":
        return
    async with connections.engine.connect() as connection:
        sqlite: Any = (await connection.get_raw_connection()).driver_connection
        (usual_ms,) = await (await sqlite.execute("PRAGMA busy_timeout")).fetchone()
        await sqlite.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
        try:
            await sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            await sqlite.execute(f"PRAGMA busy_timeout={usual_ms}")
