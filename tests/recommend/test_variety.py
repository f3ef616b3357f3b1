"""Second ones of a kind stand back as far as people show, and no further than costs nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommend.blend import weigh
from app.recommend.cases import Case
from app.recommend.model import Model, Weights
from app.recommend.variety import Variety, held_back
from app.recommend.variety_tuning import OPTIONS, choose_variety
from tests.recommend.factories import a_model, linked

MOST = Variety(max(each.in_cart for each in OPTIONS), max(each.again for each in OPTIONS))


def slowly(scores: list[float], kinds: list[int], in_cart: list[int], variety: Variety) -> list[int]:
    """Choose one product after the other, each with the kinds of those before it in view."""
    left = {at: score - variety.in_cart * (kinds[at] in in_cart) for at, score in enumerate(scores)}
    chosen = []
    while left:
        best = max(left, key=lambda at: (left[at], -at))
        del left[best]
        chosen.append(best)
        left = {at: score - variety.again * (kinds[at] == kinds[best]) for at, score in left.items()}
    return chosen


@given(
    st.lists(st.tuples(st.integers(-40, 40), st.integers(0, 4)), min_size=1, max_size=20),
    st.sets(st.integers(0, 4)),
    st.sampled_from(OPTIONS),
)
def test_all_at_once_is_as_one_choice_after_the_other(
    products: list[tuple[int, int]], in_cart: set[int], variety: Variety
) -> None:
    # Odd hundredths: no two products are equal once something is taken off them.
    scores = [score / 4 + at * 1e-3 for at, (score, _) in enumerate(products)]
    kinds = [kind for _, kind in products]
    found = held_back(np.array(scores), np.array(kinds), np.isin(kinds, list(in_cart)), variety)
    assert np.argsort(-found, kind="stable").tolist() == slowly(scores, kinds, list(in_cart), variety)


def yogurts(**changes: object) -> Model:
    """Return a model of six kinds of six products; what goes most with the first are others of its kind."""
    links = {(0, at): (0.9 if at < 6 else 0.8) - at / 100 for at in range(1, 36)}
    kinds = np.repeat(np.arange(6, dtype=np.int32), 6)
    return replace(a_model(36, weights=Weights(together=0.5), **linked(36, links)), kinds=kinds, **changes)  # type: ignore[arg-type]


def test_a_model_ranks_with_the_variety_it_holds() -> None:
    assert [one.product_id for one in yogurts().rank([10], k=4)] == [20, 30, 40, 50]
    varied = yogurts(variety=np.array(MOST))
    ranked = varied.rank([10], k=4)
    assert [one.product_id for one in ranked] == [70, 130, 190, 250]
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)


def test_where_people_never_buy_a_second_one_none_is_shown() -> None:
    cases = [Case((10,), frozenset({product_id}), None, {}) for product_id in (70, 80, 130)] * 10
    chosen = choose_variety([(yogurts(), cases)])
    first = [one.product_id for one in yogurts(variety=np.array(chosen)).rank([10], k=4)]
    assert chosen.in_cart > 0
    assert not {20, 30, 40, 50, 60} & set(first)


def test_where_people_buy_by_the_handful_nothing_is_held_back() -> None:
    cases = [Case((10,), frozenset({20, 30, 40, 50}), None, {})] * 30
    assert choose_variety([(yogurts(), cases)]) == Variety(0.0, 0.0)


def test_what_would_cost_purchases_is_not_held_back() -> None:
    """One in three buys the yogurt that stands first; most others what no list would hold."""
    cases = [Case((10,), frozenset({wanted}), None, {}) for wanted in (20, 350, 360)] * 20
    chosen = choose_variety([(yogurts(), cases)])
    assert yogurts(variety=np.array(chosen)).rank([10], k=1)[0].product_id == 20


def test_what_was_chosen_is_in_the_model_that_was_weighed() -> None:
    cases = [Case((10,), frozenset({product_id}), None, {}) for product_id in (70, 80, 130)] * 10
    assert weigh(yogurts(), cases, seed=0).variety.shape == (2,)


def test_scores_stay_what_the_weights_say_less_what_is_held_back() -> None:
    plain = {one.product_id: one.score for one in yogurts().rank([10], k=35)}
    varied = yogurts(variety=np.array([0.3, 0.0])).rank([10], k=35)
    for one in varied:
        less = 0.3 if one.product_id <= 60 else 0.0
        assert one.score == pytest.approx(plain[one.product_id] - less)
