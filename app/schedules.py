"""Work that comes due with time, done by one worker of all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from sqlalchemy import func, select

from app.connections import Connections, redis_key
from app.jobs import request_job
from app.loops import rest
from app.shops.store import installed_shops
from app.tables import ModelRow, OrderRow
from app.upsert import table_of

RETRAIN_AFTER = timedelta(days=1)
_LOOK_EVERY_S = 1.0
_MODELS, _ORDERS = table_of(ModelRow), table_of(OrderRow)
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
    """Do each schedule's work when it is due, until stopped. One that fails holds up no other."""
    due = {schedule.name: monotonic() for schedule in schedules}
    while not stop.is_set():
        for schedule in schedules:
            if monotonic() >= due[schedule.name]:
                due[schedule.name] = monotonic() + schedule.every_s
                await _attempt(connections, schedule)
        await rest(stop, _LOOK_EVERY_S)


async def _attempt(connections: Connections, schedule: Schedule) -> None:
    try:
        if schedule.everywhere or await _is_mine(connections, schedule):
            await schedule.work(connections)
    except Exception:
        _log.exception("scheduled work failed", extra={"schedule": schedule.name})


async def _is_mine(connections: Connections, schedule: Schedule) -> bool:
    """Return whether no other worker has done, or is doing, this turn's work."""
    turn_ms = int(schedule.every_s * 900)  # a little less, so that no turn is skipped
    key = redis_key("schedule", schedule.name)
    return bool(await connections.redis.set(key, 1, nx=True, px=turn_ms))


async def request_due_training(connections: Connections) -> None:
    """Ask for a training of every shop with orders that its day-old model has not seen."""
    for shop in await installed_shops(connections):
        if await _training_is_due(connections, shop.shop, datetime.now(UTC)):
            await request_job(connections, "train", shop.shop)


async def _training_is_due(connections: Connections, shop: str, now: datetime) -> bool:
    trained = select(func.max(_MODELS.c.trained_at)).where(_MODELS.c.shop == shop)
    ordered = select(func.max(_ORDERS.c.created_at)).where(_ORDERS.c.shop == shop)
    async with connections.read() as db:
        connection = await db.connection()
        trained_at = await connection.scalar(trained)
        ordered_at = await connection.scalar(ordered)
    if trained_at is None or ordered_at is None:
        return False  # the import asks for the first training
    return bool(trained_at < now - RETRAIN_AFTER and ordered_at > trained_at)
