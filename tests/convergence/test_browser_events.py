"""However often and in whatever order a browser's events arrive, a visit is what was done in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select
from starlette.applications import Starlette

from app.collect import routes
from app.connections import Connections
from app.events.consume import work_off
from app.events.log import EventConsumer
from app.profiles.keys import checkout_key, client_key
from app.tables import EventRow, ShopRow
from app.worker import HANDLERS
from tests.convergence.post import Fate
from tests.convergence.world import EXAMPLES, World, emptied

SHOP, KEY = "a.myshopify.com", "pk_" + "k" * 43
FORGED = ("", "Bearer pk_" + "x" * 43, "Bearer not.a.token")
VISITORS, CHECKOUTS = ("c-1", "c-2"), (None, "t-1", "t-2")
NAMES = ("page_viewed", "product_viewed", "product_added_to_cart", "checkout_started")

Event = Mapping[str, Any]
done = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VISITORS), st.sampled_from(CHECKOUTS)),
    min_size=1,
    max_size=10,
)
# Nothing is lost that was not answered: whoever sends it sends it again.
sent_again = st.lists(st.builds(Fate, st.integers(1, 3), st.integers(0, 8)), max_size=10)


@settings(max_examples=EXAMPLES)
@given(done, sent_again, st.lists(st.sampled_from(FORGED), max_size=3))
def test_events_sent_again_late_or_out_of_order_and_forged_ones_make_the_same_visit(
    world: World, acts: list[tuple[str, str, str | None]], fated: list[Fate], lies: list[str]
) -> None:
    clean, disturbed = asyncio.run(_both(world, acts, fated, lies))
    assert disturbed == clean


async def _both(
    world: World, acts: Sequence[tuple[str, str, str | None]], fated: Sequence[Fate], lies: Sequence[str]
) -> tuple[object, object]:
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    events = [_event(at, act, began) for at, act in enumerate(acts)]
    async with emptied(world, "clean") as connections:
        clean = await _known(connections, [[each] for each in events], ())
    async with emptied(world, "disturbed") as connections:
        return clean, await _known(connections, _batches(events, fated), lies)


def _event(at: int, act: tuple[str, str, str | None], began: datetime) -> Event:
    name, client, checkout = act
    return {
        "id": f"e-{at}", "name": name, "timestamp": (began + timedelta(seconds=at)).isoformat(),
        "client_id": client, "checkout_token": checkout, "data": {"product_id": at},
        "consent": {"analytics": True},
    }  # fmt: skip


def _batches(events: Sequence[Event], fated: Sequence[Fate]) -> list[list[Event]]:
    """Return what is sent, in order: each event as often and as late as it is fated, two at a time."""
    sent = []
    for at, event in enumerate(events):
        fate = fated[at] if at < len(fated) else Fate()
        sent += [(at + fate.late * (n + 1), at, event) for n in range(fate.copies)]
    ordered = [event for _, _, event in sorted(sent, key=lambda each: each[:2])]
    return [ordered[at : at + 2] for at in range(0, len(ordered), 2)]


async def _known(connections: Connections, batches: Sequence[Sequence[Event]], lies: Sequence[str]) -> object:
    """Return which events are kept and what the visits are, once all are worked off."""
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key=KEY, installed_at=datetime.now(UTC)))
    served = Starlette(routes=routes)
    served.state.connections = connections
    transport = httpx.ASGITransport(served)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as http:
        for at, batch in enumerate(batches):
            for proof in lies[at : at + 1]:
                lie = [{**event, "id": f"lie-{at}"} for event in batch]
                assert (await _send(http, lie, proof)).status_code in (400, 401)
            assert (await _send(http, batch, f"Bearer {KEY}")).status_code == 202
            if at % 2:
                await _work(connections)
    await _work(connections)
    return await _kept(connections), await _visits(connections)


async def _send(http: httpx.AsyncClient, events: Sequence[Event], proof: str) -> httpx.Response:
    headers = {"Authorization": proof} if proof else {}
    return await http.post("/api/track_event", json={"events": events}, headers=headers)


async def _work(connections: Connections) -> None:
    consumer = EventConsumer(connections.redis, "test")
    await consumer.open()
    while deliveries := await consumer.read(block_ms=1):
        await work_off(connections, consumer, HANDLERS, deliveries)


async def _kept(connections: Connections) -> list[tuple[Any, ...]]:
    async with connections.read() as db:
        rows = (await db.exec(select(EventRow).order_by(EventRow.event_id))).all()
    return [(row.event_id, row.name, row.happened_at, row.client_id, row.checkout_token) for row in rows]


async def _visits(connections: Connections) -> list[Any]:
    keys = [*(client_key(SHOP, each) for each in VISITORS)]
    keys += [checkout_key(SHOP, token) for token in CHECKOUTS if token]
    return [await connections.redis.get(key) for key in keys]
