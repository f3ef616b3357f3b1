"""POST /api/personalize against a plain hello route of the same server, in the same run.

The shop is made up, in the shape of a real one: a thousand products, shoppers with histories, a model of the
parts and sizes that training publishes. It measures speed and says nothing of quality. The carts are those of
the demo shop's orders, a grocer's year, each checkout once. How often a ranking is found among the kept ones
hangs on how many places for offers a checkout has, as the second one's is always there: both are told, one
place and two.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import jwt
import numpy as np
from sqlmodel import SQLModel
from starlette.applications import Starlette

import app.decide
import app.health
from app.config import Settings, read_settings
from app.connections import Connections, connect
from app.events.kinds import BrowserEvent, Line, OrderPlaced
from app.events.store import record_events
from app.memory import collect_rarely
from app.profiles.store import follow_customers, keep_orders, remember_browsing
from app.recommend.card import Card, Decision
from app.recommend.model import Model, Weights
from app.recommend.publish import publish
from app.tables import ProductRow, ShopRow, VariantRow
from app.values import ShopDomain
from benchmarks.carts import Cart, carts
from benchmarks.load import Load, measure, paced, request
from benchmarks.recommend import DIMENSIONS, a_model
from benchmarks.server import ENVIRONMENT, HELLO, Server, own_stores, served

SHOP = ShopDomain("bench.myshopify.com")
PRODUCTS, CUSTOMERS = 1_000, 300
CHECKOUTS = 200
MEASURED_CHECKOUTS = 10_000  # each is asked for once, unless the server answers more of them in the time
SURFACES = ("checkout_lines", "checkout")
CONNECTIONS = 32
PACE = 0.5  # of the most it can answer a second, for what one waits when the server keeps up
EVERYTHING = {"analytics": True, "marketing": True, "preferences": True}
# Of ten shoppers, as a guess: six allow all, two allow analytics, two nothing.
CONSENTS = [EVERYTHING] * 6 + [{"analytics": True}] * 2 + [{}] * 2


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. fallbacks: share of answers that were less than they could be.

    paced: at `PACE` of the most a second. cpu_us: the server's processor time an answer: of hello, of decide
    in its first second, and after that; it depends little on what else the machine is busy with. None where
    the system does not tell. kept: the share of rankings that were kept from an earlier question, in the
    first second and after it. one_place_us, one_place_kept: where a checkout has one place for offers, the
    others are of two. peak_mb: the server's memory.
    """

    hello: Load
    decide: Load
    quiet: Load
    paced: Load
    fallbacks: float
    cpu_us: tuple[float, float, float] | None
    kept: tuple[float, float]
    one_place_us: float
    one_place_kept: float
    peak_mb: float

    @property
    def ratio(self) -> float:
        """Return decide's requests a second in those of hello."""
        return self.decide.per_second / self.hello.per_second


def main(seconds: float = 5.0) -> Figures:
    """Return the figures of a server of one worker, printed as well."""
    with own_stores() as stores:
        asyncio.run(fill(stores.settings, stores.redis_url))
        with served("benchmarks.decide:web", stores.environment) as server:
            figures = _measured(server, seconds)
    print(
        f"hello   {figures.hello.per_second:8.0f} a second at {CONNECTIONS} connections\n"
        f"decide  {figures.decide.per_second:8.0f} a second, {_waits(figures.decide)}\n"
        f"        {figures.ratio:8.3f} of hello\n"
        f"        {_said(figures.cpu_us)}\n"
        f"        {figures.kept[1]:8.0%} of rankings were kept, {figures.kept[0]:.0%} in the first second\n"
        f"        {figures.one_place_kept:8.0%} with one place a checkout: {figures.one_place_us:.0f} µs\n"
        f"        {_waits(figures.quiet)} at 4 connections\n"
        f"        {_waits(figures.paced)} at {figures.paced.per_second:.0f} a second, as they come\n"
        f"        {figures.decide.failed + figures.quiet.failed + figures.paced.failed:8d} failed, "
        f"{figures.fallbacks:.2%} fell back, {figures.peak_mb:.0f} MB at most"
    )
    return figures


