"""What is left of an event when whoever it is about is erased. Late is what began before."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.withdrawal import bar_late_events
from app.events.erased import anonymised, as_kept
from app.events.kinds import (
    AnyEvent,
    AppUninstalled,
    BrowserEvent,
    CustomerRedactionRequested,
    DecisionMade,
    OrderPlaced,
)
from app.experiments.assign import pseudonym
from tests.privacy.planted import NOW, OTTO, ROSA, SHOP, late_events

BEFORE, AFTER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


def test_only_orders_decisions_and_what_became_of_offers_are_left() -> None:
    left = [each for each in map(anonymised, late_events(ROSA)) if each is not None]
    assert [type(each).__name__ for each in left] == [
        "OrderPlaced",
        "DecisionMade",
        "BrowserEvent",
        "DecisionMade",
    ]
    packed = msgspec.msgpack.encode(left)
    assert not any(marker in packed for marker in ROSA.markers)
    shown = left[2]
    assert isinstance(shown, BrowserEvent)
    assert shown.data == {"decision_id": f"late-{ROSA.order}", "offer_id": "o"}
    assert shown.permitted == ()


async def barred(connections: Connections, kind: str, name: str | int, until: datetime) -> None:
    subject = (await open_digests(connections)).of(SHOP, kind, name)
    await bar_late_events(connections, SHOP, [subject], until)


async def test_what_began_before_is_kept_without_its_person_and_what_began_after_as_it_is(
    on_both_databases: Connections,
) -> None:
    events = late_events(ROSA)
    await barred(on_both_databases, "customer", ROSA.customer, BEFORE)
    assert await as_kept(on_both_databases, events) == events
    await barred(on_both_databases, "customer", ROSA.customer, AFTER)
    kept = await as_kept(on_both_databases, events)
    orders = [each for each in kept if isinstance(each, OrderPlaced)]
    assert [(each.customer_id, each.total_minor) for each in orders] == [(None, 900)]
    assert await as_kept(on_both_databases, late_events(OTTO)) == late_events(OTTO)


async def test_a_decision_of_the_storefront_knows_its_browser_by_another_name(
    connections: Connections,
) -> None:
    await barred(connections, "browser", pseudonym(SHOP, f"client:{ROSA.client}"), AFTER)
    (kept,) = await as_kept(connections, late_events(ROSA)[-1:])
    assert isinstance(kept, DecisionMade)
    assert (kept.inputs, kept.region) == ({}, None)


async def test_an_order_is_as_old_as_its_placing_however_late_it_changes(connections: Connections) -> None:
    order = late_events(ROSA)[2]
    await barred(connections, "customer", ROSA.customer, AFTER)
    changed = msgspec.structs.replace(order, happened_at=AFTER + timedelta(days=1))
    (kept,) = await as_kept(connections, [changed])
    assert isinstance(kept, OrderPlaced)
    assert kept.customer_id is None


async def test_a_visit_that_was_taken_back_does_not_take_the_customer_off_an_order(
    connections: Connections,
) -> None:
    await barred(connections, "checkout", ROSA.token, AFTER)
    (kept,) = await as_kept(connections, late_events(ROSA)[2:3])
    assert isinstance(kept, OrderPlaced)
    assert (kept.customer_id, kept.checkout_token) == (ROSA.customer, None)


async def test_a_request_is_heard_whomever_it_is_about(connections: Connections) -> None:
    await barred(connections, "customer", ROSA.customer, AFTER)
    request = CustomerRedactionRequested(
        shop=SHOP, event_id="r", happened_at=NOW, customer_id=ROSA.customer, order_ids=()
    )
    events: list[AnyEvent] = [request, AppUninstalled(shop=SHOP, event_id="u", happened_at=NOW)]
    assert await as_kept(connections, events) == events
