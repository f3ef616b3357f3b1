"""A process killed at any step of what it does beside events: the next one finishes it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from app.campaigns.store import change_status, keep_campaign
from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.ledger import restore_told
from app.events.consume import work_off
from app.events.log import EventConsumer, this_consumer
from app.outbound.deliveries import queue_moves
from app.outbound.settings import WEBHOOK
from app.outbound.write_back import request_due_write_backs
from app.privacy.aged import clear_aged
from app.tables import BackfillRow, InboxRow, ShopRow
from app.values import ShopDomain
from app.worker import HANDLERS, trim_log
from devstore.schema import MODULES
from tests.campaigns.factories import a_campaign
from tests.kills.death import Act, nothing, outlived
from tests.outbound.segments import answer, move
from tests.webhooks.deliveries import SHOP, order_body
from tests.webhooks.shopfront import installed
from webhooks import backfill
from webhooks.backfill import run_backfill
from webhooks.inbox import LEASE, prune
from webhooks.work import process_due, restore_lost

CHAOS = bool(os.environ.get("CHAOS"))
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
DOMAIN = ShopDomain(SHOP)
TOLD = {
    "orders/create": order_body(customer={"id": 7}),
    "orders/updated": order_body(customer={"id": 8}, updated_at="2026-11-01T13:00:00Z"),
    "products/update": b"not a product",
    "carts/update": b'{"id":"k","token":"k","line_items":[]}',
    "themes/update": b"{}",
}


async def deliver(connections: Connections) -> None:
    rows = [
        InboxRow(shop=SHOP, event_id=topic, topic=topic, received_at=NOW, next_attempt_at=NOW, body=body)
        for topic, body in TOLD.items()
    ]
    async with connections.write() as db:
        db.add_all(rows)


async def work(connections: Connections, now: datetime) -> None:
    await restore_lost(connections, now)
    while await process_due(connections, now):
        pass
    consumer = EventConsumer(connections.redis, this_consumer(), idle_ms=0)
    await consumer.open()
    while deliveries := await consumer.read(block_ms=1) or await consumer.reclaim():
        await work_off(connections, consumer, HANDLERS, deliveries)
    await trim_log(connections)


async def works(connections: Connections) -> None:
    await work(connections, datetime.now(UTC))


async def works_later(connections: Connections) -> None:
    await work(connections, datetime.now(UTC) + LEASE)


async def loses_the_log(connections: Connections) -> None:
    await deliver(connections)
    await process_due(connections, datetime.now(UTC))
    await connections.redis.flushall()


async def starts(connections: Connections) -> None:
    await keep_campaign(connections, DOMAIN, a_campaign("c"))
    await change_status(connections, DOMAIN, "c", "running")


async def stops(connections: Connections) -> None:
    await change_status(connections, DOMAIN, "c", "stopped", "enough")


async def moves(connections: Connections) -> None:
    webhook = {"url": "https://x.example", "secret": "s", "since": "2026-01-01T00:00:00Z"}
    async with connections.write() as db:
        row = await db.get(ShopRow, SHOP)
        assert row is not None
        row.settings = {WEBHOOK: webhook}
        db.add(row)
    await answer(connections, SHOP, 7, preferences=True, sale_of_data=True, marketing=True)
    await move(connections, SHOP, 7, "loyal")


async def hands_on(connections: Connections) -> None:
    await queue_moves(connections, datetime.now(UTC))
    await request_due_write_backs(connections)


async def clears(connections: Connections) -> None:
    await clear_aged(connections, DOMAIN)
    await prune(connections, datetime.now(UTC) + timedelta(days=40))


async def tells_again(connections: Connections) -> None:
    await restore_told(connections)


# What is asked for, what is died of, and what the next process does.
SCENES: dict[str, tuple[Act, Act, Act | None]] = {
    "deliveries": (deliver, works, works_later),
    "a lost log": (loses_the_log, works, works_later),
    "a campaign started": (nothing, starts, None),
    "a campaign stopped": (starts, stops, None),
    "a move handed on": (moves, hands_on, None),
    "what is past its limit": (deliver, clears, None),
    "answers of a Redis that lost them": (moves, tells_again, None),
}

# Of these a few steps are died before in `make test`: this one, and each 17th after it.
IN_SHORT = {"deliveries": 3, "a campaign started": 3, "a move handed on": 1}


@pytest.mark.parametrize("name", SCENES if CHAOS else IN_SHORT)
async def test_what_a_killed_process_began_the_next_one_ends(connections: Connections, name: str) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW))
    await open_digests(connections)
    begins, does, again = SCENES[name]
    first, every = (1, 1) if CHAOS else (IN_SHORT[name], 17)
    assert not await outlived(connections, begins, does, again, first=first, every=every)


@pytest.mark.skipif(
    not CHAOS or not (MODULES / "@shopify/dev-mcp").exists(), reason="for make chaos, with npm packages"
)
async def test_an_import_ends_as_it_would_have(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "_FIRST_POLL_S", 0)
    async with installed(connections) as front:

        async def imports(ours: Connections) -> None:
            await run_backfill(ours, front.installed.shop)

        async def is_done(ours: Connections) -> None:
            async with ours.read() as db:
                assert set((await db.exec(select(BackfillRow.status))).all()) == {"done"}

        await open_digests(connections)
        found = await outlived(front.connections, nothing, imports, heals=is_done)
    # Which operation of Shopify's brought it may be another.
    assert not [each for told in found.values() for each in told if "backfills" not in each]
