"""Many rows read in parts, between which other work of the process goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

AT_ONCE = 500  # rows between two checkouts that wait


async def in_parts(
    connection: AsyncConnection, query: Select[Any], at_once: int | None = None
) -> AsyncIterator[Sequence[Any]]:
    """Yield the query's rows, at most so many at a time, by default AT_ONCE."""
    rows = await connection.stream(query.execution_options(yield_per=at_once or AT_ONCE))
    async for part in rows.partitions():
        yield part
        await asyncio.sleep(0)  # what a driver has read ahead comes without a pause
