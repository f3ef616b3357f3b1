"""POST /api/personalize against a plain hello route of the same server, in the same run.

The shop is made up, in the shape of a real one: a thousand products, baskets drawn from a long-tailed
popularity, a model of the size that training publishes. It measures speed and says nothing of quality.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import numpy as np
from numpy.typing import NDArray
from sqlmodel import SQLModel
from starlette.applications import Starlette

import app.decide
import app.health
from app.config import Settings, read_settings
from app.connections import Connections, connect
from app.embedded_redis import embedded_redis
from app.events.kinds import BrowserEvent, Line, OrderPlaced
from app.events.store import record_events
from app.orders.store import record_order
from app.profiles.store import remember_browsing, remember_order
from app.recommend.card import Card, Decision
from app.recommend.model import Model, Weights
from app.recommend.publish import publish
from app.tables import ProductRow, ShopRow, VariantRow
from app.values import ShopDomain
from benchmarks.load import Load, measure, request
from benchmarks.server import ENVIRONMENT, HELLO, Server, served

SHOP = ShopDomain("bench.myshopify.com")
PRODUCTS, CUSTOMERS, NEIGHBOURS, DIMENSIONS = 1_000, 300, 200, 64
QUESTIONS = 200
CONNECTIONS = 32
EVERYTHING = {"analytics": True, "marketing": True, "preferences": True}
# Of ten shoppers, as a guess: six allow all, two allow analytics, two nothing.
CONSENTS = [EVERYTHING] * 6 + [{"analytics": True}] * 2 + [{}] * 2


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. fallbacks: share of answers that were less than they could be.

    cpu_us: the server's processor time an answer, of hello and of decide; it does not depend on what
    else the machine is busy with. None where the system does not tell. peak_mb: the server's memory.
    """

    hello: Load
    decide: Load
    quiet: Load
    fallbacks: float
    cpu_us: tuple[float, float] | None
    peak_mb: float

    @property
    def ratio(self) -> float:
        """Return decide's requests a second in those of hello."""
        return self.decide.per_second / self.hello.per_second


def main(seconds: float = 5.0) -> Figures:
    """Return the figures of a server of one worker, printed as well."""
    with tempfile.TemporaryDirectory(prefix="tw-bench", ignore_cleanup_errors=True) as directory:
        environment = ENVIRONMENT | {"TILLWISE_DATA_DIR": directory}
        settings = read_settings(environment)
        with embedded_redis(settings.data_dir) as redis_url:
            asyncio.run(fill(settings, redis_url))
            with served("benchmarks.decide:web", environment | {"REDIS_URL": redis_url}) as server:
                figures = _measured(server, seconds)
    print(
        f"hello   {figures.hello.per_second:8.0f} a second at {CONNECTIONS} connections\n"
        f"decide  {figures.decide.per_second:8.0f} a second, p50 {figures.decide.p50_ms:.1f} ms, "
        f"p99 {figures.decide.p99_ms:.1f} ms\n"
        f"        {figures.ratio:8.3f} of hello\n"
        f"        {_said(figures.cpu_us)}\n"
        f"        {figures.quiet.p50_ms:8.2f} ms p50, {figures.quiet.p99_ms:.2f} ms p99 at 4 connections\n"
        f"        {figures.decide.failed + figures.quiet.failed:8d} failed, "
        f"{figures.fallbacks:.2%} fell back, {figures.peak_mb:.0f} MB at most"
    )
    return figures


def _said(cpu_us: tuple[float, float] | None) -> str:
    if cpu_us is None:
        return "processor time is not told here"
    hello, decide = cpu_us
    return f"{decide:8.0f} µs of the processor an answer, hello {hello:.0f}: {hello / decide:.3f}"


