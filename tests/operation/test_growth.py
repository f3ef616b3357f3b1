"""What a process keeps of a visit that is over: next to nothing. `make chaos` asks for five hours of them."""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from app.connections import Connections
from app.events.consume import work_off
from app.events.log import EventConsumer
from app.main import create_app
from app.worker import HANDLERS
from tests.chaos.stage import open_shop
from tests.chaos.traffic import Traffic
from webhooks.work import process_due

WARM, VISITS = 15, 40
TRIES = 3  # on a busy machine something that is loaded once may come late; what grows does so each time
SPARE = 8  # connections and tasks that come and go
MOST_BYTES = 4_000  # a visit: its token and its callers are remembered, up to a number


@pytest.mark.skipif(sys.platform != "linux", reason="open files are looked up in /proc")
async def test_a_visit_that_is_over_leaves_next_to_nothing_in_the_processes(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "app")  # what a busy machine logs would be kept for this test
    await open_shop(connections)
    web = create_app(connections.settings, connections.redis_url)
    async with (
        web.router.lifespan_context(web),
        httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://t") as http,
    ):
        traffic, worker = Traffic(http), EventConsumer(connections.redis, "test")
        await worker.open()
        await visit(connections, traffic, worker, WARM)
        with tracing_memory():
            await visit(connections, traffic, worker, WARM)
            before = open_files(), len(asyncio.all_tasks())
            grown = [await grown_by(connections, traffic, worker)]
            while min(grown) > MOST_BYTES and len(grown) < TRIES:
                grown.append(await grown_by(connections, traffic, worker))
        assert min(grown) < MOST_BYTES
        files, tasks = open_files(), len(asyncio.all_tasks())
    assert files <= before[0] + SPARE
    assert tasks <= before[1] + SPARE
    assert len(traffic.orders) == 2 * WARM + len(grown) * VISITS
    await worker.trim()
    assert await connections.redis.xlen("tw:events") == 0


@contextmanager
def tracing_memory() -> Iterator[None]:
    """Count what is held until left, by an error too: meanwhile all takes many times as long."""
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


async def grown_by(connections: Connections, traffic: Traffic, worker: EventConsumer) -> float:
    """Return how many bytes more this process holds after some visits, a visit."""
    before = held()
    await visit(connections, traffic, worker, VISITS)
    return (held() - before) / VISITS


async def visit(connections: Connections, traffic: Traffic, worker: EventConsumer, visits: int) -> None:
    """Let so many look at something, go to the checkout and buy, and work off what they did."""
    for _ in range(visits):
        number = next(traffic.numbers)
        async with asyncio.timeout(60):
            while not await traffic.event(f"v-{number}", f"c-{number % 10}"):
                pass  # a busy machine may be too slow for the first try
            await traffic.checkout(sub=None, jti=f"j-{number % 10}")
            while not await traffic.order(number):
                pass
    while await process_due(connections, datetime.now(UTC)):
        pass
    while deliveries := await worker.read(block_ms=1):
        await work_off(connections, worker, HANDLERS, deliveries)


def held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
