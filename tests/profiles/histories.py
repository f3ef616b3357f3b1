"""A made-up shop's orders, in which some customers stay and some leave."""

from __future__ import annotations

import numpy as np

from app.profiles.purchases import Orders, Purchases, clean
from tests.profiles.purchase_factories import NOW_S, Row, orders_of


def a_shop(customers: int = 600, days: int = 360, seed: int = 0, telling: bool = True) -> Purchases:
    """Return purchases of customers who each have their own pace and their own day of leaving.

    telling: False for a shop where everyone buys at the same pace and nobody leaves.
    """
    random = np.random.default_rng(seed)
    rows = []
    for customer in range(1, customers + 1):
        gap = random.gamma(2, 8) + 2 if telling else 20.0
        leaves = random.uniform(0, 2 * days) if telling else days
        at = random.uniform(0, days / 2) if telling else random.exponential(gap)
        while at < min(days, leaves):
            rows.append(Row(customer, days - at, int(random.lognormal(8, 0.5))))
            at += random.exponential(gap)
    orders: Orders = orders_of(rows)
    return clean(orders, NOW_S)
