"""Trees say what weights can't, against a slow reading of them, and serve as they were learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommend.assemble import kind_links, kinds, rebought
from app.recommend.blend import weigh, with_trees
from app.recommend.boosting import RankedCandidates, boost
from app.recommend.cases import Case
from app.recommend.dataset import Baskets
from app.recommend.model import Model
from app.recommend.ranking import RESCORED, TREE_FEATURES, links, tree_features
from app.recommend.terms import TERMS, Past, Weights
from app.recommend.trees import DEPTH, Trees, corrections, no_trees
from tests.recommend.factories import a_model, linked
from tests.recommend.shops import a_shop


def some_trees(count: int, seed: int = 0) -> Trees:
    random = np.random.default_rng(seed)
    return Trees(
        random.integers(0, TREE_FEATURES, (count, DEPTH)).astype(np.int32),
        random.normal(size=(count, DEPTH)).astype(np.float32),
        random.normal(size=(count, 1 << DEPTH)).astype(np.float32),
    )


def slow_corrections(trees: Trees, facts: np.ndarray) -> list[float]:
    """Ask one question after the other."""
    totals = []
    for column in facts.T:
        total = 0.0
        for asks, edges, leaves in zip(*trees, strict=True):
            answers = ["1" if column[ask] > edge else "0" for ask, edge in zip(asks, edges, strict=True)]
            total += float(leaves[int("".join(answers), 2)])
        totals.append(total)
    return totals


@given(st.integers(0, 100), st.integers(1, 9), st.integers(1, 9))
def test_all_trees_at_once_answer_as_one_question_after_the_other(seed: int, count: int, rows: int) -> None:
    facts = np.random.default_rng(seed + 1).normal(size=(TREE_FEATURES, rows)).astype(np.float32)
    trees = some_trees(count, seed)
    assert corrections(trees, facts).tolist() == pytest.approx(slow_corrections(trees, facts), abs=1e-4)


def test_trees_learn_what_only_holds_together() -> None:
    """Wanted is what has exactly one of two marks: no weight of either mark can say that."""
    random = np.random.default_rng(0)
    marks = (random.random((6, 400 * 8)) < 0.3).astype(np.float32)
    wanted = (marks[0] != marks[1]).astype(np.float64)
    wanted[::8], wanted[1::8] = 1, 0  # each cart wants one and leaves one
    placed = RankedCandidates(marks, np.zeros(len(wanted)), wanted, np.arange(0, len(wanted), 8))
    added = corrections(boost(placed), marks)
    fits = marks[0] != marks[1]
    both = marks[0] + marks[1] == 2
    assert added[fits].min() > max(added[~fits & ~both].max(), added[both].max())


def test_nothing_to_tell_apart_grows_no_trees() -> None:
    placed = RankedCandidates(
        np.ones((3, 4), np.float32), np.zeros(4), np.array([1.0, 0, 0, 1]), np.array([0, 2])
    )
    assert not len(boost(placed))


def test_the_same_carts_grow_the_same() -> None:
    random = np.random.default_rng(3)
    facts = random.normal(size=(5, 60)).astype(np.float32)
    placed = RankedCandidates(
        facts, np.zeros(60), (random.random(60) < 0.5).astype(np.float64), np.arange(0, 60, 6)
    )
    placed.wanted[::6] = 1
    first, second = boost(placed), boost(placed)
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def with_these(model: Model, trees: Trees) -> Model:
    return replace(model, tree_asks=trees.asks, tree_edges=trees.edges, tree_leaves=trees.leaves)


@given(st.integers(0, 30), st.integers(1, 100))
def test_a_score_is_what_the_weights_say_and_what_the_trees_add(seed: int, k: int) -> None:
    random = np.random.default_rng(seed)
    popularity = random.random(90).astype(np.float32)
    plain = a_model(90, popularity=popularity, weights=Weights(popular=1.0))
    model = with_these(plain, some_trees(5, seed))
    without = {one.product_id: one.score for one in plain.rank([10], k=90)}
    visit = model.visit([10], None, {})
    ranked = model.rank([10], k=k)
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    at = model.positions([one.product_id for one in ranked])
    added = corrections(model.trees, tree_features(model, visit, at))
    for one, more in zip(ranked, added.tolist(), strict=True):
        assert one.score == pytest.approx(without[one.product_id] + more, abs=1e-4)


def test_only_the_best_of_the_weights_are_placed_anew() -> None:
    popularity = np.arange(100, 0, -1).astype(np.float32)
    last_first = Trees(
        np.full((1, DEPTH), TERMS.index("popular"), np.int32),
        np.full((1, DEPTH), 0.5, np.float32),
        np.array([[50.0] + [0.0] * ((1 << DEPTH) - 1)], np.float32),
    )
    model = with_these(a_model(100, popularity=popularity, weights=Weights(popular=1.0)), last_first)
    found = {one.product_id for one in model.rank([10], k=4)}
    assert found <= {(at + 1) * 10 for at in range(1, RESCORED + 1)}
    assert not found & {20, 30, 40, 50}


def test_trees_stand_only_where_they_do_better_on_carts_not_learnt_from() -> None:
    model = a_model(40)
    random = np.random.default_rng(0)
    chance = [Case((10,), frozenset({int(random.integers(2, 41)) * 10}), None, {}) for _ in range(30)]
    assert not len(weigh(replace(model, weights=Weights(popular=1.0)), chance[:4], seed=0).trees)


def test_what_trees_learnt_is_served() -> None:
    """Shoppers buy again what they bought once, and never what they bought often: no weight says both."""
    once, often = Past(1, 5), Past(6, 5)
    cases = []
    for at in range(40):
        past = {200 + 10 * (at % 9): once, 300 + 10 * (at % 7): often}
        cases.append(Case((10,), frozenset({200 + 10 * (at % 9)}), None, past, 7))
    model = a_model(40, weights=Weights(times=1.0))
    learnt = with_trees(model, cases * 4)
    best = learnt.rank([10], k=1, history=cases[0].history, orders=7)
    assert model.rank([10], k=1, history=cases[0].history, orders=7)[0].product_id == 300
    assert best[0].product_id == 200


def test_strangers_are_served_by_trees_of_their_own() -> None:
    """Who is known buys the first again; strangers never do, though the weights place it first."""
    popularity = np.arange(40, 0, -1).astype(np.float32)
    model = a_model(40, popularity=popularity, weights=Weights(popular=1.0))
    past = {20: Past(2, 5)}
    known = [Case((10,), frozenset({20}), None, past, 3)] * 40
    strangers = [Case((10,), frozenset({40 + 10 * (at % 3)}), None, {}) for at in range(120)]
    learnt = with_trees(model, [*known, *strangers])
    assert learnt.trees_for(learnt.visit([10], None, {})) is learnt.strangers_trees
    assert learnt.trees_for(learnt.visit([10], None, past, 3)) is learnt.trees
    assert learnt.rank([10], k=1)[0].product_id != 20
    assert learnt.rank([10], k=1, history=past, orders=3)[0].product_id == 20


def test_where_strangers_have_no_trees_those_of_everyone_serve() -> None:
    model = with_these(a_model(9), some_trees(2))
    assert model.trees_for(model.visit([10], None, {})) is model.trees


def test_links_tell_of_each_candidate_what_each_of_the_cart_says_of_it() -> None:
    model = a_model(6, **linked(6, {(0, 2): 0.5, (0, 4): 0.2, (1, 4): 0.9, (1, 0): 0.7}))
    found = links(model, model.positions([10, 20]), model.positions([30, 40, 50]))
    assert found.tolist() == [[0.5, 0.0, pytest.approx(0.2)], [0.0, 0.0, pytest.approx(0.9)]]
    facts = tree_features(model, model.visit([10, 20], None, {}), model.positions([30, 40, 50]))
    assert facts[-2].tolist() == pytest.approx([0.5**0.5, 0.0, 0.9**0.5])
    assert facts[-1].tolist() == [0.5, 0.0, 1.0]


def baskets_of(orders: list[tuple[int, list[int]]]) -> Baskets:
    """Return a day's orders after another, as (customer, items)."""
    indptr = np.concatenate([[0], np.cumsum([len(items) for _, items in orders])])
    items = np.array([item for _, held in orders for item in held], dtype=np.int32)
    customers = np.array([customer for customer, _ in orders], dtype=np.int32)
    return Baskets(indptr, items, np.arange(len(orders)) * 86_400, customers)


