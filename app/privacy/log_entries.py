"""A person's entries in the event log and among its dead letters, handled or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from app.connections import Connections
from app.events.erased import REQUESTS, anonymised, names_of
from app.events.kinds import (
    AnyEvent,
    CustomerDataRequested,
    CustomerRedactionRequested,
    OrderFacts,
    ShopRedactionRequested,
)
from app.events.log import DEAD, STREAM, EventLog
from app.privacy.person import Person

STREAMS = {"event log": STREAM, "dead letters": DEAD}


async def read_entries(connections: Connections, person: Person, stream: str) -> list[dict[str, Any]]:
    """Return the person's entries of a stream, readable."""
    return [
        {"entry": entry.entry_id, "event": msgspec.to_builtins(event)}
        async for entry, event in _theirs(connections, person, stream)
        if not isinstance(event, REQUESTS)
    ]


async def erase_entries(
    connections: Connections, person: Person, stream: str, keep_request: Callable[[Any], Awaitable[object]]
) -> None:
    """Replace the person's entries with what is left for the merchant to count, if anything.

    A request of theirs that waits its turn is handed to keep_request before its entry goes.
    """
    log = EventLog(connections.redis)
    async for entry, event in _theirs(connections, person, stream):
        if isinstance(event, REQUESTS):
            await keep_request(event)
            await log.replace(stream, entry, None)
        else:
            await log.replace(stream, entry, anonymised(event))


def is_about(event: AnyEvent, person: Person) -> bool:
    """Return whether the event leads to the person, and to nobody else. Pure."""
    if event.shop != person.shop or isinstance(event, ShopRedactionRequested):
        return False
    names = names_of(event)
    customer = names.get("customer")
    if customer is not None:
        return customer in person.customer_ids
    if isinstance(event, CustomerDataRequested | CustomerRedactionRequested):
        return event.email_digest in person.email_digests or bool({*event.order_ids} & person.order_ids)
    if isinstance(event, OrderFacts) and names and event.order_id in person.order_ids:
        return True
    known = {
        "client": person.client_ids,
        "checkout": person.checkout_tokens,
        "cart": person.cart_tokens,
        "browser": person.browsers,
    }
    return any(names.get(kind) in theirs for kind, theirs in known.items())


async def _theirs(connections: Connections, person: Person, stream: str) -> Any:
    async for entry in EventLog(connections.redis).entries(stream):
        event = entry.event()
        if event is not None and is_about(event, person):
            yield entry, event
