"""What the validation carts choose is what ranks them best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.recommend.blend import choose_cosine, choose_weights
from app.recommend.cases import Case, make_cases
from app.recommend.metrics import ndcg_at_k
from app.recommend.model import Model, Weights
from tests.recommend.factories import a_model, linked
from tests.recommend.shops import a_shop


def mean_ndcg(model: Model, cases: list[Case]) -> float:
    ranked = [model.rank(case.cart, k=10, history=case.history) for case in cases]
    found = [[one.product_id for one in best] for best in ranked]
    return float(np.mean([ndcg_at_k(ids, case.wanted, 10) for ids, case in zip(found, cases, strict=True)]))


def a_shop_of_habits() -> tuple[Model, list[Case]]:
    """Return a model whose neighbours mislead, and shoppers who buy what they bought before."""
    model = a_model(40, **linked(40, {(0, item): 0.9 for item in range(1, 15)}))
    cases = [Case((10,), frozenset({400 - at}), None, {400 - at: 2}) for at in range(0, 100, 10)]
    return model, cases


def test_shoppers_of_habit_give_repeats_their_weight() -> None:
    model, cases = a_shop_of_habits()
    chosen = choose_weights(model, cases)
    assert chosen.repeats > 0
    better, plain = (mean_ndcg(replace(model, weights=one), cases) for one in (chosen, Weights()))
    assert better > plain


def test_a_term_that_does_not_help_gets_no_weight() -> None:
    model = a_model(40, **linked(40, {(0, 1): 0.9}))
    assert choose_weights(model, [Case((10,), frozenset({20}), None, {})]) == Weights()


def test_the_same_carts_choose_the_same_way_to_count() -> None:
    shop = a_shop(400)
    split = shop.split()
    cases = make_cases(shop, split.train, split.validation, most=100, seed=0)
    first, second = (choose_cosine(shop.items, split.train, cases) for _ in range(2))
    assert first == second
