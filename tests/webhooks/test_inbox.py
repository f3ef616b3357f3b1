import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from app.connections import Connections
from app.tables import InboxRow
from app.upsert import CHUNK, insert_new
from webhooks.inbox import (
    LEASE,
    MAX_ATTEMPTS,
    Backlog,
    claim,
    give_up,
    mark_done,
    measure_backlog,
    park,
    parked,
    prune,
    release,
    requeue_parked,
    retry_delay,
    retry_later,
)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


async def add(connections: Connections, event_id: str, **fields: Any) -> None:
    facts: dict[str, Any] = {
        "shop": "a.myshopify.com",
        "event_id": event_id,
        "topic": "orders/create",
        "received_at": NOW,
        "next_attempt_at": NOW,
        "body": b"{}",
    }
    async with connections.write() as db:
        db.add(InboxRow(**facts | fields))


async def the_row(connections: Connections) -> InboxRow:
    async with connections.read() as db:
        return (await db.exec(select(InboxRow))).one()


async def test_due_rows_come_in_the_order_their_changes_happened(
    on_both_databases: Connections,
) -> None:
    await add(on_both_databases, "late", triggered_at=NOW + timedelta(seconds=5))
    await add(on_both_databases, "early", triggered_at=NOW - timedelta(seconds=5))
    await add(on_both_databases, "not told", triggered_at=None)
    await add(on_both_databases, "not due", next_attempt_at=NOW + timedelta(seconds=1))
    claimed = await claim(on_both_databases, NOW)
    assert [letter.event_id for letter in claimed] == ["early", "not told", "late"]


async def test_a_claimed_row_is_nobody_elses_until_its_lease_ends(
    on_both_databases: Connections,
) -> None:
    await add(on_both_databases, "1")
    assert len(await claim(on_both_databases, NOW)) == 1
    assert await claim(on_both_databases, NOW + LEASE / 2) == []
    (again,) = await claim(on_both_databases, NOW + LEASE)
    assert again.attempts == 2


async def test_a_finished_row_keeps_no_body(on_both_databases: Connections) -> None:
    await add(on_both_databases, "1", body=b'{"email":"jane@example.com"}')
    (letter,) = await claim(on_both_databases, NOW)
    await mark_done(on_both_databases, [letter.id])
    row = await the_row(on_both_databases)
    assert (row.status, row.body) == ("done", b"")
    assert await claim(on_both_databases, NOW + LEASE) == []


async def test_a_failure_is_tried_again_later_and_parked_in_the_end(
    on_both_databases: Connections,
) -> None:
    await add(on_both_databases, "1")
    now = NOW
    for _ in range(MAX_ATTEMPTS):
        now += timedelta(hours=1)
        (letter,) = await claim(on_both_databases, now)
        await retry_later(on_both_databases, letter, "boom", now, random.Random(1))
        assert await claim(on_both_databases, now) == []
    row = await the_row(on_both_databases)
    assert (row.status, row.error, row.body) == ("parked", "boom", b"{}")


async def test_a_row_that_kills_its_worker_each_time_is_parked(
    on_both_databases: Connections,
) -> None:
    await add(on_both_databases, "1")
    for attempt in range(1, MAX_ATTEMPTS + 1):
        (letter,) = await claim(on_both_databases, NOW + LEASE * attempt)
        assert letter.attempts == attempt
    assert await claim(on_both_databases, NOW + LEASE * (MAX_ATTEMPTS + 1)) == []
    assert (await the_row(on_both_databases)).status == "parked"


async def test_a_row_that_kills_its_worker_takes_no_other_with_it(on_both_databases: Connections) -> None:
    for event_id in ("before", "deadly", "after"):
        await add(on_both_databases, event_id)
    now, done = NOW, set()
    for _ in range(4 * MAX_ATTEMPTS):
        claimed = await claim(on_both_databases, now)
        if any(letter.event_id == "deadly" for letter in claimed):
            now += LEASE
        else:
            await mark_done(on_both_databases, [letter.id for letter in claimed])
            done.update(letter.event_id for letter in claimed)
    assert done == {"before", "after"}
    assert [each.reason for each in await parked(on_both_databases)] == ["no attempt came to an end"]


