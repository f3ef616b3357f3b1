"""What was known of a customer at a moment, and what they did in the window after it. Pure.

The first is what a classifier reads, the second what it learns to foresee: nothing of the window is
in the features, and nothing before it in the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.profiles.purchases import DAY_S, Ints, Purchase, Purchases

FEATURES = (
    "recency_days", "orders", "spent", "average_order", "known_days", "mean_gap_days", "overdue",
    "orders_last_window", "orders_window_before", "spent_last_window", "last_order_value",
)  # fmt: skip
SHORTEST_WINDOW_DAYS, LONGEST_WINDOW_DAYS = 28, 90

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The customers who had bought by a moment, one row each, by customer id.

    features: float64 of shape (customers, FEATURES); money in minor units, times in days. orders,
    spent_minor: int64, in the window after the moment.
    """

    customer_ids: Ints
    features: Floats
    orders: Ints
    spent_minor: Ints

    def __len__(self) -> int:
        return len(self.customer_ids)


def window_days(purchases: Purchases) -> int:
    """Return how long a shop has to wait to know whether a customer comes back.

    The gap that three of four returns stay under, from 28 days (a grocer's) to 90: a year then still
    holds four windows to learn from.
    """
    bought = purchases.where(purchases.counts)
    gaps = np.diff(bought.placed_at)[np.diff(bought.customer_ids) == 0] / DAY_S
    gaps = gaps[gaps >= 1]
    usual = float(np.quantile(gaps, 0.75)) if len(gaps) else LONGEST_WINDOW_DAYS
    return round(min(max(usual, SHORTEST_WINDOW_DAYS), LONGEST_WINDOW_DAYS))


def snapshot(purchases: Purchases, moment: int, days: int) -> Snapshot:
    """Return who had bought by the moment (epoch seconds), and the window of so many days after it."""
    bought = purchases.where(purchases.counts)
    before = bought.before(moment)
    window = bought.where((bought.placed_at > moment) & (bought.placed_at <= moment + days * DAY_S))
    customer_ids, first, orders = np.unique(before.customer_ids, return_index=True, return_counts=True)
    place = np.searchsorted(customer_ids, window.customer_ids)
    known = np.flatnonzero(np.isin(window.customer_ids, customer_ids))
    counts = np.bincount(place[known], minlength=len(customer_ids)).astype(np.int64)
    spent = np.zeros(len(customer_ids), dtype=np.int64)
    np.add.at(spent, place[known], window.net_minor[known])
    return Snapshot(customer_ids, _features(before, first, orders, moment, days), counts, spent)


def features_of(history: Sequence[Purchase], now: int, days: int) -> list[float] | None:
    """Return one customer's row of FEATURES, None for who never bought; cheap enough for every event."""
    bought = [each for each in history if each.counts]
    if not bought:
        return None
    times = [(now - min(each.placed_at, now)) / DAY_S for each in bought]
    values = [each.net_minor for each in bought]
    recency, known, orders, spent = min(times), max(times), len(bought), sum(values)
    lately = [value for time, value in zip(times, values, strict=True) if time < days]
    gap = (known - recency) / max(orders - 1, 1)
    return [
        recency, orders, spent, spent / orders, known, gap,
        recency / max(gap if orders > 1 else days, 1),
        len(lately), sum(days <= time < 2 * days for time in times), sum(lately), values[-1],
    ]  # fmt: skip


def _features(before: Purchases, first: Ints, orders: Ints, moment: int, days: int) -> Floats:
    """Return the same as features_of, for all customers at once. first: each one's first row."""
    if not len(first):
        return np.zeros((0, len(FEATURES)))
    last = first + orders - 1
    ages = (moment - before.placed_at) / DAY_S
    values = before.net_minor.astype(np.float64)
    recency, known, spent = ages[last], ages[first], np.add.reduceat(values, first)
    lately = ages < days
    gap = (known - recency) / np.maximum(orders - 1, 1)
    overdue = recency / np.maximum(np.where(orders > 1, gap, days), 1)
    columns = (
        recency, orders, spent, spent / orders, known, gap, overdue,
        np.add.reduceat(lately, first, dtype=np.int64),
        np.add.reduceat(~lately & (ages < 2 * days), first, dtype=np.int64),
        np.add.reduceat(values * lately, first),
        values[last],
    )  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float64)
