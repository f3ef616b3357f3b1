from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from app.connections import Connections, redis_key
from app.recommend.growth import growth_of, request_due_training
from app.tables import ModelRow, OrderRow, ProductRow, ShopRow
from tests.recommend.test_publish import a_card

SHOP = "a.myshopify.com"


def ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


async def keep(connections: Connections, *rows: Any) -> None:
    async with connections.write() as db:
        for row in rows:
            db.add(row)


def order(order_id: int, days: float) -> OrderRow:
    at = ago(days)
    return OrderRow(shop=SHOP, order_id=order_id, currency="USD", created_at=at, updated_at=at)


def model(version: str, days: float, **card: Any) -> ModelRow:
    written = msgspec.structs.replace(a_card(), trained_at=ago(days), version=version, **card)
    return ModelRow(
        shop=SHOP, version=version, status="champion", card=msgspec.to_builtins(written), trained_at=ago(days)
    )


async def asked(connections: Connections, job: str) -> bool:
    return bool(await connections.redis.exists(redis_key(SHOP, "waiting", job)))


@pytest.mark.parametrize(
    ("trained_days_ago", "ordered_days_ago", "wanted"),
    [
        (2, 1, True),  # an order since, where there were hardly any
        (0.1, 0.05, False),  # the model is of today
        (3, 4, False),  # nothing since
        (None, 1, False),  # the import asks for the first training
    ],
)
async def test_a_model_is_trained_anew_when_there_are_orders_it_has_not_seen(
    connections: Connections, trained_days_ago: float | None, ordered_days_ago: float, wanted: bool
) -> None:
    shop = ShopRow(shop=SHOP, publishable_key="pk", installed_at=ago(9))
    await keep(connections, shop, order(1, ordered_days_ago))
    if trained_days_ago is not None:
        await keep(connections, model("1", trained_days_ago))
    await request_due_training(connections)
    assert await asked(connections, "train") is wanted


async def test_a_version_that_went_on_counts_from_its_training_in_full(connections: Connections) -> None:
    card = {"learnt_in_full_at": ago(3), "basis": "blend", "counts": {"orders": 50, "products": 4}}
    await keep(connections, model("1", 3, counts={"orders": 40}), model("2", 1, **card))
    await keep(connections, *(order(each, days) for each, days in enumerate((4, 2, 2, 0.5))))
    new = ProductRow(shop=SHOP, product_id=1, title="New", created_at=ago(2), updated_at=ago(2))
    await keep(connections, new)
    growth = await growth_of(connections, SHOP)
    assert growth is not None
    assert (growth.orders, growth.new_orders, growth.unlearnt) == (50, 3, 1)
    assert (growth.products, growth.new_products, growth.learns) == (4, 1, True)


async def test_going_on_is_asked_for_and_not_again_while_it_rests(connections: Connections) -> None:
    await keep(connections, ShopRow(shop=SHOP, publishable_key="pk", installed_at=ago(9)))
    await keep(connections, model("1", 1, basis="blend", counts={"orders": 1_000, "products": 9}))
    await keep(connections, *(order(each, 0.5) for each in range(60)))
    await request_due_training(connections)
    assert (await asked(connections, "resume"), await asked(connections, "train")) == (True, False)
    await connections.redis.delete(redis_key(SHOP, "waiting", "resume"))
    await connections.redis.set(redis_key(SHOP, "resting", "resume"), 1)
    await request_due_training(connections)
    assert not await asked(connections, "resume")