def _measured(server: Server, seconds: float) -> Figures:
    port, asked = server.port, questions()
    plain = [request("GET", "/hello")]
    measure(port, asked, connections=CONNECTIONS, seconds=1)  # warm: tokens verified, shop loaded
    cpu = [server.cpu_s()]
    hello = measure(port, plain, connections=CONNECTIONS, seconds=seconds)
    cpu.append(server.cpu_s())
    decide = measure(port, asked, connections=CONNECTIONS, seconds=seconds)
    cpu.append(server.cpu_s())
    again = measure(port, plain, connections=CONNECTIONS, seconds=seconds)
    quiet = measure(port, asked, connections=4, seconds=seconds)
    # The machine's mood changes: decide stands between two hellos.
    mean = Load((hello.per_second + again.per_second) / 2, hello.p50_ms, hello.p99_ms, hello.failed)
    started, between, ended = cpu
    cpu_us = (
        (between - started) / hello.per_second / seconds * 1e6,
        (ended - between) / decide.per_second / seconds * 1e6,
    )
    fallbacks = _fallbacks(port)
    return Figures(mean, decide, quiet, fallbacks, cpu_us if ended else None, server.peak_mb())


def web() -> Starlette:
    """Return the server under test: decide as it is, and hello beside it."""
    logging.disable(logging.WARNING)  # what fell back is counted, and need not be said each time

    @asynccontextmanager
    async def lifespan(starlette: Starlette) -> AsyncIterator[None]:
        async with connect(read_settings(), os.environ["REDIS_URL"]) as connections:
            starlette.state.connections = connections
            async with app.decide.opened(starlette):
                yield

    return Starlette(routes=[HELLO, *app.decide.routes, *app.health.routes], lifespan=lifespan)


async def fill(settings: Settings, redis_url: str) -> None:
    """Put the made-up shop, its model and its shoppers where the server finds them."""
    random = np.random.default_rng(7)
    async with connect(settings, redis_url) as connections:
        async with connections.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        now = datetime.now(UTC)
        async with connections.write() as db:
            db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=now))
            for product_id in range(1, PRODUCTS + 1):
                db.add_all(_rows(product_id, now))
        publish(settings.data_dir, SHOP, _model(random), _card(now))
        for customer_id in range(1, CUSTOMERS + 1):
            await _shop_around(connections, customer_id, random, now)


def _rows(product_id: int, now: datetime) -> list[Any]:
    product = ProductRow(
        shop=SHOP, product_id=product_id, title=f"Product {product_id}",
        product_type=f"Type {product_id % 40}", created_at=now, updated_at=now,
        image_url=f"https://cdn.example.com/products/{product_id}.jpg",
    )  # fmt: skip
    return [
        product,
        VariantRow(
            shop=SHOP, variant_id=10_000 + product_id, product_id=product_id, price_minor=300 + product_id
        ),
    ]


async def _shop_around(
    connections: Connections, customer_id: int, random: np.random.Generator, now: datetime
) -> None:
    for number in range(6):
        at = now - timedelta(days=10 * number)
        lines = tuple(
            Line(line_id=n, product_id=product_id, variant_id=None, quantity=1, price_minor=500)
            for n, product_id in enumerate(_basket(random, 8))
        )
        order = OrderPlaced(
            shop=SHOP, event_id=f"{customer_id}-{number}", happened_at=at,
            order_id=customer_id * 100 + number, customer_id=customer_id, checkout_token=None,
            currency="USD", subtotal_minor=4000, discount_minor=0, total_minor=4000, paid=True,
            created_at=at, updated_at=at, cancelled_at=None, lines=lines,
        )  # fmt: skip
        await record_order(connections, order)
        await remember_order(connections, order)
    for product_id in _basket(random, 5):
        looked = BrowserEvent(
            shop=SHOP, event_id=f"browser:{customer_id}-{product_id}", happened_at=now, name="product_viewed",
            client_id=f"client-{customer_id}", checkout_token=f"checkout-{customer_id}", customer_id=None,
            permitted=("analytics",), data={"product_id": product_id},
        )  # fmt: skip
        await record_events(connections, [looked])
        await remember_browsing(connections, looked)


