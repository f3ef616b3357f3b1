"""Work that comes due with time, done by one worker of all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from app.connections import Connections, redis_key
from app.leases import let_go_if_overlong
from app.loops import rest
from app.tracing import span

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something done every so often. everywhere: by each worker for itself."""

    name: str
    every_s: int
    work: Callable[[Connections], Awaitable[object]]
    everywhere: bool = False


async def keep_schedules(
    connections: Connections, schedules: Sequence[Schedule], stop: asyncio.Event
) -> None:
    """Do each schedule's work when it is due, until stopped. One that fails or is slow holds up no other."""
    async with asyncio.TaskGroup() as kept:
        for schedule in schedules:
            kept.create_task(_keep(connections, schedule, stop))


async def _keep(connections: Connections, schedule: Schedule, stop: asyncio.Event) -> None:
    while not stop.is_set():
        due = monotonic() + schedule.every_s
        await _attempt(connections, schedule)
        await rest(stop, max(0.0, due - monotonic()))


async def _attempt(connections: Connections, schedule: Schedule) -> None:
    try:
        if schedule.everywhere or await _is_mine(connections, schedule):
            with span(f"schedule {schedule.name}"):
                await schedule.work(connections)
    except Exception:
        _log.exception("scheduled work failed", extra={"schedule": schedule.name})


async def _is_mine(connections: Connections, schedule: Schedule) -> bool:
    """Return whether no other worker has done, or is doing, this turn's work."""
    turn_ms = int(schedule.every_s * 900)  # a little less, so that no turn is skipped
    key, redis = redis_key("schedule", schedule.name), connections.redis
    while not await redis.set(key, 1, nx=True, px=turn_ms):
        if not await let_go_if_overlong(redis, key, turn_ms):
            return False
    return True
