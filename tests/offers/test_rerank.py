"""Each consideration alone, then all of them together."""

from __future__ import annotations

from math import log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.offers import rerank
from app.offers.rerank import NEVER, Around, Candidate, Terms


def a_candidate(product_id: int = 1, price_minor: int = 1_000, **facts: Any) -> Candidate:
    return Candidate(product_id, price_minor, facts.pop("kind", product_id), **facts)


def around(**changes: Any) -> Around:
    terms = Terms(**{name: changes.pop(name) for name in list(changes) if name in Terms.__slots__})
    return Around(terms, **changes)


@pytest.mark.parametrize(
    ("cost", "discount", "expected"),
    [
        (400, 0.0, log(6)),  # 10.00 - 4.00
        (400, 0.1, log(5)),  # and a tenth of 10.00 off
        (None, 0.0, log(3)),  # the shop's usual 30 %
        (1_000, 0.0, NEVER),  # no profit
        (950, 0.1, NEVER),  # a loss, once discounted
    ],
)
def test_profit_is_margin_less_discount(cost: int | None, discount: float, expected: float) -> None:
    surrounding = around(margin=0.3, discount=discount)
    assert rerank.profit(a_candidate(cost_minor=cost), surrounding) == pytest.approx(expected)


def test_without_any_cost_profit_is_silent() -> None:
    assert rerank.profit(a_candidate(cost_minor=400), around()) == 0


def test_what_is_given_away_is_not_judged_by_profit() -> None:
    assert rerank.profit(a_candidate(price_minor=0), around(margin=0.3)) == 0


@pytest.mark.parametrize(("units", "expected"), [(None, 0), (2, 0), (1, NEVER), (0, NEVER), (-3, NEVER)])
def test_the_last_unit_is_not_offered(units: int | None, expected: float) -> None:
    assert rerank.stock(a_candidate(stock=units), around()) == expected


@pytest.mark.parametrize(("days", "expected"), [(None, 0), (14, 0), (15, -rerank.SLOW)])
def test_what_holds_the_order_up_ranks_lower(days: int | None, expected: float) -> None:
    assert rerank.lead_time(a_candidate(lead_days=days), around()) == expected


@pytest.mark.parametrize(("rate", "expected"), [(None, 0), (0.0, 0), (0.5, log(0.5)), (1.0, NEVER)])
def test_what_comes_back_ranks_lower(rate: float | None, expected: float) -> None:
    assert rerank.returns(a_candidate(return_rate=rate), around()) == expected


def test_pinned_products_lead_whatever_their_score() -> None:
    surrounding = around(pinned=frozenset({2}))
    candidates = [rerank.with_standing(a_candidate(n), surrounding.terms) for n in (1, 2)]
    assert rerank.rerank(candidates, [50.0, -20.0], surrounding, 2) == [1, 0]


def test_a_boost_is_worth_the_log_of_its_factor() -> None:
    surrounding = around(boosts={1: 2.0, 2: 0.5})
    boosted = [rerank.boosts(a_candidate(product_id), surrounding) for product_id in (1, 2, 3)]
    assert boosted == pytest.approx([log(2), -log(2), 0])


@pytest.mark.parametrize(
    ("price", "subtotal", "expected"),
    [(2_001, 1_000, -rerank.TOO_DEAR), (2_000, 1_000, 0), (2_001, None, 0), (2_001, 0, 0)],
)
def test_what_is_dear_beside_the_cart_ranks_lower(price: int, subtotal: int | None, expected: float) -> None:
    surrounding = around(subtotal_minor=subtotal)
    assert rerank.price_to_cart(a_candidate(price_minor=price), surrounding) == expected


def test_what_the_shopper_said_no_to_is_never_offered() -> None:
    said = [rerank.said_no(a_candidate(which), around(sent_away=(1,))) for which in (1, 2)]
    assert said == [NEVER, 0]


def test_what_was_looked_at_ranks_higher() -> None:
    looked = [rerank.looked_at(a_candidate(product_id), around(viewed=(1,))) for product_id in (1, 2)]
    assert looked == [rerank.LOOKED_AT, 0]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("Olive oil", -rerank.SUBSTITUTE), ("Yogurt", 0), ("Bread", 0)],  # yogurts are bought by the handful
)
def test_a_second_of_a_kind_ranks_lower_unless_people_buy_it_so(kind: str, expected: float) -> None:
    surrounding = around(kinds_in_cart=frozenset({"Olive oil", "Yogurt"}), bought_twice=frozenset({"Yogurt"}))
    assert rerank.complement(a_candidate(kind=kind), surrounding) == expected


def test_offers_are_of_different_kinds_where_scores_are_close() -> None:
    candidates = [a_candidate(1, kind="Tea"), a_candidate(2, kind="Tea"), a_candidate(3, kind="Cup")]
    assert rerank.diverse(candidates, [1.0, 0.9, 0.8], 3) == [0, 2, 1]
    assert rerank.diverse(candidates, [1.0, 0.9, 0.3], 3) == [0, 1, 2]


CANDIDATES = st.lists(
    st.builds(
        a_candidate,
        st.integers(1, 99),
        st.integers(0, 5_000),
        kind=st.sampled_from(["a", "b", "c"]),
        cost_minor=st.none() | st.integers(0, 5_000),
        stock=st.none() | st.integers(0, 5),
        return_rate=st.none() | st.floats(0, 1),
    ),
    max_size=12,
)


@given(CANDIDATES, st.integers(0, 5), st.none() | st.integers(0, 9_000))
def test_no_step_offers_twice_or_what_must_not_be_offered(
    candidates: list[Candidate], most: int, subtotal: int | None
) -> None:
    surrounding = around(margin=0.4, subtotal_minor=subtotal)
    standing = [rerank.with_standing(one, surrounding.terms) for one in candidates]
    chosen = rerank.rerank(standing, [0.0] * len(candidates), surrounding, most)
    assert len(chosen) == len(set(chosen)) <= most
    barred = [
        at
        for at, one in enumerate(candidates)
        if NEVER in (step(one, surrounding) for step in rerank.OF_PRODUCT + rerank.OF_CART)
    ]
    assert not set(chosen) & set(barred)
    assert len(chosen) == min(most, len(candidates) - len(barred))


@given(CANDIDATES, st.none() | st.integers(0, 9_000), st.booleans(), st.sampled_from([0.0, 0.7]))
def test_a_step_that_is_left_out_had_nothing_to_say(
    candidates: list[Candidate], subtotal: int | None, looks: bool, substitute: float
) -> None:
    surrounding = Around(
        Terms(substitute=substitute),
        subtotal,
        viewed=(1, 2, 3) if looks else (),
        sent_away=(4, 5) if looks else (),
        kinds_in_cart=frozenset({"a"}) if looks else frozenset(),
    )
    standing = [rerank.with_standing(one, surrounding.terms) for one in candidates]
    scores = [1 / (at + 1) for at in range(len(candidates))]
    every_step = [
        score + one.standing + sum(step(one, surrounding) for step in rerank.OF_CART)
        for one, score in zip(standing, scores, strict=True)
    ]
    expected = rerank.diverse(standing, every_step, 3)
    assert rerank.rerank(standing, scores, surrounding, 3) == expected
