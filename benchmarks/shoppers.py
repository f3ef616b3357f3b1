"""Made-up shoppers whose groups are known, because they were drawn from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.profiles.behaviour import FEATURES, Behaviour, matrix

Floats = NDArray[np.float64]

# What a shopper of each group does on average.
TYPICAL = {
    "high_value_shoppers": Behaviour(
        orders=12, spent=150_000, average_order=12_500, days_since_order=8, visits=20, days_since_visit=3,
        views=60, dwell_s=2_000, searches=6, cart_changes=20, unfinished_checkouts=1, form_errors=1,
    ),
    "interested_browsers": Behaviour(
        orders=0.2, spent=800, average_order=700, days_since_order=60, visits=25, days_since_visit=2,
        views=150, dwell_s=6_000, searches=25, cart_changes=1, unfinished_checkouts=0.1, form_errors=0.1,
    ),
    "hesitant_buyers": Behaviour(
        orders=0.5, spent=2_500, average_order=2_000, days_since_order=50, visits=6, days_since_visit=6,
        views=15, dwell_s=900, searches=2, cart_changes=25, unfinished_checkouts=8, form_errors=5,
    ),
}  # fmt: skip


def three_groups(each: int = 80, seed: int = 0, spread: float = 0.35) -> tuple[Floats, list[str]]:
    """Return shoppers, float64 of shape (3 * each, features), and which group each was drawn from."""
    random = np.random.default_rng(seed)
    typical = np.log1p(matrix(TYPICAL.values()))
    logs = np.repeat(typical, each, axis=0) + random.normal(0, spread, (3 * each, len(FEATURES)))
    groups = [name for name in TYPICAL for _ in range(each)]
    shuffled = random.permutation(len(groups))
    return np.expm1(np.maximum(logs, 0))[shuffled], [groups[at] for at in shuffled]


SHAPES = ("normal", "uniform", "skewed", "counts", "more of everything")


def one_cloud(shape: str, shoppers: int = 400, seed: int = 0) -> Floats:
    """Return shoppers who are all of one kind, float64 of shape (shoppers, 5)."""
    random = np.random.default_rng(seed)
    size = (shoppers, 5)
    keenness = random.gamma(1, 3, (shoppers, 1)) * np.ones(size)
    clouds: dict[str, Callable[[], Floats]] = {
        "normal": lambda: np.expm1(np.abs(random.normal(5, 1, size))),
        "uniform": lambda: np.expm1(random.uniform(0, 5, size)),
        "skewed": lambda: np.expm1(random.exponential(1, size)),
        "counts": lambda: random.poisson(1, size).astype(np.float64),
        "more of everything": lambda: random.poisson(keenness).astype(np.float64),
    }
    return clouds[shape]()
