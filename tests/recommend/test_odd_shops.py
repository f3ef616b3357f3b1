"""Shops that nobody thinks of: a sensible answer all the same, at every size."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from app.recommend.card import OURS
from app.recommend.dataset import Dataset
from app.recommend.fit import FitParameters
from app.recommend.model import Model, Weights
from app.recommend.read import build_dataset
from app.recommend.terms import Past
from app.recommend.train import train
from tests.recommend.factories import a_model
from tests.recommend.shops import a_shop

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SMALL = FitParameters(dimensions=8, epochs=2)


def orders_of(*baskets: list[int]) -> pl.DataFrame:
    rows = [(order, 7, "2026-01-01", each) for order, basket in enumerate(baskets, 1) for each in basket]
    columns = {"order_id": pl.Int64, "customer_id": pl.Int64, "created_at": pl.String, "product_id": pl.Int64}
    return pl.DataFrame(rows, schema=columns, orient="row")


def model_of(dataset: Dataset) -> Model:
    return train(dataset, SMALL, NOW).model


@pytest.mark.parametrize(
    ("orders", "basis"),
    [(0, "content"), (10, "popularity"), (100, "neighbours"), (1_000, "blend"), (4_000, "blend")],
)
def test_the_basis_grows_with_the_shop_and_never_does_worse_than_best_sellers(
    orders: int, basis: str
) -> None:
    trained = train(a_shop(orders), SMALL, NOW)
    assert trained.card.basis == basis
    assert trained.card.decision.publish
    assert len(trained.model.rank([0], k=4, history={1: Past(1, 3)}, orders=1)) == 4
    if figures := trained.card.figures:
        assert figures[OURS]["ndcg_at_10"] >= figures["popularity"]["ndcg_at_10"]


def test_one_product_leaves_nothing_to_go_with_it() -> None:
    model = model_of(build_dataset(orders_of([1], [1])))
    assert model.rank([1], k=4) == []
    assert [one.product_id for one in model.rank([], k=4)] == [1]


def test_one_order_recommends_its_rest() -> None:
    model = model_of(build_dataset(orders_of([1, 2, 3])))
    assert {one.product_id for one in model.rank([1], k=4)} == {2, 3}


def test_orders_that_are_all_the_same_are_learnt_from_all_the_same() -> None:
    model = model_of(build_dataset(orders_of(*([[1, 2, 3]] * 200))))
    assert {one.product_id for one in model.rank([1], k=4)} == {2, 3}
    assert all(np.isfinite(one.score) for one in model.rank([1], k=4))


def test_products_without_a_word_have_no_kind_and_no_features() -> None:
    products = pl.DataFrame({"product_id": [1, 2, 3], "title": ["", "", ""]})
    model = model_of(build_dataset(orders_of([1, 2]), products))
    assert len(set(model.kinds.tolist())) == 3
    assert len(model.rank([1], k=4)) == 2


def test_a_product_deleted_since_training_is_ignored_in_cart_and_history() -> None:
    model = a_model(4)
    assert len(model.rank([10, 77], k=4, history={88: Past(3, 1)}, orders=2)) == 3


@pytest.mark.parametrize(
    "strange",
    [{10: Past(0, 0)}, {10: Past(0, 0), 20: Past(1e9, 0), 30: Past(1, 1e9)}, {10: Past(1, 1e9)}],
)
def test_every_answer_is_finite_whatever_the_history_says(strange: dict[int, Past]) -> None:
    model = a_model(4, kinds=np.array([0, 0, 1, 2], dtype=np.int32))
    for one in model.rank([40], k=4, history=strange, orders=0):
        assert np.isfinite(one.score)


def test_a_very_large_catalogue_is_ranked_from_candidates() -> None:
    items = 200_000
    sold = np.arange(items, dtype=np.float32)
    model = a_model(items, weights=Weights(popular=1.0), popularity=sold)
    best = model.rank([10], k=4)
    assert [one.product_id for one in best] == [10 * items - 10 * at for at in range(4)]
