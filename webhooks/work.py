"""Processes the inbox: each delivery becomes an event in the log, is ignored, or is parked.

A row is marked only after its event is in the log. A crash between the two appends the event again; handlers
are idempotent. The body stays until the event is handled, so that it can be logged again if the log is lost.
Only a body with identifiers that consent keeps out of the event is deleted at once: if the log is lost, so is
that cart's notice.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic

from redis.exceptions import RedisError
from sqlalchemy import select

from app.connections import Connections
from app.errors import InputError, ShopifyUnavailable
from app.events.broker_consumer import handled_before
from app.events.kinds import AnyEvent
from app.events.log import EventLog
from app.failures import reason_of
from app.shops.sealed import opened
from app.tables import ShopRow
from app.tracing import span
from app.upsert import table_of
from webhooks.address import address_alone, with_customer
from webhooks.allowed import strip_identifiers
from webhooks.batching import WAKE_CHANNEL
from webhooks.delivery import Delivery
from webhooks.inbox import (
    LeasedDelivery,
    claim,
    empty_handled,
    mark_done,
    mark_logged,
    park,
    release,
    requeue_logged,
    retry_later,
)
from webhooks.translate import is_ours, translate

# Topics that also count for a shop that has uninstalled the app, or never opened it.
ALWAYS_HEARD = frozenset(
    {"app/uninstalled", "app/scopes_update", "customers/data_request", "customers/redact", "shop/redact"}
)
LOG_MARKER = "{tw:events}:ours"  # a key beside the log, lost with it
_POLL_S = 1.0
_CLOCKS_DIFFER = timedelta(minutes=1)
_SHOPIFY_RETRY = timedelta(minutes=2)
_SHOPS = table_of(ShopRow)
_chance = random.Random()
_log = logging.getLogger(__name__)


async def work_inbox(connections: Connections, stop: asyncio.Event) -> None:
    """Process the inbox until stopped: at once when woken, else every second."""
    async with _wake_event(connections) as wake:
        while not stop.is_set():
            wake.clear()
            await restore_lost(connections, datetime.now(UTC))
            if not await process_due(connections, datetime.now(UTC)):
                await _wait_for_either(wake, stop)


async def process_due(connections: Connections, now: datetime) -> int:
    """Process the rows that are due; return how many. Raises when the log or the database is down."""
    began = monotonic()
    deliveries = await claim(connections, now)
    if deliveries:
        with span("deliveries"):
            await _process(connections, deliveries, now, began)
    return len(deliveries)


async def _process(
    connections: Connections, deliveries: Sequence[LeasedDelivery], now: datetime, began: float
) -> None:
    currencies = await _installed(connections, {delivery.shop for delivery in deliveries})
    read: list[tuple[LeasedDelivery, AnyEvent]] = []
    for delivery in deliveries:
        event = await _read(connections, delivery, currencies, now)
        if event is not None:
            read.append((delivery, event))
    try:
        events = await strip_identifiers(connections, [event for _, event in read])
        await EventLog(connections.redis).append(events)
    except (RedisError, OSError):
        await release(connections, [delivery.id for delivery, _ in read], now)
        raise
    ids = {delivery.id for delivery, _ in read}
    unchanged = {delivery.id for (delivery, event), kept in zip(read, events, strict=True) if kept is event}
    # Asking Shopify may have taken a while: the time of logging, not of the claim, tells what was handled.
    await mark_logged(connections, unchanged, now + timedelta(seconds=monotonic() - began))
    await mark_done(connections, ids - unchanged)  # their bodies hold identifiers that the events may not


async def restore_lost(connections: Connections, now: datetime) -> None:
    """Requeue the deliveries whose events a lost event log may not have handled."""
    if await connections.redis.exists(LOG_MARKER):
        return
    count = await requeue_logged(connections, now)
    await connections.redis.set(LOG_MARKER, 1)
    if count:
        _log.error(
            "the event log came back empty: what it held is put into it again", extra={"deliveries": count}
        )


async def empty_bodies(connections: Connections) -> None:
    """Delete the bodies of events that are handled. The log's clock may differ from ours a little."""
    before = await handled_before(connections)
    if before is not None:
        await empty_handled(connections, min(before, datetime.now(UTC)) - _CLOCKS_DIFFER)


async def _read(
    connections: Connections, delivery: LeasedDelivery, currencies: Mapping[str, str], now: datetime
) -> AnyEvent | None:
    """Return the row's event; None for one that is ignored, parked or postponed."""
    facts = {"shop": delivery.shop, "topic": delivery.topic, "delivery": delivery.id}
    if note := _why_ignored(delivery, currencies):
        await mark_done(connections, [delivery.id], note)
        return None
    try:
        body = opened(connections.settings.token_encryption_keys, delivery.body)
        event = translate(body, _delivery(delivery, currencies))
        address = address_alone(delivery.topic, body)
        return event if address is None else await with_customer(connections, event, address)
    except InputError as error:
        _log.warning("a delivery is parked", extra=facts | {"reason": str(error)})
        await park(connections, delivery.id, str(error))
    except ShopifyUnavailable as error:  # an outage: retried until Shopify answers
        _log.warning("a delivery waits for Shopify", extra=facts | {"reason": str(error)})
        await release(connections, [delivery.id], now + _SHOPIFY_RETRY)
    except Exception as error:
        _log.exception("a delivery could not be translated", extra=facts)
        await retry_later(connections, delivery, reason_of(error), now, _chance)
    return None


def _why_ignored(delivery: LeasedDelivery, currencies: Mapping[str, str]) -> str:
    """Return why the row needs no work, empty when it does."""
    if not is_ours(delivery.topic):
        return f"not a topic of ours: {delivery.topic}"
    if delivery.shop not in currencies and delivery.topic not in ALWAYS_HEARD:
        return "the shop does not have the app"
    return ""


def _delivery(delivery: LeasedDelivery, currencies: Mapping[str, str]) -> Delivery:
    currency = currencies.get(delivery.shop, "USD")
    return Delivery(delivery.shop, delivery.topic, delivery.event_id, delivery.triggered_at, currency)


async def _installed(connections: Connections, shops: set[str]) -> dict[str, str]:
    """Return the currency of each of the shops that has the app."""
    query = select(_SHOPS.c.shop, _SHOPS.c.currency).where(
        _SHOPS.c.shop.in_(shops), _SHOPS.c.uninstalled_at.is_(None)
    )
    rows = await connections.rows(query)
    return {row.shop: row.currency for row in rows}


@asynccontextmanager
async def _wake_event(connections: Connections) -> AsyncIterator[asyncio.Event]:
    """Yield an event that is set whenever a delivery is stored."""
    wake = asyncio.Event()
    listener = asyncio.create_task(_listen(connections, wake))
    try:
        yield wake
    finally:
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener


async def _listen(connections: Connections, wake: asyncio.Event) -> None:
    """Set the event at each message and stay subscribed; the inbox is polled anyway."""
    while True:
        try:
            async with connections.redis.pubsub() as channel:
                await channel.subscribe(WAKE_CHANNEL)
                while True:
                    if await channel.get_message(ignore_subscribe_messages=True, timeout=_POLL_S):
                        wake.set()
        except (RedisError, OSError):
            await asyncio.sleep(_POLL_S)


async def _wait_for_either(wake: asyncio.Event, stop: asyncio.Event) -> None:
    """Return when woken, when told to stop, or after a second."""
    waits: Sequence[asyncio.Task[bool]] = [asyncio.create_task(e.wait()) for e in (wake, stop)]
    try:
        await asyncio.wait(waits, timeout=_POLL_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
