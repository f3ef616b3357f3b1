"""Events handed to everything that reacts to them: at least once, and never lost.

What fails is tried again and then buried with its reason. An outage is nobody's fault: it stops
the loop, counts against no event, and the loop is started again once the database answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from graphlib import TopologicalSorter
from time import monotonic
from typing import Any

import msgspec
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.connections import Connections
from app.events.broker_consumer import Consumer, open_consumer
from app.events.erased import REQUESTS, as_kept
from app.events.kinds import (
    OFFER_DISMISSED,
    AnyEvent,
    BrowserEvent,
    ConsentTold,
    CustomerDeleted,
    MarketingConsentChanged,
    OrderDeleted,
    RefundCreated,
)
from app.events.log import RESTS_MS, Delivery
from app.events.store import record_events
from app.failures import reason_of
from app.shops.active import note_active
from app.tracing import span

Handler = Callable[[Connections, Any], Awaitable[object]]
Handlers = Mapping[type[Any], Sequence[Handler]]
Read = tuple[Delivery, AnyEvent]


@dataclass(frozen=True, slots=True)
class Together:
    """A handler of many events at once: of all in hand, after the handlers that stand before it.

    Those that stand after it wait for it, so that an event's handlers keep their order.

    For what follows from the database, whichever events brought it about: it is worked out anew once for all.
    And for what is written down in one transaction as well as in many.
    """

    handle: Callable[[Connections, Sequence[Any]], Awaitable[object]]

    async def __call__(self, connections: Connections, event: AnyEvent) -> None:
        """Handle one event by itself."""
        await self.handle(connections, [event])


# Not SQLAlchemy's InterfaceError: a statement with more arguments than a driver takes, whenever it is sent.
OUTAGES = (RedisError, OperationalError, OSError, TimeoutError)
MAX_DELIVERIES = 5
# Beyond this, whoever took the event died of it.
MAX_DEATHS = 20
_ABOUT_THE_WRITTEN = (CustomerDeleted, MarketingConsentChanged, OrderDeleted, RefundCreated)
ALONE_AFTER = 2  # deliveries; whoever takes such an event is done with it before the next
_RECLAIM_EVERY_S = 5.0
_KEEP_EVERY_S = RESTS_MS / 3_000
_LOST_AFTER_S = RESTS_MS * 0.9 / 1_000  # somewhat before others are given them
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

    A request is put down with all that comes after it, which is taken up again once it is done.
    """
    async with _held(consumer, deliveries):
        parts, at_rest = list(_parts(await _readable(consumer, deliveries))), False
        for at, part in enumerate(parts):
            ours = part
            if isinstance(part[0][1], REQUESTS):
                await consumer.put_down([delivery for each in parts[at:] for delivery, _ in each])
                at_rest = True
            elif at_rest:
                ours = await _taken_up(consumer, part)
            if ours:
                await _work_off(connections, consumer, handlers, ours)


async def _taken_up(consumer: Consumer, part: Sequence[Read]) -> Sequence[Read]:
    """Return what nobody else was given meanwhile, and what the request did not take out of the log."""
    ours = await consumer.take_up([delivery for delivery, _ in part])
    return [each for each in part if each[0].entry_id in ours]


@asynccontextmanager
async def _held(consumer: Consumer, deliveries: Sequence[Delivery]) -> AsyncIterator[None]:
    """Keep the deliveries in hand, however long they take: whoever erases somebody waits for them.

    Raises TimeoutError, an outage, when they could not be kept, as after a pause of the process: somebody may
    have been erased meanwhile.
    """
    async with asyncio.timeout(_LOST_AFTER_S) as held:
        keeper = asyncio.create_task(_keep(consumer, deliveries, held)) if deliveries else None
        try:
            yield
        finally:
            if keeper:
                keeper.cancel()


async def _keep(consumer: Consumer, deliveries: Sequence[Delivery], held: asyncio.Timeout) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_KEEP_EVERY_S)
        with suppress(*OUTAGES):
            asked_at = loop.time()
            await consumer.keep(deliveries)
            if not held.expired():
                held.reschedule(asked_at + _LOST_AFTER_S)


