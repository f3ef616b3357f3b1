from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.recommend.due import Growth, due

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def grown(days: float = 1.0, **changes: Any) -> Growth:
    """Return a shop of 10,000 orders and 500 products, trained so many days ago."""
    at = NOW - timedelta(days=days)
    values: dict[str, Any] = {
        "full_at": at, "learnt_at": at, "orders": 10_000, "new_orders": 10, "products": 500,
        "new_products": 0, "unlearnt": 10,
    }  # fmt: skip
    return Growth(**(values | changes))


@pytest.mark.parametrize(
    ("growth", "job"),
    [
        (grown(), None),  # ten orders in ten thousand
        (grown(new_orders=1_000, unlearnt=1_000), "train"),  # a tenth
        (grown(0.2, new_orders=1_000, unlearnt=10), None),  # a tenth, but trained five hours ago
        (grown(new_products=100), "train"),  # a fifth
        (grown(new_products=99), None),
        (grown(7), "train"),  # a week
        (grown(30, new_orders=0, unlearnt=0), None),  # nothing was sold since
        (grown(unlearnt=50, new_orders=50), "resume"),  # half a percent
        (grown(unlearnt=49, new_orders=49), None),
        (grown(0.05, unlearnt=50, new_orders=50), None),  # learnt an hour ago
        (grown(unlearnt=50, new_orders=50, learns=False), None),  # no LightFM in it
        (grown(orders=1_000_000, unlearnt=500, new_orders=500), "resume"),  # half a percent would be 5,000
        (grown(drifted_at=NOW - timedelta(hours=1)), "train"),
        (grown(drifted_at=NOW - timedelta(days=2)), None),  # learnt since
        (grown(orders=0, new_orders=1, unlearnt=1, products=0), "train"),  # the first order
    ],
)
def test_what_is_due_follows_from_how_the_shop_changed(growth: Growth, job: str | None) -> None:
    assert due(growth, NOW) == job


def test_a_small_shop_trains_often_and_a_large_one_seldom() -> None:
    # 20 orders a day: a shop of 100 has grown by a tenth at once, one of 10,000 waits a week
    days = range(1, 8)
    small = [due(grown(each, orders=100, new_orders=20 * each, unlearnt=20 * each), NOW) for each in days]
    large = [due(grown(each, new_orders=20 * each, unlearnt=20), NOW) for each in days]
    assert small[0] == "train"
    assert large == [None] * 6 + ["train"]
