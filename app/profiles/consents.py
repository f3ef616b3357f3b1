"""What a person's word about consent sets off: a line in the ledger, and what they took back goes.

Each reaction can be repeated, so that a crash in the middle is finished by the next attempt. What was
sent elsewhere of the customer's segments, or waits to be, is taken back by `app.outbound`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from app.connections import Connections
from app.consent.barred import bar_checkouts
from app.consent.digests import open_digests
from app.consent.entries import Entry
from app.consent.ledger import append, histories
from app.consent.told import told_key, unpack
from app.consent.withdrawal import bar_late_events, forget_visit, unname_customer, whole_visit
from app.events.kinds import BrowserEvent, ConsentTold, DecisionMade
from app.profiles.consent_events import names_of
from app.profiles.store import forget, forget_shown, refresh_customers
from app.values import ShopDomain

_PROFILE = {"preferences", "marketing"}


async def record_consent(connections: Connections, event: ConsentTold) -> None:
    """Append to the ledger what is new of each name, and keep what stands where decide reads it."""
    digests = await open_digests(connections)
    event_id = digests.of(event.shop, "event", event.event_id)  # it names a decision, and what came of that
    subjects = names_of(event).subjects(digests, event.shop)
    entries = [_entry(event, event_id, kind, subject) for kind, subject in subjects.items()]
    await append(connections, event.shop, entries)


async def follow_consent(connections: Connections, event: ConsentTold) -> None:
    """Let go of what was taken back. What is allowed again is taken up by the profile that follows."""
    if "analytics" in event.withdrawn:
        await _forget_visit(connections, event)
    if event.customer_id is None or not event.withdrawn:
        return
    if _PROFILE & set(event.withdrawn):
        await _unname(connections, event, event.customer_id)
    await refresh_customers(connections, event.shop, [event.customer_id])


async def unname_if_late(connections: Connections, event: DecisionMade | BrowserEvent) -> None:
    """Take the customer's name from an event that was on its way when they withdrew their consent.

    Called once the event is written down: checked earlier, a withdrawal could come between check and write.
    """
    if event.customer_id is not None and await _has_refused_since(connections, event, event.customer_id):
        await _unname(connections, event, event.customer_id)


async def unname_late(connections: Connections, events: Sequence[DecisionMade | BrowserEvent]) -> None:
    """Take customers' names from those of the events that were on their way when they withdrew."""
    for event in events:
        await unname_if_late(connections, event)


async def _has_refused_since(
    connections: Connections, event: DecisionMade | BrowserEvent, customer_id: int
) -> bool:
    """Return whether the customer refused after the event. The ledger is asked only of who refuses now."""
    subject = (await open_digests(connections)).of(event.shop, "customer", customer_id)
    held: Any = await connections.redis.get(told_key(event.shop, subject))
    stands = unpack(held)
    if stands is None or not _refuses(msgspec.structs.asdict(stands)):
        return False
    said = (await histories(connections, event.shop, [subject])).get(subject, [])
    return any(_refuses(one.told) and one.told_at >= event.happened_at for one in said)


def _refuses(words: Mapping[str, Any]) -> bool:
    return any(words.get(name) is False for name in _PROFILE)


async def _unname(
    connections: Connections, event: ConsentTold | DecisionMade | BrowserEvent, customer_id: int
) -> None:
    await unname_customer(connections, event.shop, customer_id)
    await forget_shown(connections, event.shop, customer_id, event.checkout_token)


async def _forget_visit(connections: Connections, event: ConsentTold) -> None:
    """Erase the visit under all its names, from everywhere; what comes late is not kept either."""
    shop = ShopDomain(event.shop)
    visit = await whole_visit(connections, shop, event.client_id, event.checkout_token)
    digests = await open_digests(connections)
    subjects = [digests.of(shop, "client", each) for each in visit.clients]
    subjects += [digests.of(shop, "checkout", each) for each in visit.checkouts]
    before = event.happened_at - timedelta(microseconds=1)  # this very word is kept
    await bar_late_events(connections, shop, subjects, before)
    await bar_checkouts(connections, shop, subjects, before)
    await forget_visit(connections, shop, visit)
    for client_id in visit.clients:
        await forget(connections, shop, client_id=client_id)
    await forget(connections, shop, checkout_tokens=visit.checkouts)


def _entry(event: ConsentTold, event_id: str, kind: str, subject: str) -> Entry:
    return Entry(
        subject=subject,
        subject_kind=kind,
        event_id=event_id,
        told_at=event.happened_at,
        source=event.source,
        told=event.answers,
        permitted=event.permitted,
        region=event.region,
        policy_version=event.policy_version,
        withdraws=bool(event.withdrawn),
    )
