"""LightFM going on: salts went with salts and teas with teas, until shoppers began to pair them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import numpy as np
import polars as pl
import pytest

from app.recommend.card import Decision
from app.recommend.dataset import Dataset
from app.recommend.duel import Champion
from app.recommend.fit import Embeddings, FitParameters, fit_on
from app.recommend.model import Model
from app.recommend.read import build_dataset
from app.recommend.resume import resume
from app.recommend.terms import Weights, no_shifts
from app.recommend.train import train
from tests.recommend.shops import order_table, product_table

OLD = 900
SMALL = FitParameters(dimensions=8, epochs=5)
LATER = datetime(2026, 6, 1, tzinfo=UTC)


def pairs(orders: int, first: int = OLD) -> pl.DataFrame:
    """Return orders of a salt and the tea of the same number, by new customers; 99 is a new product."""
    random, rows = np.random.default_rng(1), []
    for order in range(first, first + orders):
        when = str(np.datetime64("2026-01-01T00:00:00") + np.timedelta64(order, "h"))
        at = int(random.integers(0, 9))
        rows += [(order, 100 + order % 7, when, at), (order, 100 + order % 7, when, at + 9)]
        if at == 0:
            rows.append((order, 100 + order % 7, when, 99))
    return pl.DataFrame(rows, schema=["order_id", "customer_id", "created_at", "product_id"], orient="row")


def shop(*orders: pl.DataFrame) -> Dataset:
    products = pl.concat([product_table(), pl.DataFrame({"product_id": [99], "title": ["salt new"]})])
    return build_dataset(pl.concat([order_table(OLD), *orders]), products)


@cache
def champion() -> Champion:
    """Return a model of the old orders in which only what LightFM learnt counts."""
    dataset = shop()
    trained = train(dataset, SMALL, datetime.fromtimestamp(dataset.now, UTC))
    learned = Weights(together=0.0, learned=1.0)
    model = replace(trained.model, version="v1", weights=learned, shifts=no_shifts())
    return Champion(trained.card, model)


def test_what_shoppers_do_now_is_learnt_and_told_from_what_serves() -> None:
    resumed = resume(champion(), shop(pairs(600)), SMALL, LATER)
    assert resumed is not None
    card = resumed.card
    assert card.decision.publish
    assert card.champion_difference is not None
    assert card.champion_difference.low > 0
    assert place(resumed.model, 3, 12) < place(champion().model, 3, 12)  # the tea of the same number


def test_the_card_says_when_it_was_learnt_in_full_and_keeps_its_figures() -> None:
    resumed = resume(champion(), shop(pairs(600)), SMALL, LATER)
    assert resumed is not None
    card, before = resumed.card, champion().card
    assert (card.trained_at, card.learnt_in_full_at) == (LATER, before.trained_at)
    assert card.figures == before.figures
    assert card.counts["orders"] == OLD + 600


def test_products_and_customers_who_came_since_are_learnt() -> None:
    resumed = resume(champion(), shop(pairs(600)), SMALL, LATER)
    assert resumed is not None
    model = resumed.model
    assert 99 in model.product_ids.tolist()
    assert set(range(100, 107)) <= set(model.customer_ids.tolist())
    new = model.customer_embeddings[model.customer_ids >= 100]
    assert np.abs(new).max(axis=1).min() > 0


def test_the_same_orders_give_the_same_model() -> None:
    first, second = (resume(champion(), shop(pairs(300)), SMALL, LATER) for _ in range(2))
    assert first is not None
    assert second is not None
    assert np.array_equal(first.model.item_embeddings, second.model.item_embeddings)
    assert first.card == second.card


def test_too_few_new_orders_are_left_for_later() -> None:
    assert resume(champion(), shop(), SMALL, LATER) is None
    assert resume(champion(), shop(pairs(49)), SMALL, LATER) is None


def test_a_model_that_learnt_nothing_has_nothing_to_go_on_from() -> None:
    plain = replace(
        champion().model, item_embeddings=np.zeros((len(champion().model.product_ids), 0), np.float32)
    )
    assert resume(Champion(champion().card, plain), shop(pairs(300)), SMALL, LATER) is None


def test_what_brings_nothing_does_not_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgets(start: Embeddings, *_: object, **__: object) -> Embeddings:
        return replace(start, items=-start.items)

    monkeypatch.setattr("app.recommend.resume.fit_on", forgets)
    as_before = order_table(OLD + 300).filter(pl.col("order_id") >= OLD)
    resumed = resume(champion(), shop(as_before), SMALL, LATER)
    assert resumed is not None
    assert resumed.card.decision == Decision(False, resumed.card.decision.reason)
    assert "went on with 300 new orders" in resumed.card.decision.reason


def test_what_many_orders_taught_moves_less_than_what_few_did() -> None:
    dataset, start = shop(pairs(100)), embeddings(champion().model)
    few, many = (
        fit_on(start, np.full(len(start.items), sold, np.int32), dataset.baskets, replace(SMALL, epochs=1))
        for sold in (1, 10_000)
    )
    assert np.abs(many.items - start.items).mean() < np.abs(few.items - start.items).mean() / 5


def place(model: Model, cart: int, product_id: int) -> int:
    return [one.product_id for one in model.rank([cart], k=30)].index(product_id)


def embeddings(model: Model) -> Embeddings:
    customers = np.zeros((100, model.item_embeddings.shape[1]), dtype=np.float32)
    return Embeddings(model.item_embeddings, model.item_biases, model.cart_embeddings, customers)
