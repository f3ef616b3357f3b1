"""Deliveries that arrive together, written down together: one commit for all, then all are answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from redis.exceptions import RedisError

from app.batching import Batcher
from app.connections import Connections
from app.tables import InboxRow
from app.upsert import insert_new

WAKE_CHANNEL = "tw:inbox"
PATIENCE_MS = 4_000  # Shopify hangs up after five seconds
_MOST_AT_ONCE = 500
_log = logging.getLogger(__name__)

Row = Mapping[str, Any]


def batched_inbox(connections: Connections) -> Batcher[Row, None]:
    """Return the way into the inbox: a call returns once its row is durably stored, or was before.

    It raises what the database raised, TimeoutError when that took too long.
    """
    waking: set[asyncio.Task[None]] = set()

    async def store(rows: list[Row]) -> Sequence[None]:
        async with connections.write() as db:
            await insert_new(db, InboxRow, rows)
        wake = asyncio.create_task(_wake_worker(connections))  # no answer waits for it
        waking.add(wake)
        wake.add_done_callback(waking.discard)
        return [None] * len(rows)

    return Batcher(store, timeout_ms=PATIENCE_MS, batch_size=_MOST_AT_ONCE)


async def _wake_worker(connections: Connections) -> None:
    """Tell the worker. It looks by itself every second, so a failure only costs that."""
    try:
        await connections.redis.publish(WAKE_CHANNEL, b"")
    except (RedisError, OSError):
        _log.warning("the worker could not be woken")
