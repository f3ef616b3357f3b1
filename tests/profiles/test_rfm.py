"""Scores against a slow version that does what the definition says, on made-up and on real orders."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.profiles.purchases import Orders, clean
from app.profiles.rfm import NEVER, RfmMeasures, Scores, cut, cuts, measure, score
from benchmarks.histories import MissingHistory, cdnow, complete_journey, last_moment
from tests.profiles.purchase_factories import NOW_S, Row, orders_of

VALUES = st.lists(st.integers(-20, 20), min_size=1, max_size=40)


def slow_scores(values: list[int]) -> list[int]:
    """One comparison at a time: 1 + floor(5 * (smaller + equal / 2) / n)."""
    return [
        1 + int(5 * Fraction(2 * sum(other < each for other in values) + values.count(each), 2 * len(values)))
        for each in values
    ]


def fast_scores(values: list[int]) -> list[int]:
    steps = cut(np.array(values, dtype=np.int64))
    return [1 + sum(each >= step for step in steps) for each in values]


@given(VALUES)
def test_scores_are_their_definition(values: list[int]) -> None:
    assert fast_scores(values) == slow_scores(values)


@given(VALUES)
def test_equal_values_score_alike_and_more_never_scores_less(values: list[int]) -> None:
    scored = sorted(zip(values, fast_scores(values), strict=True))
    assert [each for _, each in scored] == sorted(each for _, each in scored)
    assert len({value for value, _ in scored}) == len(set(scored))


@given(VALUES)
def test_turned_around_the_best_are_the_worst(values: list[int]) -> None:
    # Except on the very edge of two fifths, where the upper one has it both ways round.
    for here, there in zip(fast_scores(values), fast_scores([-each for each in values]), strict=True):
        assert here + there in (6, 7)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7], [3]),  # (1 - .5) / 1 = .50
        ([1, 9], [2, 4]),  # .25, .75
        ([1, 5, 9], [1, 3, 5]),  # .17, .50, .83
        ([1, 3, 5, 9], [1, 2, 4, 5]),  # .125, .375, .625, .875
        ([1, 1, 1, 9], [2, 2, 2, 5]),  # (2 - .5) / 4 = .375 three times, .875
        ([4] * 30, [3] * 30),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
    ],
)
def test_tiny_shops_and_equal_customers(values: list[int], expected: list[int]) -> None:
    assert fast_scores(values) == expected


@given(st.sets(st.integers(-1000, 1000), min_size=5, max_size=60))
def test_without_ties_fifths_are_as_even_as_can_be(values: set[int]) -> None:
    sizes = np.bincount(fast_scores(sorted(values)), minlength=6)[1:]
    assert sizes.max() - sizes.min() <= 1


@given(st.sets(st.integers(0, 10_000), min_size=10, max_size=10))
def test_without_ties_scores_are_pandas_qcut(values: set[int]) -> None:
    series = pd.Series(sorted(values), dtype="int64")
    ranks = series.rank(method="first")
    assert fast_scores(series.tolist()) == pd.qcut(ranks, 5, labels=False).add(1).tolist()


def test_nobody_has_no_scores_and_no_cuts() -> None:
    nobody = measure(clean(orders_of([]), NOW_S), NOW_S)
    assert len(nobody) == 0
    assert cuts(nobody).orders == (NEVER,) * 4


def test_one_order_scores_one_for_frequency_however_many_did_the_same() -> None:
    shop = cuts(measure(clean(orders_of(Row(each) for each in range(50)), NOW_S), NOW_S))
    assert score(shop, 0, 1, 1_000) == Scores(3, 1, 3)


def test_who_gave_everything_back_is_not_scored_and_owes_nobody() -> None:
    rows = [Row(1), Row(2, amount_minor=500, refunded_minor=500), Row(3, 5), Row(3, 1, amount_minor=-9_000)]
    measures = measure(clean(orders_of(rows), NOW_S), NOW_S)
    assert measures.customer_ids.tolist() == [1, 3]
    assert measures.spent_minor.tolist() == [1_000, 0]
    assert measures.recency_days.tolist() == [0, 5]  # giving money back is no purchase


def independent(orders: Orders, now: int) -> pd.DataFrame:
    """The same definitions by another road: pandas, its own grouping and its own ranks."""
    net = orders.amount_minor - orders.refunded_minor
    table = pd.DataFrame({"customer": orders.customer_ids, "at": orders.placed_at, "net": net})
    bought = table[(table.net > 0) | ((orders.amount_minor == 0) & (orders.refunded_minor == 0))]
    by_customer = bought.groupby("customer").agg(last=("at", "max"), orders=("net", "size"))
    by_customer["spent"] = table.groupby("customer").net.sum().clip(lower=0)
    by_customer["recency"] = -((now - by_customer["last"]) // 86_400)
    place = by_customer[["recency", "orders", "spent"]].rank(method="average") - 0.5
    scores = (place * 5 // len(by_customer) + 1).astype(int)
    scores.loc[by_customer.orders == 1, "orders"] = 1
    return scores


@pytest.mark.parametrize("history", [complete_journey, cdnow])
def test_real_histories_agree_with_an_independent_implementation(history: object) -> None:
    try:
        orders: Orders = history()  # type: ignore[operator]
    except MissingHistory as missing:
        pytest.skip(str(missing))
    now = last_moment(orders)
    measures: RfmMeasures = measure(clean(orders, now), now)
    expected = independent(orders, now)
    assert measures.customer_ids.tolist() == expected.index.tolist()
    shop, columns = cuts(measures), (measures.recency_days, measures.orders, measures.spent_minor)
    each = zip(*(column.tolist() for column in columns), strict=True)
    assert [score(shop, *measured) for measured in each] == list(map(tuple, expected.to_numpy().tolist()))
