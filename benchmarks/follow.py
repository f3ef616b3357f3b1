"""How soon a stored order has changed what decide knows of its customer: profile and segments at once.

Signed webhooks go to a real server and a real worker, on SQLite and the embedded Redis, at a steady
rate. The clock runs from the server's 200 until the customer's packed value in Redis is another one.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter

from redis.asyncio import Redis

from app.config import Settings
from app.connections import Connections, connect
from app.migrations import migrate
from app.profiles.keys import customer_key
from app.profiles.segmenting import segment_shop
from app.tables import OrderLineRow, OrderRow, ShopRow
from app.values import ShopDomain
from benchmarks.server import own_stores, served
from benchmarks.webhooks import signed_order

SHOP = ShopDomain("bench.myshopify.com")
PIXEL_KEY = "pk_" + "k" * 43
CUSTOMERS, ORDERS_EACH = 400, 12
A_SECOND = 10
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds from stored to used, and how many orders never got there."""

    orders: int
    lost: int
    p50_ms: float
    p99_ms: float


def main(seconds: float = 20.0) -> Figures:
    """Return the figures, printed as well."""
    with own_stores() as (settings, redis_url, environment):
        asyncio.run(migrate(settings.database_url))
        asyncio.run(fill(settings, redis_url))
        with served("benchmarks.webhooks:web", environment) as server, worker(environment):
            waited = asyncio.run(_measure(server.port, redis_url, round(seconds * A_SECOND)))
    known = sorted(each for each in waited if each is not None)
    figures = Figures(
        len(waited), len(waited) - len(known), known[len(known) // 2], known[len(known) * 99 // 100]
    )
    print(
        f"stored to used {figures.p50_ms:.0f} ms (p50), {figures.p99_ms:.0f} ms (p99), "
        f"{figures.orders} orders at {A_SECOND} a second, {figures.lost} lost"
    )
    return figures


@contextmanager
def worker(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a worker of its own, which runs meanwhile."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "worker"],
        env={**os.environ, **environment},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


async def _measure(port: int, redis_url: str, orders: int) -> list[float | None]:
    chance = random.Random(7)
    async with Redis.from_url(redis_url) as redis:
        await _first_is_seen(port, redis)
        waiting = []
        for number in range(orders):
            customer = 1 + chance.randrange(CUSTOMERS)
            waiting.append(asyncio.create_task(_follow(port, redis, number, customer)))
            await asyncio.sleep(1 / A_SECOND)
        return list(await asyncio.gather(*waiting))


async def _first_is_seen(port: int, redis: Redis) -> None:
    """Wait until the worker works."""
    if await _follow(port, redis, 999_999, 1) is None:
        raise RuntimeError("the worker did not take up the first order")


async def _follow(port: int, redis: Redis, number: int, customer: int) -> float | None:
    """Return the milliseconds from the order's 200 to the customer's new value, None if it never came."""
    key = customer_key(SHOP, customer)
    before = await redis.get(key)
    await send(port, signed_order(SHOP, 10_000_000 + number, customer))
    stored = perf_counter()
    while perf_counter() - stored < _PATIENCE_S:
        if await redis.get(key) != before:
            return (perf_counter() - stored) * 1000
        await asyncio.sleep(0.005)
    return None


async def send(port: int, delivery: bytes) -> None:
    """Deliver it; return once the server has stored it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(delivery)
    await writer.drain()
    status = await reader.readline()
    writer.close()
    if b" 200 " not in status:
        raise RuntimeError(f"not stored: {status!r}")


async def fill(settings: Settings, redis_url: str) -> None:
    async with connect(settings, redis_url) as connections:
        await _sell(connections)
        await segment_shop(connections, SHOP)


async def _sell(connections: Connections) -> None:
    chance, now = random.Random(3), datetime.now(UTC)
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key=PIXEL_KEY, installed_at=now))
        for customer in range(1, CUSTOMERS + 1):
            for number in range(chance.randint(1, ORDERS_EACH)):
                at, order_id = now - timedelta(days=chance.random() * 365), customer * 100 + number
                db.add(
                    OrderRow(
                        shop=SHOP, order_id=order_id, customer_id=customer, currency="USD",
                        total_minor=chance.randint(500, 9_000), created_at=at, updated_at=at,
                    )
                )  # fmt: skip
                db.add(
                    OrderLineRow(
                        shop=SHOP, line_id=order_id, order_id=order_id, product_id=chance.randint(1, 200),
                        quantity=1, price_minor=500,
                    )
                )  # fmt: skip
