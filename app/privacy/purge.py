"""What was deleted taken out of the files that databases keep beside their data, as far as we may."""

from __future__ import annotations

import logging
from contextlib import suppress

from redis.exceptions import ResponseError

from app.connections import Connections

_log = logging.getLogger(__name__)


async def purge(connections: Connections) -> None:
    """Let SQLite write its log back and Redis its append-only file anew: both still hold the past.

    PostgreSQL reclaims on its own (autovacuum). A managed Redis may not let us; it does so by itself.
    """
    if connections.engine.dialect.name == "sqlite":
        async with connections.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            await raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    with suppress(ResponseError):
        await connections.redis.bgrewriteaof()