def _waits(load: Load) -> str:
    return f"p50 {load.p50_ms:.2f} ms, p99 {load.p99_ms:.2f} ms, p99.9 {load.p999_ms:.2f} ms"


def _said(cpu_us: tuple[float, float, float] | None) -> str:
    if cpu_us is None:
        return "processor time is not told here"
    hello, first, decide = cpu_us
    return (
        f"{decide:8.0f} µs of the processor an answer ({first:.0f} in the first second), hello {hello:.0f}: "
        f"{hello / decide:.3f}"
    )


def _measured(server: Server, seconds: float) -> Figures:
    port, plain, asked = server.port, [request("GET", "/hello")], questions(carts()[-MEASURED_CHECKOUTS:])
    eighth = len(asked) // 8
    measure(port, questions([()] * CUSTOMERS), connections=CONNECTIONS, seconds=1)  # tokens, the shop
    told = [_told(server)]
    first = measure(port, asked[:eighth], connections=CONNECTIONS, seconds=1)
    told.append(_told(server))
    hello = measure(port, plain, connections=CONNECTIONS, seconds=seconds)
    told.append(_told(server))
    decide = measure(port, asked[eighth : 5 * eighth], connections=CONNECTIONS, seconds=seconds)
    told.append(_told(server))
    again = measure(port, plain, connections=CONNECTIONS, seconds=seconds)
    before = _told(server)
    one = measure(
        port, questions(carts()[:-MEASURED_CHECKOUTS], SURFACES[:1]), connections=CONNECTIONS, seconds=seconds
    )
    told.append(_told(server))
    quiet = measure(port, asked[5 * eighth : 7 * eighth], connections=4, seconds=seconds)
    pace = decide.per_second * PACE
    steady = paced(port, asked[7 * eighth :], per_second=pace, seconds=seconds)
    # The machine's mood changes: decide stands between two hellos.
    mean = Load((hello.per_second + again.per_second) / 2, hello.p50_ms, hello.p99_ms, hello.failed)
    cpu = [
        (after.cpu_s - before.cpu_s) / load.per_second / lasted * 1e6
        for before, after, load, lasted in zip(
            told, told[1:], (first, hello, decide), (1, seconds, seconds), strict=False
        )
    ]
    return Figures(
        mean, decide, quiet, steady, _fallbacks(port),
        (cpu[1], cpu[0], cpu[2]) if told[-1].cpu_s else None,
        (_share(told[0], told[1]), _share(told[2], told[3])),
        (told[4].cpu_s - before.cpu_s) / one.per_second / seconds * 1e6, _share(before, told[4]),
        server.peak_mb(),
    )  # fmt: skip


class Told(NamedTuple):
    """What the server told of itself so far: its processor time, and rankings that it was asked for."""

    cpu_s: float
    asked: float
    found: float


def _told(server: Server) -> Told:
    counts = dict(re.findall(r'tillwise_rankings\{which="(\w+)"\} ([\d.e+]+)', _metrics(server.port)))
    return Told(server.cpu_s(), float(counts["asked"]), float(counts["found"]))


def _share(before: Told, after: Told) -> float:
    """Return the share of the rankings between them that were kept."""
    return (after.found - before.found) / max(after.asked - before.asked, 1)


