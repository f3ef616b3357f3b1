"""The Complete Journey, a grocer's year, as a data set to judge recommendations by.

The package is MIT, the original data CC0. Its README calls the data simulated, while the original names
real source files; the figures claim neither.
"""

from __future__ import annotations

import polars as pl

from app.recommend.dataset import Dataset
from app.recommend.read import build_dataset
from devstore.demo.source import Source, installed

FEWEST_ORDERS = 30  # a product in fewer orders of the year is left out: 10,009 of 68,509 stay


def complete_journey(source: Source | None = None) -> Dataset:
    """Return every basket with the products sold in 30 baskets or more."""
    found = source or installed()
    lines = found.transactions().select(
        order_id="basket_id",
        customer_id="household_id",
        product_id="product_id",
        created_at="transaction_timestamp",
        quantity="quantity",
    )
    orders = lines.unique(["order_id", "product_id"]).group_by("product_id").len()
    kept = orders.filter(pl.col("len") >= FEWEST_ORDERS)["product_id"].implode()
    products = found.products().filter(pl.col("product_id").is_in(kept))
    return build_dataset(lines.filter(pl.col("product_id").is_in(kept)), _described(products))


def _described(products: pl.DataFrame) -> pl.DataFrame:
    """Return the products as a shop would have them: a title, a vendor, a type and tags."""
    empty = [pl.col(name).fill_null("") for name in ("product_type", "package_size", "brand", "department")]
    kind, size, brand, department = empty
    narrow = kind.str.replace_all(",", " ")
    return products.select(
        product_id="product_id",
        title=pl.concat_str([kind, size], separator=" "),
        vendor=pl.concat_str([brand, pl.col("manufacturer_id").cast(pl.String)], separator=" "),
        product_type=pl.col("product_category").fill_null(""),
        tags=pl.concat_str([department, brand, pl.concat_str([pl.lit("type "), narrow])], separator=","),
    )
