"""POST /api/personalize of one process where 1, 100 and 10,000 shops are installed: waits and memory.

Each shop has ten products. Few shops are asked about often and most hardly ever (the n-th a n-th as often as
the first); the hundred asked about most have a model, the others show their defaults. Questions come as they
come, whether or not the server keeps up: first to one that holds no shop yet, then the same ones again. Of
10,000 shops that is about a hundred in so short a time; `benchmarks.held_shops` loads all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import insert
from sqlmodel import SQLModel

from app.config import Settings
from app.connections import connect
from app.recommend.publish import publish
from app.tables import ProductRow, ShopRow, VariantRow
from app.upsert import table_of
from app.values import ShopDomain
from benchmarks.decide import a_card, a_question, a_token
from benchmarks.load import Load, paced
from benchmarks.recommend import a_model
from benchmarks.server import Server, own_stores, served

COUNTS = (1, 100, 10_000)
PRODUCTS, MODELS = 10, 100
COLD_A_SECOND, WARM_A_SECOND = 25, 200
AT_ONCE = 1_000  # shops a statement


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. asked: shops that were asked about. cpu_us: the server's processor time an answer.

    first: nothing was loaded yet; again: the same shops. mb_a_shop: what the server grew by, for whatever
    reason, per shop loaded.
    """

    shops: int
    asked: int
    first: Load
    again: Load
    cpu_us: float
    mb_a_shop: float


def main(seconds: float = 5.0) -> list[Figures]:
    """Return the figures for each count of shops, printed as well."""
    found = []
    for count in COUNTS:
        with own_stores() as stores:
            asyncio.run(fill(stores.settings, stores.redis_url, count))
            with served("benchmarks.decide:web", stores.environment) as server:
                found.append(_measured(server, count, seconds))
        print(_said(found[-1]))
    return found


def _said(each: Figures) -> str:
    return (
        f"{each.shops:6d} shops, {each.asked} asked about: p50 {each.again.p50_ms:.1f} ms, p99 "
        f"{each.again.p99_ms:.1f} ms, p99.9 {each.again.p999_ms:.1f} ms, {each.cpu_us:.0f} µs of processor; "
        f"first p50 {each.first.p50_ms:.0f} ms, p99 {each.first.p99_ms:.0f} ms; "
        f"{each.mb_a_shop:.2f} MB a shop, {each.first.failed + each.again.failed} failed"
    )


def _measured(server: Server, count: int, seconds: float) -> Figures:
    random = np.random.default_rng(count)
    shares = 1 / np.arange(1, count + 1)
    numbers = random.choice(count, size=int(COLD_A_SECOND * seconds), p=shares / shares.sum())
    asked = [_question(int(number), random) for number in numbers]
    before_mb = server.peak_mb()
    first = paced(server.port, asked, per_second=COLD_A_SECOND, seconds=seconds)
    grown_mb, before_s = server.peak_mb() - before_mb, server.cpu_s()
    again = paced(server.port, asked, per_second=WARM_A_SECOND, seconds=seconds)
    cpu_us = (server.cpu_s() - before_s) / (again.per_second * seconds) * 1e6
    loaded = len(set(numbers.tolist()))
    return Figures(count, loaded, first, again, cpu_us, grown_mb / loaded)


def shop_named(number: int) -> ShopDomain:
    return ShopDomain(f"shop-{number}.myshopify.com")


def _question(number: int, random: np.random.Generator) -> bytes:
    cart = random.choice(PRODUCTS, size=int(random.integers(1, 4)), replace=False) + 1
    return a_question(number, tuple(cart.tolist()), "checkout", a_token(number + 1, shop_named(number)))


async def fill(settings: Settings, redis_url: str, count: int) -> None:
    now = datetime.now(UTC)
    async with connect(settings, redis_url) as connections:
        async with connections.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        for start in range(0, count, AT_ONCE):
            shops = [shop_named(number) for number in range(start, min(start + AT_ONCE, count))]
            async with connections.write() as db:
                for row, rows in _rows(shops, now):
                    await (await db.connection()).execute(insert(table_of(row)), rows)
    model = replace(a_model(PRODUCTS), version="")
    for number in range(min(count, MODELS)):
        publish(settings.data_dir, shop_named(number), model, a_card(now))


def _rows(shops: Sequence[ShopDomain], now: datetime) -> list[tuple[type[SQLModel], list[dict[str, Any]]]]:
    made = ShopRow(shop="", publishable_key="", installed_at=now).model_dump()
    product = ProductRow(shop="", product_id=0, title="", created_at=now, updated_at=now).model_dump()
    variant = VariantRow(shop="", variant_id=0, product_id=0, price_minor=500).model_dump()
    each = [(shop, number) for shop in shops for number in range(1, PRODUCTS + 1)]
    return [
        (ShopRow, [made | {"shop": shop, "publishable_key": f"pk_{shop}"} for shop in shops]),
        (ProductRow, [product | {"shop": s, "product_id": n, "title": f"Product {n}"} for s, n in each]),
        (VariantRow, [variant | {"shop": s, "variant_id": 100 + n, "product_id": n} for s, n in each]),
    ]


if __name__ == "__main__":
    main()
