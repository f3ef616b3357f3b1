"""What was ordered and added since reaches the serving model without a training."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from app.connections import Connections, redis_key
from app.errors import ModelUnusable
from app.recommend.card import Card, Decision
from app.recommend.fit import FitParameters
from app.recommend.publish import current_version, latest, publish, version_path
from app.recommend.read import build_dataset
from app.recommend.recount import recounted
from app.recommend.refresh import publish_recounted, refresh_shop, request_due_refreshes
from app.recommend.retrain import train_shop
from app.recommend.rollback import roll_back
from app.recommend.train import TrainedModel, train
from app.segment_tables import ReviewRow
from app.tables import ProductRow
from app.values import ShopDomain
from tests.recommend.shops import a_shop, order_table, product_table
from tests.recommend.test_retrain import OTHER, SHOP, SMALL, START, models, sell
from tests.test_live import install

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LEARNING = FitParameters(dimensions=8, epochs=3)


@cache
def a_trained_shop() -> TrainedModel:
    """A training of 1,200 orders, for all who make something else of it."""
    return train(a_shop(1_200), LEARNING, NOW)


def serving(card: Card) -> Card:
    return msgspec.structs.replace(card, decision=Decision(True, "for a test"))


async def add(connections: Connections, product_id: int) -> None:
    """Let the shop have a product more."""
    title = f"Product {product_id}"
    row = ProductRow(shop=SHOP, product_id=product_id, title=title, created_at=START, updated_at=START)
    async with connections.write() as db:
        db.add(row)


def later_orders(product_ids: list[int], orders: int = 40) -> pl.DataFrame:
    """Return orders of these products together, after those of the shop."""
    rows = [(10_000 + order, 3, "2026-05-01", each) for order in range(orders) for each in product_ids]
    return pl.DataFrame(rows, schema=["order_id", "customer_id", "created_at", "product_id"], orient="row")


def test_new_orders_change_neighbours_and_best_sellers_and_leave_weights_alone() -> None:
    trained = a_trained_shop()
    more = pl.concat([order_table(1_200), later_orders([0, 9])])
    fresh = recounted(trained.model, trained.card, build_dataset(more, product_table()))
    zero, nine = fresh.positions([0, 9])
    assert nine not in trained.model.neighbours[zero]
    assert fresh.neighbours[zero, 0] == nine
    ratio = fresh.recent / trained.model.recent.clip(1e-9)
    assert ratio[zero] > 2 * ratio[1]  # bought since, beside what was not
    assert fresh.weights == trained.model.weights
    assert np.array_equal(fresh.item_embeddings, trained.model.item_embeddings)


def test_a_new_product_can_be_recommended_and_stands_where_those_like_it_do() -> None:
    trained = a_trained_shop()
    added = pl.concat([product_table(), pl.DataFrame({"product_id": [20], "title": ["tea from the hills"]})])
    fresh = recounted(trained.model, trained.card, build_dataset(order_table(1_200), added))
    at = fresh.positions([20])[0]
    assert fresh.orders[at] == 0
    visit = fresh.visit([9, 10], None, {})
    assert fresh.rank_new(visit, None, 1)[0].product_id == 20  # a tea, to teas
    if fresh.item_embeddings.shape[1]:
        teas = fresh.positions(list(range(9, 18)))
        assert np.allclose(fresh.item_embeddings[at], fresh.item_embeddings[teas].mean(axis=0), atol=0.5)


def test_a_product_that_is_gone_is_forgotten() -> None:
    trained = a_trained_shop()
    without = order_table(1_200).filter(pl.col("product_id") != 5)
    products = product_table().filter(pl.col("product_id") != 5)
    fresh = recounted(trained.model, trained.card, build_dataset(without, products))
    assert not len(fresh.positions([5]))
    assert fresh.rank([0, 5], k=3)


@pytest.mark.parametrize(("orders", "basis"), [(0, "content"), (30, "popularity"), (100, "neighbours")])
def test_a_shop_that_gets_its_first_orders_outgrows_likeness(orders: int, basis: str) -> None:
    trained = train(a_shop(0), LEARNING, NOW)
    assert recounted(trained.model, trained.card, a_shop(orders)).basis == basis


def test_the_successor_takes_the_place_of_what_it_was_made_from(tmp_path: Path) -> None:
    trained = train(a_shop(300), LEARNING, NOW)
    shop = ShopDomain("harvest-lane.myshopify.com")
    card: Card = publish(tmp_path, shop, trained.model, serving(trained.card))
    more = build_dataset(pl.concat([order_table(300), later_orders([0, 9])]), product_table())
    after = publish_recounted(tmp_path, shop, card.version, more)
    assert after.version != card.version
    assert (after.trained_at, after.figures) == (card.trained_at, card.figures)
    assert current_version(tmp_path, shop) == card.version  # until it is withdrawn


async def test_an_added_product_reaches_the_model_and_nothing_else_is_retrained(
    connections: Connections,
) -> None:
    await sell(connections, SHOP, 120)
    before = await train_shop(connections, SHOP, SMALL)
    await add(connections, 99)
    after = await refresh_shop(connections, SHOP)
    assert after is not None
    model = latest(connections.settings.data_dir, SHOP)
    assert model is not None
    assert model.version == after.version
    assert 99 in model.product_ids
    assert await models(connections, SHOP) == [(after.version, "champion")]
    assert after.trained_at == before.trained_at


async def test_nothing_new_changes_nothing(connections: Connections) -> None:
    await sell(connections, SHOP, 120)
    card = await train_shop(connections, SHOP, SMALL)
    assert await refresh_shop(connections, SHOP) is None
    assert current_version(connections.settings.data_dir, SHOP) == card.version


async def test_a_shop_that_nothing_serves_is_left_to_its_training(connections: Connections) -> None:
    await sell(connections, OTHER, 5)
    assert await refresh_shop(connections, OTHER) is None


async def due(connections: Connections) -> bool:
    """Return whether a refresh is asked for now, whoever rests."""
    await connections.redis.delete(redis_key(SHOP, "fresh", "rest"), redis_key(SHOP, "waiting", "freshen"))
    await request_due_refreshes(connections)
    return bool(await connections.redis.exists(redis_key(SHOP, "waiting", "freshen")))


class AMinuteLater(datetime):
    """A clock that goes ahead: versions tell trainings apart by the second."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(minutes=1)


