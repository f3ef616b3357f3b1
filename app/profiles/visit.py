"""What a visit did, worked out from its events: the same for any order and number of deliveries. Pure.

A browser is not a person. When another account signs in on it, what was done before belongs to the
other one: the visit begins anew there. Events come from one browser, or from one checkout.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from app.events.kinds import OFFER_DISMISSED
from app.profiles.signals import STEPS, coupon_failures, steps_back

VIEWS_KEPT = 20
PAUSE_S = 30 * 60  # a longer silence ends a visit, as analytics tools count them

LOOKED_AT = frozenset({"product_viewed", "product_added_to_cart", "tillwise:thumbnail_clicked"})
PAGE_LEFT = "tillwise:page_left"


class BrowsedEvent(NamedTuple):
    """One event of a browser. customer_id: the account that was signed in, as far as it was told."""

    event_id: str
    happened_at: datetime
    name: str
    data: dict[str, Any]
    customer_id: int | None = None


class Visit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One packed value a browser or checkout: what it did of late.

    viewed: product to epoch milliseconds, the VIEWS_KEPT latest, latest first. The counts and times
    (epoch seconds) are of the latest visit; visits: how many there were in what was looked at.
    dwell_s: from event to event, pauses left out. step: how far the checkout got, 0 to 6.
    searches_empty: searches that found nothing. coupon_failures: codes that were not taken.
    steps_back: returns to an earlier step of the checkout. sent_away: products whose offers were dismissed,
    in what was looked at.

    Fields are packed by their places, so new ones go last. shown, accepted, dismissed, field_errors,
    thumbnails, page_at, step_at, left_at and the cart's three are told no more: their places are kept for
    versions that have them.
    """

    viewed: dict[int, int] = {}
    customer_id: int | None = None
    visits: int = 0
    began_at: int = 0
    last_at: int = 0
    dwell_s: int = 0
    pages: int = 0
    products: int = 0
    searches: int = 0
    searches_empty: int = 0
    added: int = 0
    removed: int = 0
    step: int = 0
    errors: int = 0
    shown: int = 0
    accepted: int = 0
    dismissed: int = 0
    coupon_failures: int = 0
    field_errors: int = 0
    steps_back: int = 0
    exit_intents: int = 0
    thumbnails: int = 0
    page_at: int | None = None
    step_at: int | None = None
    left_at: int | None = None
    cart_currency: str | None = None
    cart_minor: int | None = None
    cart_high_minor: int | None = None
    sent_away: tuple[int, ...] = ()

    @property
    def last_viewed(self) -> tuple[int, ...]:
        """Return the products looked at, the latest first: the order they are kept in."""
        return tuple(self.viewed)


NO_VISIT = Visit()


def visit_of(events: Iterable[BrowsedEvent]) -> Visit:
    """Return what the events make, whatever order they come in and however often each comes."""
    once = sorted({event.event_id: event for event in events}.values(), key=lambda e: (e[1], e[0]))
    own = _of_one_person(once)
    if not own:
        return NO_VISIT
    visits = parted(own)
    latest = visits[-1]
    names = [event.name for event in latest]
    alerts = [event.data for event in latest if event.name == "alert_displayed"]
    return Visit(
        viewed=_viewed(own),
        customer_id=next((e.customer_id for e in reversed(own) if e.customer_id is not None), None),
        visits=len(visits),
        began_at=_seconds(latest[0]),
        last_at=_seconds(latest[-1]),
        dwell_s=_seconds(latest[-1]) - _seconds(latest[0]),
        pages=names.count("page_viewed"),
        products=len({viewed_product(e.name, e.data) for e in latest} - {None}),
        searches=names.count("search_submitted"),
        searches_empty=sum(e.name == "search_submitted" and e.data.get("count") == 0 for e in latest),
        added=names.count("product_added_to_cart"),
        removed=names.count("product_removed_from_cart"),
        step=max((STEPS.index(name) + 1 for name in names if name in STEPS), default=0),
        errors=names.count("alert_displayed"),
        exit_intents=names.count("tillwise:exit_intent"),
        coupon_failures=coupon_failures(alerts),
        steps_back=steps_back(names),
        sent_away=_sent_away(own),
    )


def viewed_product(name: str, data: dict[str, Any]) -> int | None:
    """Return the product an event looked at, None for any other event or an unreadable id."""
    return _product(data) if name in LOOKED_AT else None


def _product(data: dict[str, Any]) -> int | None:
    digits = str(data.get("product_id", "")).rpartition("/")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def _of_one_person(events: Sequence[BrowsedEvent]) -> Sequence[BrowsedEvent]:
    """Return the events since the account last changed; a sign-in takes what was done before along."""
    account, begins = None, 0
    for at, event in enumerate(events):
        if event.customer_id is None or event.customer_id == account:
            continue
        if account is not None:
            begins = at
        account = event.customer_id
    return events[begins:]


def parted(events: Sequence[BrowsedEvent]) -> list[list[BrowsedEvent]]:
    """Return the events by visit, oldest first."""
    visits = [[events[0]]]
    for event in events[1:]:
        if _seconds(event) - _seconds(visits[-1][-1]) > PAUSE_S:
            visits.append([])
        visits[-1].append(event)
    return visits


def _viewed(events: Sequence[BrowsedEvent]) -> dict[int, int]:
    viewed: dict[int, int] = {}
    for event in events:
        if (product_id := viewed_product(event.name, event.data)) is not None:
            viewed[product_id] = int(event.happened_at.timestamp() * 1000)
    return dict(sorted(viewed.items(), key=lambda item: (-item[1], item[0]))[:VIEWS_KEPT])


def _sent_away(events: Sequence[BrowsedEvent]) -> tuple[int, ...]:
    told = (_product(event.data) for event in events if event.name == OFFER_DISMISSED)
    return tuple(sorted({each for each in told if each is not None})[:VIEWS_KEPT])


def _seconds(event: BrowsedEvent) -> int:
    return int(event.happened_at.timestamp())
