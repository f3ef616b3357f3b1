"""The events table: what happened, kept for as long as profiles are built from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from app.connections import Connections
from app.consent.policy import consent_of, permissions
from app.events.kinds import (
    AnyEvent,
    BrowserEvent,
    BulkOperationFinished,
    CollectionsChanged,
    ConsentTold,
    CostChanged,
    CustomerDataRequested,
    CustomerRedactionRequested,
    DecisionMade,
    InventoryChanged,
    ProductChanged,
    ProductDeleted,
    ShopRedactionRequested,
)
from app.tables import EventRow
from app.upsert import by_key, insert_new

# Decisions, consents and requests have tables of their own, and a request names nobody once it is done; of
# products, costs and stock, which changes with each sale, only the latest counts.
_NOT_KEPT = (
    ConsentTold, DecisionMade, CustomerDataRequested, CustomerRedactionRequested, ShopRedactionRequested,
    ProductChanged, ProductDeleted, InventoryChanged, CostChanged, CollectionsChanged, BulkOperationFinished,
)  # fmt: skip
_IN_COLUMNS = {"kind", "shop", "event_id", "happened_at", "name", "permitted"} | {
    "client_id",
    "checkout_token",
    "customer_id",
}
_ELSEWHERE = {"email_digest", "grant"}  # rows of their own have them, and have to be the only ones


async def record_events(connections: Connections, events: Sequence[AnyEvent]) -> None:
    """Keep the events that may be kept, in one transaction; a repeat changes nothing."""
    recorded_at = datetime.now(UTC)
    rows = [_row(event, recorded_at) for event in events if is_kept(event)]
    if rows:
        async with connections.write() as db:
            await insert_new(db, EventRow, by_key(rows, "shop", "event_id"))


def is_kept(event: AnyEvent) -> bool:
    """Return whether the event is written down: what a visitor did only with their consent."""
    if isinstance(event, BrowserEvent):
        return permissions(consent_of(event.permitted)).may_store_visitor
    return not isinstance(event, _NOT_KEPT)


def _row(event: AnyEvent, recorded_at: datetime) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(event)
    browser = isinstance(event, BrowserEvent)
    return {
        "shop": event.shop,
        "event_id": event.event_id,
        "name": facts["name"] if browser else facts["kind"],
        "happened_at": event.happened_at,
        "recorded_at": recorded_at,
        "client_id": facts.get("client_id"),
        "checkout_token": facts.get("checkout_token"),
        "customer_id": facts.get("customer_id"),
        "data": facts["data"] if browser else _rest(facts),
    }


def _rest(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in _IN_COLUMNS | _ELSEWHERE}