async def test_a_version_that_is_gone_back_to_has_what_came_since(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await install(connections, SHOP)
    await sell(connections, SHOP, 120)
    await train_shop(connections, SHOP, SMALL)
    await add(connections, 98)
    monkeypatch.setattr("app.recommend.retrain.datetime", AMinuteLater)
    await train_shop(connections, SHOP, SMALL)
    await add(connections, 99)
    await refresh_shop(connections, SHOP)
    assert not await due(connections)
    await roll_back(connections, SHOP)
    assert await due(connections)
    await refresh_shop(connections, SHOP)
    model = latest(connections.settings.data_dir, SHOP)
    assert model is not None
    assert 99 in model.product_ids
    assert not await due(connections)


async def test_what_cannot_be_refreshed_rests_as_well(connections: Connections) -> None:
    await install(connections, SHOP)
    await sell(connections, SHOP, 20)
    card = await train_shop(connections, SHOP, SMALL)
    (version_path(connections.settings.data_dir, SHOP, card.version) / "orders.npy").write_bytes(b"torn")
    with pytest.raises(ModelUnusable):
        await refresh_shop(connections, SHOP)
    assert await connections.redis.exists(redis_key(SHOP, "fresh", "rest"))


async def test_whoever_is_left_out_is_not_named_in_what_was_seen(connections: Connections) -> None:
    await sell(connections, SHOP, 20)
    await train_shop(connections, SHOP, SMALL)
    async with connections.write() as db:
        row = ReviewRow(shop=SHOP, customer_id=7_700_123, reason="bulk", found_at=NOW, verdict="excluded")
        db.add(row)
    await refresh_shop(connections, SHOP)
    assert b"7700123" not in await connections.redis.get(redis_key(SHOP, "fresh", "seen"))
