"""Each process killed, each store lost or slow, under load: what was acknowledged is there, once.

A short slice runs with the other tests; all of it, and what each fault cost, with `make chaos`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlmodel import col, select

from app.connections import Connections
from app.events.log import DEAD
from app.tables import DecisionRow, EventRow, InboxRow, OrderLineRow, OrderRow
from tests.chaos.stage import PATIENCE_S, Stage, staged, until
from tests.chaos.traffic import Traffic, under_load
from tests.offers.factories import SHOP

FULL = os.environ.get("CHAOS") == "1"
in_full_only = pytest.mark.skipif(not FULL, reason="`make chaos` runs it")
LONGEST_S = 2 * PATIENCE_S  # a fault, from the load's begin until it is mended
_LOAD_S = 4.0 if FULL else 1.5


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as made:
        yield made


@asynccontextmanager
async def surviving(
    stage: Stage, fault: str, *, may_go: frozenset[str] = frozenset()
) -> AsyncIterator[Traffic]:
    """Yield under load, let the fault happen; in the end all that was acknowledged is there, once.

    may_go: what a browser was promised may be lost with the store that had it (`events`, `decisions`).
    """
    async with asyncio.timeout(LONGEST_S), under_load(stage.origin) as traffic:
        await _works(stage.connections, traffic)  # a process that is still starting is not what is tried
        await asyncio.sleep(_LOAD_S)
        before = (set(traffic.events), set(traffic.decisions))
        yield traffic
        ended = monotonic()
        await _works(stage.connections, traffic)
        recovered_s = monotonic() - ended
        await asyncio.sleep(_LOAD_S)
    await traffic.send_again()
    events = traffic.events - before[0] if "events" in may_go else traffic.events
    decisions = traffic.decisions - before[1] if "decisions" in may_go else traffic.decisions
    await all_there(stage.connections, traffic, events, decisions)
    print(f"{fault}: works again after {recovered_s:.1f} s; answers {dict(traffic.answers)}")  # noqa: T201


async def _works(connections: Connections, traffic: Traffic) -> None:
    """Return when a checkout is answered well, and a delivery is acknowledged and worked off."""
    number = next(traffic.numbers)

    async def well() -> bool:
        return await traffic.checkout() == "none" and await traffic.order(number)

    async def there() -> bool:
        return number in await _column(connections, OrderRow.order_id, OrderRow.shop == SHOP)

    await until(well)
    await until(there)


async def all_there(
    connections: Connections, traffic: Traffic, events: set[str], decisions: set[str]
) -> None:
    """Return when what was acknowledged is in the database. Fails when it does not come, or comes twice."""

    async def complete() -> bool:
        orders = set(await _column(connections, OrderRow.order_id, OrderRow.shop == SHOP))
        seen = {each.removeprefix("browser:") for each in await _column(connections, EventRow.event_id)}
        made = set(await _column(connections, DecisionRow.decision_id))
        return traffic.orders <= orders and events <= seen and decisions <= made

    await until(complete)
    lines = await _column(connections, OrderLineRow.line_id, OrderLineRow.shop == SHOP)
    assert sorted(lines) == sorted(traffic.orders)
    assert await _column(connections, InboxRow.status, InboxRow.status == "parked") == []
    assert await connections.redis.xlen(DEAD) == 0


async def _column(connections: Connections, column: Any, *where: Any) -> list[Any]:
    async with connections.read() as db:
        return list((await db.exec(select(col(column)).where(*where))).all())


async def test_a_worker_killed_under_load_loses_and_doubles_nothing(stage: Stage) -> None:
    async with surviving(stage, "worker killed") as traffic:
        for _ in range(3 if FULL else 1):
            await stage.worker.kill()
            await stage.worker.start()
            await asyncio.sleep(_LOAD_S / 2)
    assert set(traffic.answers) <= {"none", "log", "redis"}  # a busy machine may be slow


@in_full_only
async def test_a_web_process_killed_under_load_loses_and_doubles_nothing(stage: Stage) -> None:
    async with surviving(stage, "web killed"):
        for _ in range(3):
            await stage.web.kill()
            await stage.start_web()
            await asyncio.sleep(_LOAD_S / 2)


@in_full_only
async def test_a_redis_killed_comes_back_with_what_it_had(stage: Stage) -> None:
    async with surviving(stage, "redis killed") as traffic:
        await stage.redis.kill()
        await asyncio.sleep(3)
        await stage.start_redis()
    assert "unreachable" not in traffic.answers


@in_full_only
async def test_a_redis_that_comes_back_empty_costs_no_delivery(stage: Stage) -> None:
    may_go = frozenset({"events", "decisions"})
    async with surviving(stage, "redis emptied", may_go=may_go) as traffic:
        await stage.empty_redis()
    assert "unreachable" not in traffic.answers


@in_full_only
async def test_checkouts_are_answered_while_redis_does_not_answer(stage: Stage) -> None:
    async with surviving(stage, "redis paused") as traffic:
        stage.redis.pause()
        await asyncio.sleep(8)
        stage.redis.resume()
    assert "unreachable" not in traffic.answers
    assert set(traffic.answers) & {"log", "redis"}


@in_full_only
async def test_a_redis_that_is_full_costs_nothing_that_was_acknowledged(stage: Stage) -> None:
    async with surviving(stage, "redis full") as traffic:
        await stage.connections.redis.config_set("maxmemory", 1)
        await asyncio.sleep(4)
        await stage.connections.redis.config_set("maxmemory", 0)
    assert "unreachable" not in traffic.answers
    assert traffic.answers["log"] > 0
