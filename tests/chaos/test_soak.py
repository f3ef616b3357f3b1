"""Hours of a shop's usual load, as fast as the processes take it: none of them grows in the last two."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import delete

from app.events.log import EventConsumer, EventLog
from app.tables import DecisionRow, EventRow, InboxRow, OrderLineRow, OrderRow
from tests.chaos.stage import Process, Stage, until
from tests.chaos.test_faults import all_there, in_full_only, stage  # noqa: F401  (a fixture)
from tests.chaos.traffic import Traffic, calm

# Every two seconds a checkout and a browser's event, every eight an order.
# The first hours fill what has a limit: what is kept of each visitor, and SQLite's caches of each connection.
WARM_HOURS, HOURS, ORDER_EVERY = 3, 2, 4
WARM, VISITS = WARM_HOURS * 1_800, (WARM_HOURS + HOURS) * 1_800
VISITORS = 300  # who come again and again
STEPS, AT_ONCE = 50, 8
# At most, in the last two hours. A web process remembers the tokens of checkouts, 20,000 of them in the end.
GROWS_MB = {"web_mb": 4.0, "worker_mb": 1.5, "redis_mb": 1.0}
FILES_DIFFER = 20  # connections come and go


@dataclass(frozen=True)
class Sample:
    """What the processes hold after so many visits."""

    visits: int
    web_mb: float
    worker_mb: float
    redis_mb: float
    web_files: int
    worker_files: int


@in_full_only
@pytest.mark.skipif(sys.platform != "linux", reason="memory and files are looked up in /proc")
async def test_processes_do_not_grow_with_what_they_have_done(stage: Stage) -> None:  # noqa: F811
    samples = []
    async with calm(stage.origin) as traffic:
        for begin in range(0, VISITS, VISITS // STEPS):
            await visit(traffic, range(begin, begin + VISITS // STEPS))
            await all_there(stage.connections, traffic, traffic.events, traffic.decisions)
            await until(lambda: caught_up(stage))
            await grow_old(stage, traffic)
            await EventConsumer(stage.connections.redis, "soak").trim()  # else it matters when that was due
            samples.append(await sampled(stage, begin + VISITS // STEPS))
    await until(lambda: trimmed(stage))
    warm = [each for each in samples if each.visits > WARM]
    growth = {name: grown(warm, name) for name in GROWS_MB}
    print(f"{samples[0]} … {warm[0]} … {samples[-1]}; in the last two hours {growth}")  # noqa: T201
    for name, most in GROWS_MB.items():
        assert growth[name] < most
    for name in ("web_files", "worker_files"):
        assert abs(grown(warm, name)) < FILES_DIFFER


async def visit(traffic: Traffic, numbers: Sequence[int]) -> None:
    """Let so many visits be made: each looks at something and goes to the checkout, some buy."""
    waiting = iter(numbers)

    async def one_after_another() -> None:
        for number in waiting:
            visitor = number % VISITORS
            await traffic.event(f"s-{number}", f"c-{visitor}")
            await traffic.checkout(sub=None, jti=f"j-{visitor}")
            if number % ORDER_EVERY == 0:
                await traffic.order(next(traffic.numbers))

    async with asyncio.TaskGroup() as visiting:
        for _ in range(AT_ONCE):
            visiting.create_task(one_after_another())
    await traffic.send_again()


async def grow_old(stage: Stage, traffic: Traffic) -> None:  # noqa: F811
    """Clear the tables as the shop's limits do: what jobs read of them is no more than in the hour before."""
    async with stage.connections.write() as db:
        for table in (DecisionRow, EventRow, OrderLineRow, OrderRow, InboxRow):
            await db.exec(delete(table))
    for known in (traffic.orders, traffic.events, traffic.decisions):
        known.clear()


async def caught_up(stage: Stage) -> bool:  # noqa: F811
    return await EventLog(stage.connections.redis).count_unhandled() == 0


async def trimmed(stage: Stage) -> bool:  # noqa: F811
    return int(await stage.connections.redis.xlen("tw:events")) == 0


async def sampled(stage: Stage, visits: int) -> Sample:  # noqa: F811
    redis_mb = (await stage.connections.redis.info("memory"))["used_memory"] / 2**20
    return Sample(
        visits, held_mb(stage.web), held_mb(stage.worker), redis_mb, files(stage.web), files(stage.worker)
    )


def held_mb(process: Process) -> float:
    status = (_of(process) / "status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def files(process: Process) -> int:
    return len(list((_of(process) / "fd").iterdir()))


def _of(process: Process) -> Path:
    assert process.running is not None
    return Path(f"/proc/{process.running.pid}")


def grown(samples: Sequence[Sample], name: str) -> float:
    """Return by how much it grew from the first to the last, by the line that fits best."""
    slope = np.polyfit([each.visits for each in samples], [getattr(each, name) for each in samples], 1)[0]
    return float(slope * (samples[-1].visits - samples[0].visits))
