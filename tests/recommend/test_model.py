"""What the ranking promises to decide: order, exclusions, reasons, and no surprise on strange input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommend.model import Model, Weights, top
from app.recommend.pull import pull
from app.recommend.terms import TERMS, Past
from tests.recommend.factories import a_model, linked


def ids(model: Model, *args: object, **options: object) -> list[int]:
    return [scored.product_id for scored in model.rank(*args, **options)]  # type: ignore[arg-type]


def test_what_goes_with_the_cart_comes_first_and_says_with_what() -> None:
    model = a_model(4, **linked(4, {(0, 1): 0.2, (0, 2): 0.7, (3, 1): 0.1}))
    best = model.rank([10, 40], k=2)
    assert [scored.product_id for scored in best] == [30, 20]
    assert (best[0].reasons[0].reason, best[0].reasons[0].with_product_id) == ("bought_together", 10)


def test_cart_items_and_disallowed_items_never_come_back() -> None:
    model = a_model(4, **linked(4, {(0, 1): 0.9, (0, 2): 0.5}))
    assert ids(model, [10], allowed=np.array([True, False, True, True])) == [30, 40]


def test_unknown_products_are_ignored() -> None:
    model = a_model(4, **linked(4, {(0, 1): 0.9}))
    assert ids(model, [10, 999, -1], k=1) == [20]
    assert ids(model, [999], k=9, history={888: Past(2, 0)}) == [10, 20, 30, 40]


def test_an_empty_cart_gets_the_best_sellers() -> None:
    best = a_model(3, popularity=np.array([1, 9, 3], dtype=np.float32)).rank([], k=2)
    assert [scored.product_id for scored in best] == [20, 30]
    assert best[0].reasons[0].reason == "popular"


def test_a_shopper_sees_what_they_buy_again() -> None:
    model = a_model(4, weights=Weights(repeats=2), **linked(4, {(0, 1): 0.1}))
    best = model.rank([10], k=1, history={40: Past(5, 3)}, orders=6)
    assert best[0].product_id == 40
    assert (best[0].reasons[0].reason, best[0].reasons[0].with_product_id) == ("goes_with_history", 40)


def test_a_known_customer_turns_the_learned_scores() -> None:
    taste = np.array([[1.0], [-1.0]], dtype=np.float32)
    model = a_model(
        2,
        dimensions=1,
        weights=Weights(learned=1),
        item_embeddings=taste,
        customer_ids=np.array([7, 8], dtype=np.int64),
        customer_embeddings=-taste,
    )
    assert ids(model, [], customer_id=7) == [20, 10]
    assert ids(model, [], customer_id=8) == [10, 20]
    assert ids(model, [], customer_id=99) == [10, 20]
    assert model.rank([], customer_id=7)[0].reasons[0].reason == "goes_with_history"


def test_a_product_nobody_bought_is_similar_and_not_bought_together() -> None:
    orders = np.array([5, 0], dtype=np.int32)
    best = a_model(2, orders=orders, **linked(2, {(0, 1): 0.5})).rank([10])
    assert [(reason.reason, reason.with_product_id) for reason in best[0].reasons] == [("similar", 10)]


def test_a_new_product_says_so_when_newness_counts() -> None:
    model = a_model(3, weights=Weights(fresh=1), freshness=np.array([0, 0, 1], dtype=np.float32))
    best = model.rank([], k=1)
    assert (best[0].product_id, best[0].reasons[0].reason) == (30, "new_in")


def test_the_last_places_are_kept_for_products_never_sold() -> None:
    links = linked(4, {(0, 1): 0.9, (0, 2): 0.8, (0, 3): 0.1})
    model = a_model(4, orders=np.array([3, 3, 3, 0], dtype=np.int32), **links)
    assert ids(model, [10], k=2) == [20, 30]
    assert ids(model, [10], k=2, new_slots=1) == [20, 40]
    assert ids(a_model(4, **links), [10], k=2, new_slots=1) == [20, 30]


def test_too_few_candidates_open_the_whole_catalogue() -> None:
    model = a_model(300, popularity=np.arange(300, 0, -1, dtype=np.float32))
    allowed = np.zeros(300, dtype=np.bool_)
    allowed[[250, 299]] = True
    assert ids(model, [10], allowed=allowed) == [2510, 3000]


def test_a_model_of_no_products_recommends_nothing() -> None:
    assert a_model(0).rank([1, 2], history={3: Past(1, 0)}) == []


def random_model(seed: int, items: int = 30, dimensions: int = 3) -> Model:
    random = np.random.default_rng(seed)
    links = {
        (int(row), int(item)): float(random.random())
        for row, item in random.integers(0, items, (60, 2))
        if row != item
    }
    return a_model(
        items,
        dimensions,
        weights=Weights(*random.normal(0.3, 0.4, len(TERMS)).tolist()),
        shifts=random.normal(0, 0.1, (3, len(TERMS))),
        recent=random.random(items).astype(np.float32),
        kinds=random.integers(0, 6, items).astype(np.int32),
        popularity=random.random(items).astype(np.float32),
        freshness=random.random(items).astype(np.float32),
        item_embeddings=random.normal(size=(items, dimensions)).astype(np.float32),
        item_biases=random.normal(size=items).astype(np.float32),
        cart_embeddings=random.normal(size=(items, dimensions)).astype(np.float32),
        **linked(items, links),
    )


def z(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std() if values.std() > 1e-6 else np.zeros(len(values))


def slow_terms(model: Model, cart: list[int], history: dict[int, Past], orders: int) -> dict[str, np.ndarray]:
    """Return what each term says of every product, written as the words of `Weights` read."""
    n = len(model.product_ids)
    at, before = [p // 10 - 1 for p in cart], {p // 10 - 1: past for p, past in history.items()}
    terms = {name: np.zeros(n) for name in TERMS}
    together, with_history, repeats = np.zeros(n), np.zeros(n), np.zeros(n)
    for row in at:
        np.add.at(together, model.neighbours[row], model.neighbour_weights[row])
    for row, past in before.items():
        halved = past.times * 0.5 ** (past.days / 90)
        np.add.at(with_history, model.neighbours[row], model.neighbour_weights[row] * halved)
        repeats[row] = np.log1p(halved)
        share = (past.times / max(orders, past.times)) ** 0.5
        terms["times"][row], terms["bought"][row] = np.log1p(past.times), 1
        terms["twice"][row], terms["rate"][row] = past.times > 1, share
        terms["month"][row] = np.log1p(past.times * 0.5 ** (past.days / 30))
        terms["rate_lately"][row] = share * 0.5 ** (past.days / 30)
    taste = model.cart_embeddings[at].sum(axis=0) / np.sqrt(max(len(at), 1))
    terms["together"], terms["with_history"] = z(np.sqrt(together)), z(np.sqrt(with_history))
    terms["learned"], terms["repeats"] = z(model.item_embeddings @ taste + model.item_biases), z(repeats)
    terms["learned_item"] = model.item_biases - model.item_biases.mean()
    terms["popular"], terms["recent"] = z(np.log1p(model.popularity)), z(np.log1p(model.recent))
    terms["fresh"] = model.freshness
    in_cart = [model.kinds[row] for row in at]
    for item, kind in enumerate(model.kinds):
        alike = model.kinds == kind
        terms["same_kind"][item] = min(in_cart.count(kind), 2)
        terms["kind_popular"][item] = np.log1p(model.popularity[alike].mean())
        bought = sum(np.expm1(repeats[row]) for row in before if model.kinds[row] == kind)
        if before:
            terms["kind_history"][item] = (bought / np.expm1(repeats).sum()) ** 0.5
    for name in ("together", "popular"):
        terms[f"{name}_again"] = terms[name] * terms["bought"]
    return terms


def slow_scores(model: Model, cart: list[int], history: dict[int, Past], orders: int) -> np.ndarray:
    """Return every product's score: the weighted terms, weights shifted by who asks with how full a cart."""
    known = bool(history)
    shift = known * model.shifts[0] + np.log(max(len(cart), 1)) * model.shifts[1]
    weights = model.weights.row() + shift + known * np.log1p(orders) * model.shifts[2]
    if not cart:
        weights[TERMS.index("popular")] = max(weights[TERMS.index("popular")], 1)
    terms = slow_terms(model, cart, history, orders)
    return sum(weight * terms[name] for name, weight in zip(TERMS, weights, strict=True))


