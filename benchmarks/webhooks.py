"""POST /webhooks against a plain hello route of the same server, in the same run, on SQLite.

Every delivery is new, signed, as large as an order of three lines, and durably stored before its 200.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import func, select
from starlette.applications import Starlette

import app.collect
import webhooks.receive
from app.config import Settings, read_settings
from app.connections import connect
from app.migrations import migrate
from app.tables import InboxRow
from benchmarks.load import Load, measure, request
from benchmarks.server import ENVIRONMENT, HELLO, Server, own_stores, served

SHOP = "bench.myshopify.com"
DELIVERIES = 30_000
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. stored: rows in the inbox afterwards, one a delivery."""

    hello: Load
    receive: Load
    stored: int
    peak_mb: float

    @property
    def ratio(self) -> float:
        """Return deliveries a second in requests of hello."""
        return self.receive.per_second / self.hello.per_second


def main(seconds: float = 5.0) -> Figures:
    """Return the figures of a server of one worker, printed as well."""
    with own_stores() as stores:
        asyncio.run(migrate(stores.settings.database_url))
        with served("benchmarks.webhooks:web", stores.environment) as server:
            hello, receive, peak = _measured(server, seconds)
        stored = asyncio.run(_stored(stores.settings, stores.redis_url))
    figures = Figures(hello, receive, stored, peak)
    print(
        f"hello   {hello.per_second:8.0f} a second at {CONNECTIONS} connections\n"
        f"receive {receive.per_second:8.0f} a second, p50 {receive.p50_ms:.1f} ms, "
        f"p99 {receive.p99_ms:.1f} ms\n"
        f"        {figures.ratio:8.3f} of hello\n"
        f"        {figures.stored:8d} stored, {receive.failed} failed, {peak:.0f} MB at most"
    )
    return figures


def web() -> Starlette:
    """Return the server under test: what takes in webhooks and browsers' events, and hello beside it."""

    @asynccontextmanager
    async def lifespan(starlette: Starlette) -> AsyncIterator[None]:
        async with connect(read_settings(), os.environ["REDIS_URL"]) as connections:
            starlette.state.connections = connections
            async with webhooks.receive.opened(starlette):
                yield

    return Starlette(routes=[HELLO, *app.collect.routes, *webhooks.receive.routes], lifespan=lifespan)


def _measured(server: Server, seconds: float) -> tuple[Load, Load, float]:
    plain = [request("GET", "/hello")]
    deliveries = [signed_order(SHOP, number) for number in range(DELIVERIES)]
    measure(server.port, plain, connections=CONNECTIONS, seconds=1)
    before = measure(server.port, plain, connections=CONNECTIONS, seconds=seconds)
    receive = measure(server.port, deliveries, connections=CONNECTIONS, seconds=seconds)
    after = measure(server.port, plain, connections=CONNECTIONS, seconds=seconds)
    mean = Load((before.per_second + after.per_second) / 2, before.p50_ms, before.p99_ms, before.failed)
    return mean, receive, server.peak_mb()


def signed_order(shop: str, number: int, customer_id: int | None = None) -> bytes:
    """Return the request that tells of an order of three lines, placed now where it has a customer."""
    lines = [
        {"id": number * 10 + place, "product_id": place, "variant_id": place, "quantity": 1, "price": "1.00"}
        for place in (1, 2, 3)
    ]
    placed = datetime.now(UTC).isoformat() if customer_id else "2026-01-01T00:00:00Z"
    order: dict[str, Any] = {"id": number, "currency": "USD", "created_at": placed, "line_items": lines}
    if customer_id:
        order |= {"updated_at": placed, "customer": {"id": customer_id}, "total_price": "3.00"}
    return signed(shop, "orders/create", number, order | {"note": "x" * 1_000})


def signed(shop: str, topic: str, number: int, payload: dict[str, Any]) -> bytes:
    """Return the request that tells of something, signed as Shopify does. number: of the delivery."""
    body = json.dumps(payload).encode()
    secret = ENVIRONMENT["SHOPIFY_API_SECRET"].encode()
    signature = base64.b64encode(hmac.digest(secret, body, hashlib.sha256)).decode()
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": shop,
        "X-Shopify-API-Version": "2026-07",
        "X-Shopify-Webhook-Id": f"webhook-{number}",
        "X-Shopify-Event-Id": f"event-{number}",
    }
    return request("POST", "/webhooks", headers, body)


async def _stored(settings: Settings, redis_url: str) -> int:
    async with connect(settings, redis_url) as connections, connections.read() as db:
        return (await db.exec(select(func.count()).select_from(InboxRow))).one()