def _basket(random: np.random.Generator, items: int) -> list[int]:
    """Return distinct products, a few of them far more often than most."""
    drawn = np.minimum(random.zipf(1.3, size=items * 4), PRODUCTS)
    return [int(each) for each in dict.fromkeys(drawn.tolist())][:items]


def _model(random: np.random.Generator) -> Model:
    """Return a model of random numbers with the shapes of a trained one."""

    def noise(*shape: int) -> NDArray[np.float32]:
        return (random.normal(size=shape) / 8).astype(np.float32)

    return Model(
        version="", basis="blend", weights=Weights(together=1, learned=0.5, repeats=0.5, popular=0.1),
        product_ids=np.arange(1, PRODUCTS + 1, dtype=np.int64),
        orders=random.integers(1, 500, PRODUCTS).astype(np.int32),
        popularity=random.zipf(1.3, PRODUCTS).astype(np.float32), freshness=np.zeros(PRODUCTS, np.float32),
        neighbours=random.integers(0, PRODUCTS, (PRODUCTS, NEIGHBOURS)).astype(np.int32),
        neighbour_weights=random.random((PRODUCTS, NEIGHBOURS)).astype(np.float32),
        item_embeddings=noise(PRODUCTS, DIMENSIONS), item_biases=noise(PRODUCTS),
        cart_embeddings=noise(PRODUCTS, DIMENSIONS),
        customer_ids=np.arange(1, CUSTOMERS + 1, dtype=np.int64),
        customer_embeddings=noise(CUSTOMERS, DIMENSIONS),
    )  # fmt: skip


def _card(now: datetime) -> Card:
    return Card(
        trained_at=now, basis="blend", weights=Weights(), counts={}, parameters={}, figures={},
        decision=Decision(True, "made up for a benchmark"), libraries={},
    )  # fmt: skip


def questions() -> list[bytes]:
    """Return what its checkouts ask."""
    random = np.random.default_rng(11)
    return [_question(number, random) for number in range(QUESTIONS)]


def _question(number: int, random: np.random.Generator) -> bytes:
    customer_id = number % CUSTOMERS + 1
    lines = [
        {
            "product_id": f"gid://shopify/Product/{product_id}",
            "variant_id": f"gid://shopify/ProductVariant/{10_000 + product_id}",
            "quantity": 1,
            "price": "5.00",
        }
        for product_id in _basket(random, int(random.integers(1, 9)))
    ]
    body = {
        "surface": "checkout",
        "checkout_token": f"checkout-{customer_id}",
        "client_id": f"client-{customer_id}",
        "locale": "en-US",
        "country": "US",
        "cart": {"currency": "USD", "subtotal": f"{5 * len(lines)}.00", "lines": lines},
        "consent": CONSENTS[number % len(CONSENTS)],
    }
    headers = {"Authorization": f"Bearer {_token(customer_id)}", "Content-Type": "application/json"}
    return request("POST", "/api/personalize", headers, json.dumps(body).encode())


def _token(customer_id: int) -> str:
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "dest": SHOP, "aud": ENVIRONMENT["SHOPIFY_API_KEY"], "exp": now + 300, "nbf": now, "iat": now,
        "jti": str(customer_id), "sub": f"gid://shopify/Customer/{customer_id}",
    }  # fmt: skip
    return jwt.encode(claims, ENVIRONMENT["SHOPIFY_API_SECRET"].encode().ljust(64, b"\0"), algorithm="HS256")


def _fallbacks(port: int) -> float:
    """Return the share of answers that fell back, as the server counted them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    counts = re.findall(r'tillwise_decisions_total\{.*fallback="(\w+)".*\} ([\d.e+]+)', text)
    total = sum(float(count) for _, count in counts)
    return sum(float(count) for reason, count in counts if reason != "none") / max(total, 1)


if __name__ == "__main__":
    main()