CARTS = st.lists(st.integers(1, 30).map(lambda at: at * 10), unique=True, max_size=6)
PASTS = st.builds(Past, st.integers(1, 9), st.floats(0, 300))
HISTORIES = st.dictionaries(st.integers(1, 30).map(lambda at: at * 10), PASTS, max_size=8)


@given(st.integers(0, 50), CARTS, HISTORIES, st.integers(0, 20))
def test_ranking_agrees_with_the_recipe_over_the_whole_catalogue(
    seed: int, cart: list[int], history: dict[int, Past], orders: int
) -> None:
    model = random_model(seed)
    scores = slow_scores(model, cart, history, orders)
    ranked = model.rank(cart, k=5, history=history, orders=orders)
    outside = np.setdiff1d(np.arange(30), [product_id // 10 - 1 for product_id in cart])
    assert [one.score for one in ranked] == pytest.approx(np.sort(scores[outside])[::-1][:5], abs=1e-4)
    assert [scores[one.product_id // 10 - 1] for one in ranked] == pytest.approx(
        [one.score for one in ranked], abs=1e-4
    )


@given(st.integers(0, 50), CARTS, HISTORIES, st.integers(0, 40))
def test_every_answer_has_distinct_products_falling_scores_and_shares_of_one(
    seed: int, cart: list[int], history: dict[int, Past], k: int
) -> None:
    ranked = random_model(seed).rank(cart, k=k, history=history)
    found = [one.product_id for one in ranked]
    assert len(found) == len(set(found)) == min(k, 30 - len(cart))
    assert not set(found) & set(cart)
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    for one in ranked:
        assert one.reasons
        # What is under 5 % is not said: of the five reasons at most four can be missing.
        assert 0.8 <= sum(reason.weight for reason in one.reasons) <= 1.000001


@given(st.lists(st.integers(-5, 5), max_size=30), st.integers(0, 35))
def test_top_is_a_stable_sort_cut_short(values: list[int], k: int) -> None:
    expected = sorted(range(len(values)), key=lambda at: -values[at])[:k]
    assert top(np.array(values, dtype=np.float64), k).tolist() == expected


def test_equal_values_have_no_z_score() -> None:
    assert pull(np.full(4, 2.5)).at(np.array([0, 3])).tolist() == [0, 0]
