"""A shop that left: erased with all that is held of it, unless it is back or says that it never went."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from sqlalchemy import event as database_event

from app.connections import Connections, redis_key
from app.consent.requests import Status, read_request
from app.events.kinds import ShopRedactionRequested
from app.privacy import shop as shop_erasure
from app.shops.arrival import ensure_installed
from app.shops.grants import Grant
from app.shops.store import Shop
from app.shops.tokens import access_token, sealed_row
from app.tables import EventRow, OrderRow, ShopRow
from app.upsert import CHUNK, insert_new
from app.worker import JOBS, for_known_shops
from tests.consent.issued import receipts_of
from tests.privacy.planted import OTTO, ROSA, SHOP, dump, found_in, late_events, plant
from tests.webhooks.test_compliance import NOW, all_of, redaction, told
from webhooks.compliance import finish_erasures, redact_shop

LATER = NOW + timedelta(days=2)
URL = f"https://{SHOP}/admin/api/2026-07/graphql.json"
TOKEN_URL = f"https://{SHOP}/admin/oauth/access_token"
DESCRIBED = {
    "name": "A", "currencyCode": "USD", "ianaTimezone": "Europe/Berlin",
    "taxesIncluded": False, "plan": {"partnerDevelopment": False},
}  # fmt: skip


async def keep_token(connections: Connections) -> None:
    """Keep a token that never expires."""
    async with connections.write() as db:
        db.add(sealed_row(connections, SHOP, Grant("shpat_x", frozenset(), None, None, None)))


async def leave(connections: Connections) -> None:
    """Let the shop have removed the app."""
    async with connections.write() as db:
        row = await db.get(ShopRow, SHOP)
        assert row is not None
        row.uninstalled_at = NOW
        db.add(row)


async def test_a_redacted_shop_leaves_a_receipt_without_its_name_and_nothing_else(
    on_both_databases: Connections,
) -> None:
    await plant(on_both_databases, OTTO, shop="b.myshopify.com")  # type: ignore[arg-type]
    await plant(on_both_databases, ROSA)
    await told(on_both_databases, redaction())
    await leave(on_both_databases)
    event = ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=NOW + timedelta(days=2))
    await told(on_both_databases, event)
    after = await dump(on_both_databases)
    assert _left(after) == set()
    assert found_in(after, OTTO.markers) >= {"table customers", "table inbox", "key {tw:events}:dead"}
    kinds = [each.receipt.kind for each in await receipts_of(on_both_databases, SHOP)]
    assert sorted(kinds) == ["redact", "shop_redact"]
    await told(on_both_databases, event)
    assert len(await receipts_of(on_both_databases, SHOP)) == 2
    assert _left(await dump(on_both_databases)) == set()


def _left(after: dict[str, bytes]) -> set[str]:
    """Return where the shop is still named but by jobs that wait: their worker does nothing."""
    return {place for place in found_in(after, [SHOP.encode()]) if not place.startswith("key streaq:")}


async def test_jobs_asked_for_before_their_shop_was_erased_write_nothing_of_it(
    connections: Connections,
) -> None:
    await plant(connections, ROSA)
    await leave(connections)
    await told(connections, ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=LATER))
    for job in for_known_shops(JOBS).values():
        await job(connections, SHOP)
    assert _left(await dump(connections)) == set()


async def test_the_rows_of_a_large_shop_go_a_few_hundred_in_a_transaction(connections: Connections) -> None:
    await plant(connections, ROSA)
    await leave(connections)
    facts = {"shop": SHOP, "name": "viewed", "happened_at": NOW, "recorded_at": NOW, "data": {}}
    async with connections.write() as db:
        await insert_new(db, EventRow, [facts | {"event_id": f"{number}"} for number in range(1_203)])
    gone: list[int] = []

    def note(_connection: Any, cursor: Any, statement: str, *_others: Any) -> None:
        if statement.startswith("DELETE FROM events"):
            gone.append(cursor.rowcount)

    database_event.listen(connections.engine.sync_engine, "after_cursor_execute", note)
    await told(connections, ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=NOW))
    database_event.remove(connections.engine.sync_engine, "after_cursor_execute", note)
    assert (await all_of(connections, EventRow), max(gone), sum(gone) > 1_203) == ([], CHUNK, True)


async def test_what_comes_late_of_a_redacted_shop_is_not_written_down(connections: Connections) -> None:
    await plant(connections, ROSA)
    await leave(connections)
    await told(connections, ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=NOW))
    await told(connections, *late_events(ROSA))
    assert found_in(await dump(connections), [SHOP.encode(), *ROSA.markers]) == set()


async def test_a_shop_that_came_back_is_not_erased(connections: Connections) -> None:
    await plant(connections, ROSA)
    async with connections.write() as db:
        row = await db.get(ShopRow, SHOP)
        assert row is not None
        row.installed_at = NOW + timedelta(hours=47)
        db.add(row)
    await told(
        connections, ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=NOW + timedelta(days=2))
    )
    assert len(await all_of(connections, OrderRow)) > 0
    request = await read_request(connections, SHOP, "gone")
    assert request is not None
    assert (request.status, request.receipt_id) == (Status.DONE, None)


async def test_a_shop_that_comes_back_while_it_is_erased_is_let_in_afterwards(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    coming: list[asyncio.Task[Shop]] = []

    async def comes_back(*_: Any) -> None:
        if not coming:
            coming.append(asyncio.create_task(ensure_installed(connections, SHOP, "id")))
            await asyncio.wait(coming, timeout=0.3)  # it waits for us: that it is in is not waited for

    await plant(connections, ROSA)
    await leave(connections)
    monkeypatch.setattr(shop_erasure, "STEPS", (comes_back, *shop_erasure.STEPS))
    gone = ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=LATER)
    with respx.mock:
        respx.post(TOKEN_URL).respond(json={"access_token": "shpat_1", "expires_in": 3600})
        respx.post(URL).respond(json={"data": {"shop": DESCRIBED}})
        await redact_shop(connections, gone)
        back = await coming[0]
    assert back.uninstalled_at is None
    assert await all_of(connections, OrderRow) == []
    assert await access_token(connections, SHOP) == "shpat_1"


def removal(age: timedelta = timedelta()) -> ShopRedactionRequested:
    """Return a shop's request to be erased, so old."""
    return ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=datetime.now(UTC) - age)


