"""Strips late events of somebody who was erased, so that nothing of theirs is written down again.

What happened before the erasure belongs to it, however late it comes. Whoever comes back is new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import false, or_, select

from app.connections import Connections
from app.consent.digests import Digests, open_digests
from app.events.kinds import (
    AnyEvent,
    BrowserEvent,
    CustomerDataRequested,
    CustomerRedactionRequested,
    DecisionMade,
    OrderFacts,
    RefundCreated,
    ShopRedactionRequested,
)
from app.privacy_tables import ErasedRow
from app.upsert import matching, table_of

_ERASED = table_of(ErasedRow).c
# They ask for something to be done, and write down nothing themselves.
REQUESTS = (CustomerDataRequested, CustomerRedactionRequested, ShopRedactionRequested)
_OFFER = ("offer_id", "kind", "slot", "product")
_FEEDBACK = "tillwise:offer_"
_COUNTED = ("decision_id", "offer_id")


async def as_kept(connections: Connections, events: Sequence[AnyEvent]) -> list[AnyEvent | None]:
    """Return each event as it may be kept, None for one that may not: one query for all."""
    digests = await open_digests(connections)
    subjects = [_subjects(digests, event) for event in events]
    rows = sorted({(_shop_of(event, kind, who), who) for event, each in zip(events, subjects, strict=True)
                   for kind, who in each.items()})  # fmt: skip
    theirs = or_(false(), *matching((_ERASED.shop, _ERASED.subject), rows))
    query = select(_ERASED.subject, _ERASED.erased_at).where(theirs)
    found = await connections.rows(query)
    erased = {row.subject: row.erased_at for row in found}
    if not erased:
        return list(events)
    return [_kept(event, each, erased) for event, each in zip(events, subjects, strict=True)]


async def only_kept(connections: Connections, events: Sequence[AnyEvent]) -> list[Any]:
    """Return what may be kept of the events: a shop's history at Shopify goes back before an erasure."""
    return [event for event in await as_kept(connections, events) if event is not None]


def anonymised(event: AnyEvent) -> AnyEvent | None:
    """Return what is left for the merchant to count, None when that is nothing. Pure."""
    if isinstance(event, OrderFacts):
        return msgspec.structs.replace(event, customer_id=None, checkout_token=None)
    if isinstance(event, DecisionMade):
        return msgspec.structs.replace(
            event, customer_id=None, checkout_token=None, region=None, inputs={},
            answer=counted(event.answer),
        )  # fmt: skip
    if isinstance(event, BrowserEvent) and event.name.startswith(_FEEDBACK):
        return msgspec.structs.replace(
            event, client_id=None, checkout_token=None, customer_id=None, permitted=(),
            data={name: event.data[name] for name in _COUNTED if name in event.data},
        )  # fmt: skip
    return event if isinstance(event, RefundCreated) else None


def counted(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a logged answer without what it tells of its shopper: segment, intent and reasons. Pure."""
    offers = [{name: offer[name] for name in _OFFER if name in offer} for offer in answer.get("offers") or ()]
    unknown: dict[str, Any] = {"segment": None, "intent": None, "offers": offers}
    return {name: unknown.get(name, answer[name]) for name in _ANSWER if name in answer}


_ANSWER = ("decision_id", "rung", "arm", "segment", "intent", "offers", "fallback", "ttl_s")


def names_of(event: AnyEvent) -> dict[str, str | int]:
    """Return whom an event is about, by kind of name. Pure.

    In the storefront, where there is no checkout yet, a decision knows its browser by another name.
    """
    fields = {
        "customer": "customer_id",
        "client": "client_id",
        "checkout": "checkout_token",
        "cart": "cart_token",
    }
    found = {kind: getattr(event, field, None) for kind, field in fields.items()}
    names = {kind: name for kind, name in found.items() if name is not None}
    if isinstance(event, DecisionMade) and not names and event.inputs.get("unit"):
        return {"browser": event.inputs["unit"]}
    return names


def _subjects(digests: Digests, event: AnyEvent) -> dict[str, str]:
    names: dict[str, str | int] = {"shop": event.shop, **names_of(event)}
    return {kind: digests.of(event.shop, kind, name) for kind, name in names.items()}


def _shop_of(event: AnyEvent, kind: str, subject: str) -> str:
    """Return under which shop it is written down that the subject was erased: a shop only as its own hash."""
    return subject if kind == "shop" else event.shop


def _kept(event: AnyEvent, subjects: Mapping[str, str], erased: Mapping[str, datetime]) -> AnyEvent | None:
    if isinstance(event, REQUESTS):
        return event
    began = event.created_at if isinstance(event, OrderFacts) else event.happened_at
    gone = {kind for kind, subject in subjects.items() if subject in erased and began < erased[subject]}
    if "shop" in gone:
        return None
    if isinstance(event, OrderFacts) and gone == {"checkout"}:  # a visit that was taken back, not who bought
        return msgspec.structs.replace(event, checkout_token=None)
    return anonymised(event) if gone else event
