"""Each odd order, and what it is taken for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.profiles.customer import PlacedOrder, purchase
from app.profiles.purchases import DAY_S, LARGEST_MINOR, Purchase, clean, history_of
from tests.profiles.purchase_factories import NOW_S, Row, orders_of


def kept(*rows: Row) -> tuple[Purchase, ...]:
    return history_of(clean(orders_of(rows), NOW_S), 7)


@pytest.mark.parametrize(
    ("row", "purchase"),
    [
        (Row(7, amount_minor=500), Purchase(NOW_S, 500)),
        (Row(7, amount_minor=500, refunded_minor=200), Purchase(NOW_S, 300)),
        (Row(7, amount_minor=500, refunded_minor=500), Purchase(NOW_S, 0, counts=False)),
        (Row(7, amount_minor=500, refunded_minor=700), Purchase(NOW_S, -200, counts=False)),
        (Row(7, amount_minor=-300), Purchase(NOW_S, -300, counts=False)),
        (Row(7, amount_minor=0), Purchase(NOW_S, 0)),
        (Row(7, amount_minor=500, own_currency=False), Purchase(NOW_S, 0)),
        (Row(7, amount_minor=500, refunded_minor=500, own_currency=False), Purchase(NOW_S, 0, counts=False)),
        (Row(7, amount_minor=2**62), Purchase(NOW_S, LARGEST_MINOR)),
        (Row(7, days_ago=-400), Purchase(NOW_S, 1_000)),
    ],
    ids=[
        "plain", "refunded in part", "refunded whole", "refunded more than it cost", "negative", "a gift",
        "another currency", "another currency, refunded", "huge", "in the future",
    ],
)  # fmt: skip
def test_an_odd_order_has_a_defined_meaning(row: Row, purchase: Purchase) -> None:
    assert kept(row) == (purchase,)


def test_an_order_given_twice_counts_once_as_it_was_last() -> None:
    twice = (Row(7, amount_minor=500, order_id=1), Row(7, amount_minor=800, order_id=1))
    assert kept(*twice) == (Purchase(NOW_S, 800),)


def test_a_thousand_orders_in_one_minute_are_a_thousand_purchases() -> None:
    assert len(kept(*(Row(7, days_ago=0) for _ in range(1_000)))) == 1_000


def test_a_customer_without_orders_has_no_history() -> None:
    assert kept() == kept(Row(8)) == ()


rows = st.builds(
    Row, st.integers(1, 4), st.floats(-50, 900), st.integers(-(2**62), 2**62), st.integers(0, 2**62),
    st.booleans(), st.integers(0, 30),
)  # fmt: skip


@given(st.lists(rows, max_size=20))
def test_whatever_comes_in_purchases_are_in_time_and_in_range(history: list[Row]) -> None:
    purchases = clean(orders_of(history), NOW_S)
    assert len(purchases) == len({row.order_id for row in history})
    assert (purchases.placed_at <= NOW_S).all()
    assert (abs(purchases.net_minor) <= 2 * LARGEST_MINOR).all()
    assert not (purchases.counts & (purchases.net_minor < 0)).any()
    whole = [each for customer in range(1, 5) for each in history_of(purchases, customer)]
    assert len(whole) == len(purchases)


@given(rows)
def test_one_order_and_many_at_once_mean_the_same(row: Row) -> None:
    (together,) = history_of(clean(orders_of([row]), NOW_S), row.customer_id)
    placed_at = NOW_S - round(row.days_ago * DAY_S)
    order = PlacedOrder(
        1, placed_at, row.amount_minor, refunded_minor=row.refunded_minor, own_currency=row.own_currency
    )
    assert purchase(order, NOW_S)._replace(priced=True) == together