async def _work_off(
    connections: Connections, consumer: Consumer, handlers: Handlers, part: Sequence[Read]
) -> None:
    kept = await as_kept(connections, [event for _, event in part])
    read = [(delivery, event) for (delivery, _), event in zip(part, kept, strict=True) if event is not None]
    done = [delivery for (delivery, _), event in zip(part, kept, strict=True) if event is None]
    # A request to erase is not the shop's doing, and may be of a shop that is gone.
    await note_active(connections.redis, {each.shop for _, each in read if not isinstance(each, REQUESTS)})
    recorded = await _record_together(connections, [event for _, event in read])
    waiting: list[Read] = []
    try:
        for delivery, event in read:
            if _looks_back(event):
                done += await _react_later(connections, consumer, handlers, waiting)
                waiting = []
            at_once, later = _divided(handlers.get(type(event), ()))
            if not await _react(connections, consumer, at_once, (delivery, event), recorded=recorded):
                continue
            if later:
                waiting.append((delivery, event))
            else:
                done.append(delivery)
        done += await _react_later(connections, consumer, handlers, waiting)
        handled = {delivery.entry_id for delivery in done}
        await consumer.put_down([each for each, _ in part if each.entry_id not in handled])
    finally:
        await consumer.acknowledge(done)


def _parts(read: Sequence[Read]) -> Iterator[Sequence[Read]]:
    """Yield the events in parts, each acknowledged before the next one is begun. Pure.

    A request to erase is one by itself, as is an event that was taken more than ALONE_AFTER times.
    """
    begins = 0
    for at, each in enumerate(read, start=1):
        if at == len(read) or _is_alone(each) or _is_alone(read[at]):
            yield read[begins:at]
            begins = at


def _is_alone(read: Read) -> bool:
    delivery, event = read
    return isinstance(event, REQUESTS) or delivery.deliveries > ALONE_AFTER


def _looks_back(event: AnyEvent) -> bool:
    """Return whether all that came before has to be written down. Pure.

    What somebody withdraws takes that back, too; an offer that is sent away is found by its decision; what is
    told of an order or a customer besides changes what was written down of them.
    """
    if isinstance(event, _ABOUT_THE_WRITTEN):
        return True
    if isinstance(event, BrowserEvent):
        return event.name == OFFER_DISMISSED
    return isinstance(event, ConsentTold) and bool(event.withdrawn)


async def _readable(consumer: Consumer, deliveries: Sequence[Delivery]) -> list[Read]:
    """Return the deliveries with their events; bury what is no event, and an event that kills workers.

    One that kills was taken more than MAX_DEATHS times, and none of those workers came to acknowledge it. Of
    several such only the first is to blame: the others were in hand together with it.
    What we can't read may be an event of a later version, whose workers are being started: it is left to them
    for as often as an event is tried.
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
                await consumer.put_down([delivery])
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
    connections: Connections, consumer: Consumer, handlers: Sequence[Handler], read: Read, *, recorded: bool
) -> bool:
    """Return whether all the handlers have handled the event. Raises on an outage."""
    delivery, event = read
    try:
        if not recorded:
            await record_events(connections, [event])
        with span(f"event {type(event).__name__}", shop=event.shop):
            for handler in handlers:
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


def _divided(of_event: Sequence[Handler]) -> tuple[Sequence[Handler], Sequence[Handler]]:
    """Return the handlers before the first of many events, and those from it on. Pure."""
    first = next((at for at, each in enumerate(of_event) if isinstance(each, Together)), len(of_event))
    return of_event[:first], of_event[first:]


def _in_turn(handlers: Handlers) -> list[Handler]:
    """Return the handlers that wait for all in hand, each after those that stand before it. Pure."""
    turns = TopologicalSorter[Handler]()
    for of_event in handlers.values():
        _, later = _divided(of_event)
        for at, handler in enumerate(later):
            turns.add(handler, *later[:at])
    return list(turns.static_order())


async def _react_later(
    connections: Connections, consumer: Consumer, handlers: Handlers, waiting: Sequence[Read]
) -> list[Delivery]:
    """Return the deliveries that were handled by the first handler of many events and all after it."""
    by_handler: dict[Handler, list[Read]] = {handler: [] for handler in _in_turn(handlers)}
    for each in waiting:
        _, later = _divided(handlers[type(each[1])])
        for handler in later:
            by_handler[handler].append(each)
    failed: set[str] = set()
    for handler, given in by_handler.items():
        theirs = [each for each in given if each[0].entry_id not in failed]
        if isinstance(handler, Together) and await _handled_together(connections, handler, theirs):
            continue
        for each in theirs:
            if not await _react(connections, consumer, [handler], each, recorded=True):
                failed.add(each[0].entry_id)
    return [delivery for delivery, _ in waiting if delivery.entry_id not in failed]


async def _handled_together(connections: Connections, handler: Together, events: Sequence[Read]) -> bool:
    """Return whether all of them were handled at once; if not, each is tried alone. Raises on an outage."""
    if not events:
        return True
    try:
        with span(f"events {handler.handle.__name__}"):
            await handler.handle(connections, [event for _, event in events])
    except OUTAGES:
        raise
    except Exception:
        _log.warning("events could not be handled together", exc_info=True)
        return False
    return True


async def _check_database(connections: Connections) -> None:
    await connections.rows(text("SELECT 1"))
