"""What the validation carts choose is what ranks them best."""

from __future__ import annotations

import numpy as np
import pytest

from app.recommend.blend import PLAIN, _leader, among_all, choose_cosine, rows_of, weigh
from app.recommend.cases import Case, make_cases
from app.recommend.metrics import ndcg_at_k
from app.recommend.model import Model, Weights
from app.recommend.term_weights import collect, learn_weights, log_loss
from app.recommend.terms import TERMS, Past
from tests.recommend.factories import a_model, linked
from tests.recommend.shops import a_shop


def mean_ndcg(model: Model, cases: list[Case]) -> float:
    ranked = [model.rank(case.cart, k=10, history=case.history, orders=case.orders) for case in cases]
    found = [[one.product_id for one in best] for best in ranked]
    return float(np.mean([ndcg_at_k(ids, case.wanted, 10) for ids, case in zip(found, cases, strict=True)]))


def a_shop_of_habits() -> tuple[Model, list[Case]]:
    """Return a model whose neighbours mislead, and shoppers who buy what they bought before."""
    model = a_model(40, **linked(40, {(0, item): 0.9 for item in range(1, 15)}))
    cases = [
        Case((10,), frozenset({400 - at}), None, {400 - at: Past(2, 5)}, 3) for at in range(0, 100, 10)
    ] * 4
    return model, cases


def test_shoppers_of_habit_give_what_they_bought_its_weight() -> None:
    model, cases = a_shop_of_habits()
    learnt = weigh(model, cases, seed=0)
    assert learnt.weights.bought + learnt.shifts[0, TERMS.index("bought")] > 0
    assert mean_ndcg(learnt, cases) > mean_ndcg(model, cases)


def test_plain_weights_stand_where_learnt_ones_do_no_better() -> None:
    model = a_model(40, **linked(40, {(0, 1): 0.9}))
    assert weigh(model, [Case((10,), frozenset({20}), None, {})] * 4, seed=0).weights == Weights()


def test_a_few_carts_move_the_weights_little_and_many_move_them_far() -> None:
    model, cases = a_shop_of_habits()
    few, many = (learn_weights(model, some, rows_of(model), among_all, 2) for some in (cases[:1], cases * 5))
    moved = [float(np.abs(rows - rows_of(model)).sum()) for rows in (few, many)]
    assert moved[0] < moved[1] / 2


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    model, cases = a_shop_of_habits()
    lists = collect(model, cases, among_all, 0)
    assert lists is not None
    random = np.random.default_rng(0)
    at, step = random.normal(0, 0.3, (4, len(TERMS))), random.normal(0, 1e-3, (4, len(TERMS)))
    ahead, behind = log_loss(lists, at + step)[0], log_loss(lists, at - step)[0]
    assert ahead - behind == pytest.approx(2 * float((log_loss(lists, at)[1] * step).sum()), rel=0.02)


def test_the_same_carts_choose_the_same_way_to_count() -> None:
    shop = a_shop(400)
    split = shop.split()
    cases = make_cases(shop, split.train, split.validation, most=100, seed=0)
    first, second = (choose_cosine(shop.items, split.train, cases) for _ in range(2))
    assert first == second


def test_the_one_before_leads_unless_the_lead_is_more_than_its_standard_error() -> None:
    one = np.array([0.2, 0.4, 0.6, 0.8])
    # Leads of 0.1 and of 0.025 on average; the second one's standard error is 0.037.
    assert _leader([one, one + 0.1]) == 1
    assert _leader([one, one + np.array([0.1, -0.1, 0.1, 0.0])]) == 0
    assert _leader([one, one - 0.1, one]) == 0


def test_a_shop_whose_blend_misleads_serves_what_plainly_goes_with_the_cart() -> None:
    # Best sellers lead away; what is bought differs from cart to cart, and too few carts teach weights that.
    popularity = np.array([1.0] * 30 + [90.0] * 10, dtype=np.float32)
    links = {(at, at + 10): 0.9 for at in range(10)}
    model = a_model(
        40, popularity=popularity, weights=Weights(together=0.1, popular=3.0), **linked(40, links)
    )
    cases = [Case(((at + 1) * 10,), frozenset({(at + 11) * 10}), None, {}) for at in range(10)] * 2
    served = weigh(model, cases, seed=0)
    assert mean_ndcg(model, cases) == 0
    assert mean_ndcg(served, cases) == 1
    assert PLAIN[0] == Weights(together=1.0)
