"""How soon a web process recommends by an order and can recommend a product that Shopify told of.

Signed webhooks go to a real server and a real worker, on SQLite and the embedded Redis. The clock runs from
the server's 200 until the shop as a web process has it in memory has counted the order among the product's
orders, and knows and may offer the new product.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import msgspec

from app.config import Settings
from app.connections import Connections, connect
from app.live import LiveShops, live_shops
from app.migrations import migrate
from app.offers.snapshot import ShopSnapshot
from app.recommend.fit import FitParameters
from app.recommend.retrain import train_shop
from app.tables import OrderLineRow, OrderRow, ProductRow, ShopRow, VariantRow
from app.values import ShopDomain
from benchmarks.follow import send, worker
from benchmarks.server import own_stores, served
from benchmarks.webhooks import signed, signed_order

SHOP = ShopDomain("fresh.myshopify.com")
PRODUCTS, ORDERS, ROUNDS = 1_000, 2_000, 3
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds until an order counted and until a product could be recommended, one a round."""

    orders_s: tuple[float, ...]
    products_s: tuple[float, ...]


def main(rounds: int = ROUNDS) -> Figures:
    """Return the figures, printed as well."""
    with own_stores() as (settings, redis_url, environment):
        asyncio.run(migrate(settings.database_url))
        asyncio.run(_fill(settings, redis_url))
        with served("benchmarks.webhooks:web", environment) as server, worker(environment):
            figures = asyncio.run(_measure(settings, redis_url, server.port, rounds))
    print(
        f"an order counted after {_listed(figures.orders_s)} s, a new product could be recommended after "
        f"{_listed(figures.products_s)} s, {PRODUCTS:,} products"
    )
    return figures


async def _measure(settings: Settings, redis_url: str, port: int, rounds: int) -> Figures:
    orders, products = [], []
    async with connect(settings, redis_url) as connections, live_shops(connections) as live:
        for number in range(rounds):
            orders.append(await _order_counts(live, port, number))
            products.append(await _product_is_known(live, port, number))
    return Figures(tuple(orders), tuple(products))


async def _order_counts(live: LiveShops, port: int, number: int) -> float:
    """Return the seconds from an order's 200 until one more order holds product 1."""
    before = _orders_of_first(await _shop(live))
    return await _after(
        live, port, signed_order(SHOP, 9_000_000 + number, 1), lambda shop: _orders_of_first(shop) > before
    )


async def _product_is_known(live: LiveShops, port: int, number: int) -> float:
    """Return the seconds from a product's 200 until the model knows it and it may be offered."""
    product_id = 2 * PRODUCTS + number

    def known(shop: ShopSnapshot) -> bool:
        assert shop.model is not None
        at = shop.model.positions([product_id])
        return bool(len(at)) and shop.allowed is not None and bool(shop.allowed[at[0]])

    told = signed(SHOP, "products/create", 8_000_000 + number, _product(product_id))
    return await _after(live, port, told, known)


async def _after(live: LiveShops, port: int, told: bytes, seen: Callable[[ShopSnapshot], bool]) -> float:
    await send(port, told)
    stored = perf_counter()
    while not seen(await _shop(live)):
        if perf_counter() - stored > PATIENCE_S:
            raise RuntimeError("what was told never reached the model")
        await asyncio.sleep(0.05)
    return perf_counter() - stored


async def _shop(live: LiveShops) -> ShopSnapshot:
    shop = await live.get(SHOP)
    if shop is None or shop.model is None:
        raise RuntimeError("the shop has no model")
    return shop


def _orders_of_first(shop: ShopSnapshot) -> int:
    assert shop.model is not None
    return int(shop.model.orders[shop.model.positions([1])[0]])


def _product(product_id: int) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    variant = {"id": product_id, "title": "", "price": "5.00", "inventory_item_id": product_id}
    times = {"created_at": now, "updated_at": now, "published_at": now}
    return {"id": product_id, "title": "Quite new", "status": "active", "variants": [variant], **times}


async def _fill(settings: Settings, redis_url: str) -> None:
    """Keep a shop with orders of three products each, and train its first model."""
    async with connect(settings, redis_url) as connections:
        await _stock(connections)
        await _sell(connections)
        card = await train_shop(connections, SHOP, FitParameters(dimensions=16, epochs=2))
        if not card.decision.publish:
            raise RuntimeError(f"no model serves: {msgspec.json.encode(card.decision).decode()}")


async def _stock(connections: Connections) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk_fresh", installed_at=now))
        for number in range(1, PRODUCTS + 1):
            title = f"Product {number}"
            db.add(ProductRow(shop=SHOP, product_id=number, title=title, created_at=now, updated_at=now))
            db.add(VariantRow(shop=SHOP, variant_id=number, product_id=number, price_minor=500))


async def _sell(connections: Connections) -> None:
    """Let each product go with the next two, popular ones more often, so that a model beats popularity."""
    chance, now = random.Random(5), datetime.now(UTC)
    async with connections.write() as db:
        for number in range(1, ORDERS + 1):
            at, first = now - timedelta(hours=ORDERS - number), 1 + int(PRODUCTS * chance.random() ** 2)
            db.add(
                OrderRow(
                    shop=SHOP, order_id=number, customer_id=1 + number % 500, currency="USD",
                    total_minor=1_500, created_at=at, updated_at=at,
                )
            )  # fmt: skip
            for place in range(3):
                db.add(
                    OrderLineRow(
                        shop=SHOP, line_id=3 * number + place, order_id=number, quantity=1, price_minor=500,
                        product_id=1 + (first + place) % PRODUCTS,
                    )
                )  # fmt: skip


def _listed(seconds: tuple[float, ...]) -> str:
    return ", ".join(f"{each:.0f}" for each in seconds)