async def install_before(connections: Connections, event: ShopRedactionRequested) -> None:
    """Plant the shop as one that has had the app since long before the event, as far as its row knows."""
    await plant(connections, ROSA)
    await keep_token(connections)
    async with connections.write() as db:
        row = await db.get(ShopRow, SHOP)
        assert row is not None
        row.installed_at = event.happened_at - timedelta(days=3)
        db.add(row)


@pytest.mark.parametrize(
    ("answer", "erased"),
    [(httpx.Response(200, json={"data": {"shop": DESCRIBED}}), False), (httpx.Response(401), True)],
    ids=["lets us in", "does not"],
)
async def test_a_shop_whose_leaving_nobody_told_is_erased_unless_it_lets_us_in(
    connections: Connections, answer: httpx.Response, erased: bool
) -> None:
    event = removal()
    await install_before(connections, event)
    with respx.mock:
        respx.post(URL).mock(return_value=answer)
        await told(connections, event)
    assert (await all_of(connections, OrderRow) == []) is erased


# Frozen, locked, taken for an attacker, our secret is wrong, and one that nobody can read.
CANT_SAY = [
    httpx.Response(402),
    httpx.Response(423),
    httpx.Response(430),
    httpx.Response(401, json={"error": "invalid_client"}),
    httpx.Response(200, text="down for maintenance"),
]


@pytest.mark.parametrize("answer", CANT_SAY)
async def test_a_shop_that_can_not_be_asked_now_is_erased_or_not_once_it_answers(
    connections: Connections, answer: httpx.Response
) -> None:
    event = removal()
    await install_before(connections, event)
    with respx.mock:
        respx.post(URL).mock(return_value=answer)
        await redact_shop(connections, event)
    request = await read_request(connections, SHOP, "gone")
    assert request is not None
    assert request.status is Status.OPEN
    assert len(await all_of(connections, OrderRow)) > 0
    with respx.mock:
        respx.post(URL).mock(return_value=httpx.Response(401))
        await finish_erasures(connections)
    assert await all_of(connections, OrderRow) == []


@pytest.mark.parametrize("answer", CANT_SAY)
async def test_a_shop_that_never_can_be_asked_is_erased_before_its_deadline(
    connections: Connections, answer: httpx.Response
) -> None:
    event = removal(age=timedelta(days=21))
    await install_before(connections, event)
    with respx.mock:
        respx.post(URL).mock(return_value=answer)
        await redact_shop(connections, event)
    assert await all_of(connections, OrderRow) == []


async def test_keys_of_other_shops_stay(connections: Connections) -> None:
    other = redis_key("b.myshopify.com", "visitor", "customer", 1)
    await connections.redis.set(other, b"profile")
    await plant(connections, ROSA)
    await told(connections, ShopRedactionRequested(shop=SHOP, event_id="gone", happened_at=NOW))
    assert await connections.redis.exists(other)
