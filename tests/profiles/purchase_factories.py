"""Orders as columns, from rows that show only what matters to a test."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from app.profiles.purchases import DAY_S, Orders

NOW_S = 1_790_000_000


class Row(NamedTuple):
    """An order of a customer, so many days ago."""

    customer_id: int
    days_ago: float = 0
    amount_minor: int = 1_000
    refunded_minor: int = 0
    own_currency: bool = True
    order_id: int | None = None


def orders_of(rows: Iterable[Row]) -> Orders:
    rows = list(rows)
    numbers = [at if row.order_id is None else row.order_id for at, row in enumerate(rows)]
    return Orders(
        np.array(numbers, dtype=np.int64),
        np.array([row.customer_id for row in rows], dtype=np.int64),
        np.array([NOW_S - round(row.days_ago * DAY_S) for row in rows], dtype=np.int64),
        np.array([row.amount_minor for row in rows], dtype=np.int64),
        np.array([row.refunded_minor for row in rows], dtype=np.int64),
        np.array([row.own_currency for row in rows], dtype=np.bool_),
    )
