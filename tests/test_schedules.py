import asyncio

import pytest

from app.connections import Connections, redis_key
from app.schedules import Schedule, keep_schedules

SHOP = "a.myshopify.com"


async def run_once(connections: Connections, *schedules: Schedule) -> None:
    """Run the schedules' first turn: the last one stops the loop."""
    stop = asyncio.Event()

    async def end(_connections: Connections) -> None:
        stop.set()

    await keep_schedules(connections, [*schedules, Schedule("end", 60, end, everywhere=True)], stop)


async def test_a_turn_is_done_by_one_worker_of_all(connections: Connections) -> None:
    done: list[str] = []

    async def once(_connections: Connections) -> None:
        done.append("once")

    async def everywhere(_connections: Connections) -> None:
        done.append("everywhere")

    for _ in range(2):
        await run_once(connections, Schedule("a", 60, once), Schedule("b", 60, everywhere, everywhere=True))
    assert sorted(done) == ["everywhere", "everywhere", "once"]


async def test_a_turn_that_redis_holds_since_its_clock_was_put_back_keeps_nobody_out(
    connections: Connections,
) -> None:
    done: list[str] = []

    async def once(_connections: Connections) -> None:
        done.append("once")

    await connections.redis.set(redis_key("schedule", "a"), 1, px=24 * 3_600_000)
    for _ in range(2):
        await run_once(connections, Schedule("a", 60, once))
    assert done == ["once"]


async def test_work_that_fails_holds_up_no_other(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_connections: Connections) -> None:
        raise ValueError("no")

    await run_once(connections, Schedule("fails", 60, fails))
    assert [record.message for record in caplog.records] == ["scheduled work failed"]


async def test_work_that_takes_long_holds_up_no_other(connections: Connections) -> None:
    stop = asyncio.Event()

    async def waits(_connections: Connections) -> None:
        await stop.wait()

    async def ends(_connections: Connections) -> None:
        stop.set()

    async with asyncio.timeout(60):
        await keep_schedules(connections, [Schedule("waits", 60, waits), Schedule("ends", 60, ends)], stop)