def web() -> Starlette:
    """Return the server under test: decide as it is, and hello beside it."""
    logging.disable(logging.WARNING)  # what fell back is counted, and need not be said each time
    collect_rarely()  # as the served app does

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
        publish(settings.data_dir, SHOP, _model(random), a_card(now))
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
            for n, product_id in enumerate(_cart(random))
        )
        order = OrderPlaced(
            shop=SHOP, event_id=f"{customer_id}-{number}", happened_at=at,
            order_id=customer_id * 100 + number, customer_id=customer_id, checkout_token=None,
            currency="USD", subtotal_minor=4000, discount_minor=0, total_minor=4000, paid=True,
            created_at=at, updated_at=at, cancelled_at=None, lines=lines,
        )  # fmt: skip
        await keep_orders(connections, [order])
        await follow_customers(connections, [order])
    for product_id in (*_cart(random), *_cart(random)):
        looked = BrowserEvent(
            shop=SHOP, event_id=f"browser:{customer_id}-{product_id}", happened_at=now, name="product_viewed",
            client_id=f"client-{customer_id}", checkout_token=f"checkout-{customer_id}", customer_id=None,
            permitted=("analytics",), data={"product_id": product_id},
        )  # fmt: skip
        await record_events(connections, [looked])
        await remember_browsing(connections, [looked])


def _cart(random: np.random.Generator) -> Cart:
    return carts()[int(random.integers(len(carts())))]


def _model(random: np.random.Generator) -> Model:
    """Return a model of random numbers with the parts and shapes of a trained one."""
    return replace(
        a_model(PRODUCTS),
        customer_ids=np.arange(1, CUSTOMERS + 1, dtype=np.int64),
        customer_embeddings=(random.normal(size=(CUSTOMERS, DIMENSIONS)) / 8).astype(np.float32),
    )


def a_card(now: datetime) -> Card:
    """Return the card of a model that nobody trained."""
    return Card(
        trained_at=now, basis="blend", weights=Weights(), counts={}, parameters={}, figures={},
        decision=Decision(True, "made up for a benchmark"), libraries={},
    )  # fmt: skip


def questions(of: Sequence[Cart] | None = None, surfaces: Sequence[str] = SURFACES) -> list[bytes]:
    """Return what checkouts of these carts ask, for each place; of the latest carts if none are given."""
    found = carts()[-CHECKOUTS:] if of is None else of
    tokens = [a_token(customer_id) for customer_id in range(1, CUSTOMERS + 1)]
    return [
        a_question(number, cart, surface, tokens[number % CUSTOMERS])
        for number, cart in enumerate(found)
        for surface in surfaces
    ]


def a_question(number: int, cart: Cart, surface: str, token: str) -> bytes:
    """Return what one place of a checkout asks. number: whose, and what they allow."""
    customer_id = number % CUSTOMERS + 1
    lines = [
        {
            "product_id": f"gid://shopify/Product/{product_id}",
            "variant_id": f"gid://shopify/ProductVariant/{10_000 + product_id}",
            "quantity": 1,
            "price": "5.00",
        }
        for product_id in cart
    ]
    body = {
        "surface": surface,
        "checkout_token": f"checkout-{customer_id}",
        "client_id": f"client-{customer_id}",
        "locale": "en-US",
        "country": "US",
        "cart": {"currency": "USD", "subtotal": f"{5 * len(lines)}.00", "lines": lines},
        "consent": CONSENTS[number % len(CONSENTS)],
    }
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return request("POST", "/api/personalize", headers, json.dumps(body).encode())


def a_token(customer_id: int, shop: str = SHOP) -> str:
    """Return the session token of a buyer who is logged in."""
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "dest": shop, "aud": ENVIRONMENT["SHOPIFY_API_KEY"], "exp": now + 300, "nbf": now, "iat": now,
        "jti": str(customer_id), "sub": f"gid://shopify/Customer/{customer_id}",
    }  # fmt: skip
    return jwt.encode(claims, ENVIRONMENT["SHOPIFY_API_SECRET"].encode().ljust(64, b"\0"), algorithm="HS256")


def _fallbacks(port: int) -> float:
    """Return the share of answers that fell back, as the server counted them."""
    counts = re.findall(r'tillwise_decisions_total\{.*fallback="(\w+)".*\} ([\d.e+]+)', _metrics(port))
    total = sum(float(count) for _, count in counts)
    return sum(float(count) for reason, count in counts if reason != "none") / max(total, 1)


def _metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text: str = answer.read().decode()
    return text


if __name__ == "__main__":
    main()
