"""What somebody has is offered anew where the shop's customers buy the same again, and only there."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from app.recommend.assemble import default_recipe
from app.recommend.dataset import Baskets, Dataset
from app.recommend.fit import FitParameters
from app.recommend.read import build_dataset
from app.recommend.repurchase import USUAL, repurchase_lift
from app.recommend.terms import Past
from app.recommend.train import train


def a_shop_of(orders_each: int, *, again: bool, shoppers: int = 60, products: int = 12) -> Dataset:
    """Return a shop of one product an order: each shopper buys theirs again, or another each time."""
    rows = [
        (f"{turn}-{shopper}", shopper + 1, f"2026-01-{turn + 1:02d}",
         (shopper if again else shopper + turn) % products + 1)
        for turn in range(orders_each)
        for shopper in range(shoppers)
    ]  # fmt: skip
    return build_dataset(
        pl.DataFrame(rows, schema=["order_id", "customer_id", "created_at", "product_id"], orient="row")
    )


@pytest.mark.parametrize(("again", "first"), [(True, True), (False, False)])
def test_what_somebody_has_comes_first_where_people_buy_the_same_again(again: bool, first: bool) -> None:
    shop = a_shop_of(5, again=again)
    model = train(shop, FitParameters(epochs=1), datetime(2026, 3, 1, tzinfo=UTC)).model
    assert model.basis == "popularity"
    ranked = [each.product_id for each in model.rank([3], k=11, history={7: Past(1, 20.0)}, orders=1)]
    assert (ranked[0] == 7, ranked[-1] == 7) == (first, not first)


def test_the_more_there_is_to_tell_the_further_it_goes() -> None:
    reached = [repurchase_lift(a_shop_of(turns, again=False).baskets) for turns in (1, 2, 3, 6)]
    assert reached[0] == pytest.approx(np.log(USUAL))
    assert reached == sorted(reached, reverse=True)
    assert reached[-1] < 0


def test_it_is_how_often_the_same_is_bought_next_beside_how_often_others_buy_it() -> None:
    # Shopper 0 buys product 0 twice, shopper 1 product 1 and then 0: in half of the next orders.
    bought, by = np.array([0, 1, 0, 0], np.int32), np.array([0, 1, 0, 1], np.int32)
    baskets = Baskets(np.arange(5), bought, np.arange(4), by)
    # By chance: product 0 is in 1 of shopper 1's 2 orders, product 1 in none of shopper 0's.
    assert repurchase_lift(baskets) == pytest.approx(np.log((1 + USUAL) / (0.5 + 1)))


def test_a_shop_of_nobody_known_has_the_default_weights() -> None:
    anonymous = Baskets(np.arange(3), np.array([0, 0], np.int32), np.arange(2), np.array([-1, -1], np.int32))
    assert default_recipe(anonymous).weights.repeats == 0.5


def test_who_bought_it_twice_all_the_same_is_not_kept_from_it() -> None:
    weights = default_recipe(a_shop_of(6, again=False).baskets).weights
    assert weights.repeats == 0
    assert weights.bought < -1
    assert weights.bought + weights.twice == 0
