"""What shoppers did of late, read for many at once as for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.connections import Connections
from app.profiles import behaviour_store
from app.profiles.behaviour_store import seen_of_browsers, seen_of_customers
from app.tables import EventRow

SHOP = "harvest-lane.myshopify.com"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


async def look(connections: Connections, who: int, pages: int, days_ago: int, *, named: bool) -> None:
    """Let a customer, or a browser that names none, look at so many pages in as many minutes."""
    async with connections.write() as db:
        for page in range(pages):
            at = NOW - timedelta(days=days_ago) + timedelta(minutes=page)
            row = EventRow(shop=SHOP, event_id=f"browser:{who}-{page}", name="page_viewed", happened_at=at)
            row.recorded_at, row.client_id, row.customer_id = at, f"client-{who}", who if named else None
            db.add(row)


async def test_who_looks_at_a_lot_takes_nothing_from_others(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behaviour_store, "_EVENTS_READ", 4)
    for named, who in ((True, 1), (False, 3)):
        await look(connections, who, 6, days_ago=1, named=named)
        await look(connections, who + 1, 3, days_ago=2, named=named)
    since = NOW - timedelta(days=90)
    async with connections.read() as db:
        many = await seen_of_customers(db, SHOP, [1, 2], since)
        one = await seen_of_customers(db, SHOP, [2], since)
        browsers = await seen_of_browsers(db, SHOP, since)
    assert {who: len(seen) for who, seen in many.items()} == {1: 4, 2: 3}
    assert many[2] == one[2]
    latest = {event.event_id for event in many[1]}
    assert latest == {f"browser:1-{page}" for page in (2, 3, 4, 5)}
    assert sorted(map(len, browsers)) == [3, 4]
