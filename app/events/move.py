"""Moves appended entries from Redis to the broker, in order; one worker of all does it (outbox relay).

It is noted first, then sent, and taken out of the stream once the broker has it on disk. Whatever dies or
fails in between, the next attempt sends it again.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Any

from redis.exceptions import LockError

from app.connections import Connections
from app.events.broker import Broker, open_broker
from app.events.broker_ledger import BrokerLedger
from app.events.log import STREAM, Delivery, EventConsumer
from app.leases import let_go_if_overlong
from app.loops import rest

_LEASE = "{tw:events}:mover"
_LEASE_MS = 45_000
_LOOK_EVERY_S = 1.0
_BATCH = 500
# What is on its way for so long may have been lost on it; a broker gives out an echo after what it follows.
_LATE = timedelta(minutes=10)
_ECHOES = 100
_log = logging.getLogger(__name__)


async def move_events(connections: Connections, stop: asyncio.Event) -> None:
    """Move events until stopped. Raises when Redis or the broker is down."""
    lease = connections.redis.lock(_LEASE, timeout=_LEASE_MS / 1_000)
    while not stop.is_set():
        await let_go_if_overlong(connections.redis, _LEASE, _LEASE_MS)
        if await lease.acquire(blocking=False):
            try:
                await _move(connections, lease, stop)
            finally:
                with suppress(LockError):  # it may have expired while this process was held up
                    await lease.release()
        await rest(stop, _LOOK_EVERY_S)


async def _move(connections: Connections, lease: Any, stop: asyncio.Event) -> None:
    moved, redis = BrokerLedger(connections.redis), connections.redis
    await EventConsumer(redis, "mover").trim()  # what was handled before there was a broker
    late_at = monotonic()
    async with open_broker(connections.settings.event_log_url or "") as broker:
        while not stop.is_set():
            await lease.reacquire()
            if monotonic() >= late_at:
                await send_echoes(moved, broker)
                late_at = monotonic() + _LATE.total_seconds() / 2
            if not await move_batch(moved, broker):
                await redis.xread({STREAM: "0"}, count=1, block=int(_LOOK_EVERY_S * 1_000))


async def move_batch(moved: BrokerLedger, broker: Broker) -> int:
    """Return how many entries were moved: the oldest that there are."""
    copies = await moved.note(_BATCH)
    if not copies:
        return 0
    refused = await broker.publish(copies)
    for copy in copies:
        if reason := refused.get(copy.entry_id):
            (body,) = await moved.opened([copy])
            await moved.bury(Delivery(copy.entry_id, body or b""), reason)
    await moved.handled([copy for copy in copies if copy.entry_id in refused])
    await moved.sent(copies)
    return len(copies)


async def send_echoes(moved: BrokerLedger, broker: Broker) -> None:
    """Send an echo after the oldest entries that were moved long ago and are not handled."""
    if echoes := await moved.late(_ECHOES, _LATE):
        _log.warning("events are with the broker for long", extra={"events": len(echoes)})
        await broker.publish(echoes)