def test_rebought_counts_the_next_order_of_the_same_shopper() -> None:
    orders = [(0, [0, 1]), (1, [0]), (0, [0]), (-1, [1]), (1, [1]), (0, [1])]
    # Followed: 0 by 0's second order (0 again, 1 not), 1's first (0 not), 0's second (0 not). Usual: 1/4.
    expected = [(1 + 5 / 4) / (3 + 5), (0 + 5 / 4) / (1 + 5)]
    assert rebought(baskets_of(orders), 2).tolist() == pytest.approx(expected)


def test_kinds_go_together_as_their_orders_say_and_with_themselves_as_people_buy_two() -> None:
    baskets = baskets_of([(0, [0, 2]), (0, [0, 1]), (0, [2]), (0, [3])])
    links = kind_links(baskets, np.array([0, 0, 1, 2], dtype=np.int32))
    half = 1 / np.sqrt(2)  # an order of two counts so much, the first two each
    assert links.diagonal().tolist() == pytest.approx([1 / 2, 0, 0])
    assert links[0, 1] == pytest.approx(half / ((2 * half) ** 0.8 * (half + 1) ** 0.2))
    assert links[0, 2] == 0


def test_a_shop_without_kinds_has_no_links() -> None:
    assert kind_links(baskets_of([(0, [0])]), np.zeros(1, dtype=np.int32)).shape == (0, 0)
    assert not len(no_trees())
    assert len(np.unique(kinds(a_shop(20).items))) == 20


def test_what_is_told_fits_what_trees_ask() -> None:
    model = a_model(4)
    assert tree_features(model, model.visit([10], None, {}), np.arange(4)).shape == (TREE_FEATURES, 4)
