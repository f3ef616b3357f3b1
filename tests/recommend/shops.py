"""A small made-up shop in which salts go with salts and teas with teas."""

from __future__ import annotations

import numpy as np
import polars as pl

from app.recommend.dataset import Dataset
from app.recommend.read import build_dataset


def order_table(orders: int, seed: int = 0) -> pl.DataFrame:
    """Return orders of 1 to 4 products of one kind, an hour apart; every third one is anonymous."""
    random = np.random.default_rng(seed)
    rows = []
    for order in range(orders):
        kind, size = order % 2, int(random.integers(1, 5))
        when = np.datetime64("2026-01-01T00:00:00") + np.timedelta64(order, "h")
        customer = None if order % 3 == 0 else order % 9 + 1
        rows += [(order, customer, str(when), 9 * kind + int(at)) for at in random.permutation(9)[:size]]
    return pl.DataFrame(rows, schema=["order_id", "customer_id", "created_at", "product_id"], orient="row")


def product_table() -> pl.DataFrame:
    """Return 20 products: 0 … 8 are salts, 9 … 17 teas, 18 is a salt and 19 a riddle that nobody bought."""
    titles = [f"salt s{at}" for at in range(9)] + [f"tea t{at}" for at in range(9)] + ["salt", "riddle"]
    return pl.DataFrame({"product_id": range(20), "title": titles})


def a_shop(orders: int) -> Dataset:
    """Return the data set of both tables."""
    return build_dataset(order_table(orders), product_table())
