"""Events handed to everything that reacts to them: at least once, and never lost.

What fails is tried again and then buried with its reason. An outage is nobody's fault: it stops
the loop, counts against no event, and the loop is started again once the database answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

import msgspec
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.connections import Connections
from app.events.broker_consumer import Consumer, open_consumer
from app.events.erased import REQUESTS, as_kept
from app.events.kinds import AnyEvent
from app.events.log import Delivery
from app.events.store import record_events
from app.failures import reason_of
from app.shops.active import note_active
from app.tracing import span

Handler = Callable[[Connections, Any], Awaitable[object]]
Handlers = Mapping[type[Any], Sequence[Handler]]
Read = tuple[Delivery, AnyEvent]

# Not SQLAlchemy's InterfaceError: a statement with more arguments than a driver takes, whenever it is sent.
OUTAGES = (RedisError, OperationalError, OSError, TimeoutError)
MAX_DELIVERIES = 5
# Beyond this, whoever took the event died of it.
MAX_DEATHS = 20
ALONE_AFTER = 2  # deliveries; whoever takes such an event is done with it before the next
_RECLAIM_EVERY_S = 5.0
_log = logging.getLogger(__name__)


async def consume(connections: Connections, handlers: Handlers, stop: asyncio.Event) -> None:
    """Hand out events until stopped. Raises when the database, Redis or a broker behind it is down."""
    await _check_database(connections)
    async with open_consumer(connections) as consumer:
        await consumer.open()
        await _hand_out(connections, consumer, handlers, stop)


async def _hand_out(
    connections: Connections, consumer: Consumer, handlers: Handlers, stop: asyncio.Event
) -> None:
    while inherited := await consumer.inherit():
        await work_off(connections, consumer, handlers, inherited)
    reclaim_at = monotonic()
    while not stop.is_set():
        await work_off(connections, consumer, handlers, await consumer.read())
        if monotonic() >= reclaim_at:
            await work_off(connections, consumer, handlers, await consumer.reclaim())
            reclaim_at = monotonic() + _RECLAIM_EVERY_S


async def work_off(
    connections: Connections,
    consumer: Consumer,
    handlers: Handlers,
    deliveries: Sequence[Delivery],
) -> None:
    """Record the events, react to each in order, and acknowledge what was done.

    What comes after a request to erase is read again once that is done.
    """
    for part in _parts(await _readable(consumer, deliveries)):
        await _work_off(connections, consumer, handlers, part)


async def _work_off(
    connections: Connections, consumer: Consumer, handlers: Handlers, part: Sequence[Read]
) -> None:
    kept = await as_kept(connections, [event for _, event in part])
    read = [(delivery, event) for (delivery, _), event in zip(part, kept, strict=True) if event is not None]
    done = [delivery for (delivery, _), event in zip(part, kept, strict=True) if event is None]
    # A request to erase is not the shop's doing, and may be of a shop that is gone.
    await note_active(connections.redis, {each.shop for _, each in read if not isinstance(each, REQUESTS)})
    together = await _record_together(connections, [event for _, event in read])
    try:
        for delivery, event in read:
            if await _react(connections, consumer, handlers, delivery, event, recorded=together):
                done.append(delivery)
    finally:
        await consumer.acknowledge(done)


def _parts(read: Sequence[Read]) -> Iterator[Sequence[Read]]:
    """Yield the events in parts, each acknowledged before the next one is begun. Pure.

    A part ends with a request to erase; an event that was taken more than ALONE_AFTER times is one by itself.
    """
    begins = 0
    for at, (delivery, event) in enumerate(read, start=1):
        last = at == len(read) or isinstance(event, REQUESTS)
        if last or max(delivery.deliveries, read[at][0].deliveries) > ALONE_AFTER:
            yield read[begins:at]
            begins = at


async def _readable(consumer: Consumer, deliveries: Sequence[Delivery]) -> list[Read]:
    """Return the deliveries with their events; bury what is no event, and an event that kills workers.

    What is none of our events may be one of a later version's, whose workers are being started: it is left to
    them for as often as an event is tried.
    It was taken more than MAX_DEATHS times, and none of those workers came to acknowledge it. Of several such
    only the first is to blame: the others were in hand together with it.
    """
    read: list[Read] = []
    deadly = next((each for each in deliveries if each.deliveries > MAX_DEATHS), None)
    for delivery in deliveries:
        if delivery is deadly:
            await consumer.bury(delivery, "no attempt came to an end")
            continue
        try:
            read.append((delivery, delivery.event()))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if isinstance(error, msgspec.ValidationError) and delivery.deliveries < MAX_DELIVERIES:
                continue
            await consumer.bury(delivery, f"not an event: {reason_of(error)}")
    return read


async def _record_together(connections: Connections, events: Sequence[AnyEvent]) -> bool:
    """Return whether all went into the events table at once; if not, each is tried alone."""
    try:
        await record_events(connections, events)
    except OUTAGES:
        raise
    except Exception:
        return False
    return True


async def _react(
    connections: Connections,
    consumer: Consumer,
    handlers: Handlers,
    delivery: Delivery,
    event: AnyEvent,
    *,
    recorded: bool,
) -> bool:
    """Return whether everything that reacts to the event has. Raises on an outage."""
    try:
        if not recorded:
            await record_events(connections, [event])
        with span(f"event {type(event).__name__}", shop=event.shop):
            for handler in handlers.get(type(event), ()):
                await handler(connections, event)
    except OUTAGES:
        raise
    except Exception as error:
        facts = {"kind": type(event).__name__, "shop": event.shop, "deliveries": delivery.deliveries}
        _log.exception("an event could not be handled", extra=facts)
        if delivery.deliveries >= MAX_DELIVERIES:
            await consumer.bury(delivery, reason_of(error))
        return False
    return True


async def _check_database(connections: Connections) -> None:
    async with connections.read() as db:
        await (await db.connection()).execute(text("SELECT 1"))
