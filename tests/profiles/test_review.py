from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.profiles.review import (
    BULK,
    BURST,
    CONTRADICTION,
    REASONS,
    RESELLER,
    TEST,
    Candidate,
    Limits,
    ReviewedCustomer,
    ReviewedOrder,
    candidates,
    outlier,
    reviewed,
    usual_order,
)
from tests.profiles.test_customer import an_order

# A shop whose orders are of 20.00 to 59.00 and one to four units.
EVERYONE = [
    ReviewedCustomer(
        customer,
        tuple(
            ReviewedOrder(customer * 9_000 + n, 2_000 + (customer + n) % 40 * 100, 1 + n % 4)
            for n in range(4)
        ),
    )
    for customer in range(1, 41)
]


def told_of(customer: ReviewedCustomer) -> list[Candidate]:
    return [
        each for each in candidates([*EVERYONE, customer], "EUR") if each.customer_id == customer.customer_id
    ]


def reasons(customer: ReviewedCustomer) -> list[str]:
    return [each.reason for each in told_of(customer)]


def test_nobody_of_an_ordinary_shop_is_a_candidate() -> None:
    assert candidates(EVERYONE, "EUR") == ()


def test_a_bulk_buyer_is_told_with_the_amount_and_the_usual_one() -> None:
    (told,) = told_of(ReviewedCustomer(99, (ReviewedOrder(0, 3_000), ReviewedOrder(9_000, 395_000, 2))))
    assert told == Candidate(99, BULK, "An order of 3950.00 EUR, 100 times the usual one.")
    assert (
        told_of(ReviewedCustomer(99, (ReviewedOrder(0, 3_000, 90),)))[0].detail
        == "An order of 90 units, 30 times the usual one."
    )


def test_a_generous_order_is_not_bulk() -> None:
    assert reasons(ReviewedCustomer(99, (ReviewedOrder(0, 15_000, 8),))) == []


def test_a_reseller_buys_many_of_one_variant_again_and_again() -> None:
    again = tuple(ReviewedOrder(day * 86_400, 4_000, 4, most_of_one=12) for day in range(3))
    assert reasons(ReviewedCustomer(99, again)) == [RESELLER]
    assert reasons(ReviewedCustomer(99, again[:2])) == []


def test_test_orders_are_told_by_costing_nothing() -> None:
    free = tuple(ReviewedOrder(day * 86_400, 0) for day in range(3))
    assert reasons(ReviewedCustomer(99, free)) == [TEST]
    assert reasons(ReviewedCustomer(99, free[:2])) == []  # two gifts are no test
    paid = tuple(ReviewedOrder(day * 86_400 + 1, 3_000) for day in range(3))
    assert reasons(ReviewedCustomer(99, free + paid)) == []


def test_orders_of_gift_cards_alone_are_no_test_orders() -> None:
    cards = [an_order(day, days_ago=day, total_minor=0) for day in range(3)]
    assert reasons(ReviewedCustomer(99, reviewed(cards))) == []
    free = [an_order(day, 10, days_ago=day, total_minor=0) for day in range(3)]
    assert reasons(ReviewedCustomer(99, reviewed(free))) == [TEST]


def test_thousands_of_orders_in_one_minute_are_a_burst() -> None:
    burst = tuple(ReviewedOrder(second % 60, 3_000) for second in range(3_000))
    (told,) = told_of(ReviewedCustomer(99, burst))
    assert (told.reason, told.detail) == (BURST, "3000 orders within 60 seconds.")
    assert reasons(ReviewedCustomer(99, tuple(ReviewedOrder(61 * n, 3_000) for n in range(50)))) == []


@pytest.mark.parametrize(
    ("rfm", "at_risk", "loyal", "expected"),
    [
        (None, 0.8, 0.9, "Predicted to leave (80%) and to come often (90%)."),
        ("champions", 0.75, 0.1, "Champions by what they bought, predicted to leave (75%)."),
        ("almost_lost", 0.1, 0.71, "Almost lost by what they bought, predicted to come often (71%)."),
        ("champions", 0.69, None, None),
        ("dormant", 0.9, 0.1, None),
        ("loyal", None, 0.9, None),
    ],
)
def test_classifiers_that_contradict_each_other_or_the_history_are_shown(
    rfm: str | None, at_risk: float | None, loyal: float | None, expected: str | None
) -> None:
    told = told_of(ReviewedCustomer(99, (ReviewedOrder(0, 3_000),), rfm, at_risk, loyal))
    assert [each.detail for each in told if each.reason == CONTRADICTION] == ([expected] if expected else [])


def test_a_shop_with_one_customer_or_equal_orders_has_no_outliers() -> None:
    assert candidates([ReviewedCustomer(1, (ReviewedOrder(0, 5_000),))], "EUR") == ()
    alike = [ReviewedCustomer(number, (ReviewedOrder(number, 1_000),)) for number in range(50)]
    assert candidates([*alike, ReviewedCustomer(99, (ReviewedOrder(0, 1_100),))], "EUR") == ()
    assert candidates([], "EUR") == ()


def test_other_limits_find_others() -> None:
    customer = ReviewedCustomer(99, tuple(ReviewedOrder(n, 3_000) for n in range(5)))
    assert candidates([customer], "EUR", Limits(burst=5)) == (
        Candidate(99, BURST, "5 orders within 60 seconds."),
    )


orders = st.builds(
    ReviewedOrder, st.integers(0, 10**9), st.integers(-(10**15), 10**15), st.integers(-5, 10**6),
    st.integers(0, 10**6),
)  # fmt: skip
probabilities = st.none() | st.floats(0, 1)
customers = st.builds(
    ReviewedCustomer, st.integers(1, 99), st.lists(orders, max_size=8).map(tuple),
    st.none() | st.sampled_from(["champions", "dormant"]), probabilities, probabilities,
)  # fmt: skip


@given(st.lists(customers, max_size=8, unique_by=lambda each: each.customer_id))
def test_whatever_comes_in_each_reason_is_told_once_a_customer(seen: list[ReviewedCustomer]) -> None:
    told = candidates(seen, "USD")
    assert len({(each.customer_id, each.reason) for each in told}) == len(told)
    assert {each.reason for each in told} <= set(REASONS)
    assert all(each.detail.endswith(".") for each in told)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30), st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_is_never_less_of_an_outlier(amounts: list[int], one: int, other: int) -> None:
    usual = usual_order(ReviewedOrder(0, amount) for amount in amounts).amount
    low, high = sorted((one, other))
    assert outlier(low, usual) <= outlier(high, usual)