async def test_a_row_given_back_has_lost_no_attempt(on_both_databases: Connections) -> None:
    await add(on_both_databases, "1")
    (letter,) = await claim(on_both_databases, NOW)
    await release(on_both_databases, [letter.id], NOW)
    (again,) = await claim(on_both_databases, NOW)
    assert again.attempts == 1


async def test_an_operator_can_replay_what_was_parked(on_both_databases: Connections) -> None:
    await add(on_both_databases, "1")
    (letter,) = await claim(on_both_databases, NOW)
    await park(on_both_databases, letter.id, "id is missing")
    assert await measure_backlog(on_both_databases, NOW) == Backlog(pending=0, parked=1, due_s=0)
    assert await requeue_parked(on_both_databases, "b.myshopify.com", NOW) == 0
    assert await requeue_parked(on_both_databases, None, NOW) == 1
    assert len(await claim(on_both_databases, NOW)) == 1


async def test_only_what_was_parked_can_be_given_up(on_both_databases: Connections) -> None:
    await add(on_both_databases, "1", status="parked")
    row_id = (await the_row(on_both_databases)).id or 0
    assert [await give_up(on_both_databases, each) for each in (10**18 - 1, row_id, row_id)] == [
        False,
        True,
        False,
    ]
    row = await the_row(on_both_databases)
    assert (row.status, row.body) == ("done", b"")


async def test_how_long_the_row_that_is_due_first_has_waited_is_told(on_both_databases: Connections) -> None:
    await add(on_both_databases, "due")
    await add(on_both_databases, "not due", next_attempt_at=NOW + timedelta(minutes=9))
    await add(on_both_databases, "done", next_attempt_at=NOW - timedelta(days=1), status="done")
    later = NOW + timedelta(minutes=5)
    assert await measure_backlog(on_both_databases, later) == Backlog(pending=2, parked=0, due_s=300)
    assert len(await claim(on_both_databases, later)) == 1  # it is in hand now
    assert await measure_backlog(on_both_databases, later) == Backlog(pending=2, parked=0, due_s=0)


async def test_what_was_done_long_ago_is_deleted_and_the_rest_kept(
    on_both_databases: Connections,
) -> None:
    for name, status, days in [
        ("1", "done", 8),
        ("2", "done", 6),
        ("3", "parked", 29),
        ("4", "parked", 31),
        ("5", "pending", 90),
    ]:
        await add(on_both_databases, name, received_at=NOW - timedelta(days=days))
        async with on_both_databases.write() as db:
            await db.exec(update(InboxRow).where(col(InboxRow.event_id) == name).values(status=status))
    assert await prune(on_both_databases, NOW) == 2
    async with on_both_databases.read() as db:
        assert set((await db.exec(select(InboxRow.event_id))).all()) == {"2", "3", "5"}


async def test_of_many_that_were_done_long_ago_all_are_deleted(on_both_databases: Connections) -> None:
    facts = {"shop": "a.myshopify.com", "topic": "orders/create", "webhook_id": "", "api_version": "",
             "next_attempt_at": NOW, "body": b"", "attempts": 1, "error": ""}  # fmt: skip
    ages = [(8, "done")] * CHUNK + [(9, "pending"), (8, "done"), (1, "done")]
    rows = [
        facts | {"event_id": f"{number}", "received_at": NOW - timedelta(days=days), "status": status}
        for number, (days, status) in enumerate(ages)
    ]
    async with on_both_databases.write() as db:
        await insert_new(db, InboxRow, rows)
    assert await prune(on_both_databases, NOW) == CHUNK + 1


@pytest.mark.parametrize(
    ("attempts", "chance", "seconds"),
    [
        (1, 0.5, 5),  # 5 · 2^0
        (2, 0.5, 10),  # 5 · 2^1
        (4, 0.5, 40),  # 5 · 2^3
        (1, 0.0, 3.75),  # a quarter less
        (1, 1.0, 6.25),  # a quarter more
    ],
)
def test_each_retry_waits_twice_as_long(attempts: int, chance: float, seconds: float) -> None:
    assert retry_delay(attempts, chance) == timedelta(seconds=seconds)
