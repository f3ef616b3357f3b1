from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.profiles.purchases import DAY_S, clean, history_of
from app.profiles.snapshots import FEATURES, features_of, snapshot, window_days
from tests.profiles.purchase_factories import NOW_S, Row, orders_of

rows = st.builds(
    Row, st.integers(1, 5), st.floats(0.01, 300), st.integers(-500, 5_000), st.integers(0, 600),
    st.booleans(), st.none(),
)  # fmt: skip


def test_features_of_one_customer_by_hand() -> None:
    rows = [Row(7, 100, 1_000), Row(7, 40, 2_000), Row(7, 10, 3_000)]
    history = history_of(clean(orders_of(rows), NOW_S), 7)
    assert dict(zip(FEATURES, features_of(history, NOW_S, 30) or (), strict=True)) == {
        "recency_days": 10,
        "orders": 3,
        "spent": 6_000,
        "average_order": 2_000,
        "known_days": 100,
        "mean_gap_days": 45,  # (100 - 10) / 2
        "overdue": pytest.approx(10 / 45),
        "orders_last_window": 1,
        "orders_window_before": 1,
        "spent_last_window": 3_000,
        "last_order_value": 3_000,
    }


@given(st.lists(rows, max_size=30), st.integers(0, 200), st.integers(1, 90))
def test_many_at_once_and_one_at_a_time_agree(history: list[Row], days_ago: int, days: int) -> None:
    purchases = clean(orders_of(history), NOW_S)
    moment = NOW_S - days_ago * DAY_S
    seen = snapshot(purchases, moment, days)
    singly = {
        customer: features_of(history_of(purchases.before(moment), customer), moment, days)
        for customer in range(1, 6)
    }
    assert seen.customer_ids.tolist() == [customer for customer, row in singly.items() if row]
    for customer, features in zip(seen.customer_ids.tolist(), seen.features.tolist(), strict=True):
        assert features == pytest.approx(singly[customer])


@given(st.lists(rows, max_size=30), st.integers(0, 200), st.integers(1, 90))
def test_the_window_is_counted_and_tells_the_features_nothing(
    history: list[Row], days_ago: int, days: int
) -> None:
    purchases = clean(orders_of(history), NOW_S)
    moment = NOW_S - days_ago * DAY_S
    seen = snapshot(purchases, moment, days)
    blind = snapshot(purchases.before(moment), moment, days)
    assert np.array_equal(seen.features, blind.features)
    assert not blind.orders.any()
    for customer, orders, spent in zip(seen.customer_ids, seen.orders, seen.spent_minor, strict=True):
        window = [
            each
            for each in history_of(purchases, int(customer))
            if moment < each.placed_at <= moment + days * DAY_S and each.counts
        ]
        assert (orders, spent) == (len(window), sum(each.net_minor for each in window))


@pytest.mark.parametrize(
    ("gaps", "days"),
    [([], 90), ([5] * 20, 28), ([40] * 20, 40), ([300] * 20, 90), ([30, 40, 50, 60, 70], 60)],
)
def test_a_window_is_the_gap_that_three_of_four_returns_stay_under(gaps: list[float], days: int) -> None:
    rows = [row for at, gap in enumerate(gaps) for row in (Row(at, 0), Row(at, gap))]
    assert window_days(clean(orders_of(rows), NOW_S)) == days
