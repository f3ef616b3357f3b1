"""Orders and products as tables, checked and turned into a data set."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from app.errors import InputError
from app.recommend.dataset import ANONYMOUS, Baskets, Dataset, Items
from app.recommend.features import feature_matrix

_NUMBER = r"^(?:gid://shopify/[A-Za-z]+/)?([0-9]{1,18})(?:\.0)?$"
_TIMES = (
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
)
_EPOCH = pl.col("created_at").dt.epoch("s")


def build_dataset(orders: pl.DataFrame, products: pl.DataFrame | None = None) -> Dataset:
    """Return the data set of a shop's order lines and products.

    orders: order_id, created_at, product_id; customer_id and quantity when known, one row a line.
    products: product_id; title, vendor, product_type, tags, created_at when known, one row each.
    Ids are Shopify's numbers or GIDs; in a table with any other kind they are numbered in order.
    Raises InputError naming the table, the column and the row (the first one is 1).
    """
    lines, counts = _lines(orders)
    catalogue = _catalogue(products)
    lines, catalogue = _numbered(lines, catalogue)
    ids = np.union1d(catalogue["product_id"].to_numpy(), lines["product_id"].to_numpy())
    counts["products"] = len(ids)
    counts["unknown_products"] = len(ids) - len(catalogue) if products is not None else 0
    baskets, customer_ids = _baskets(lines, ids)
    counts["repeated_lines"] = len(lines) - len(baskets.items)
    counts |= {"orders": len(baskets), "customers": len(customer_ids)}
    return Dataset(_items(catalogue, ids), baskets, customer_ids, counts)


def _lines(orders: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    _require(orders, "orders", ("order_id", "created_at", "product_id"))
    lines = orders.select(
        _label(orders, "order_id"),
        _label(orders, "customer_id"),
        _label(orders, "product_id"),
        _times(orders, "orders"),
        _quantities(orders),
    )
    if (row := _first(lines["order_id"].is_null())) is not None:
        raise InputError(f"orders row {row}: order_id is empty", "order_id")
    without_product = lines["product_id"].is_null()
    returned = lines["quantity"] == 0
    counts = {
        "lines": len(lines),
        "lines_without_product": int(without_product.sum()),
        "lines_of_quantity_zero": int(returned.sum()),
    }
    return lines.filter(~without_product & ~returned), counts


def _catalogue(products: pl.DataFrame | None) -> pl.DataFrame:
    if products is None:
        products = pl.DataFrame(schema={"product_id": pl.String})
    _require(products, "products", ("product_id",))
    known = products.select(
        _label(products, "product_id"),
        *(_text(products, name) for name in ("title", "vendor", "product_type")),
        _tags(products),
        _times(products, "products") if "created_at" in products.columns else _no_time(),
    )
    if (row := _first(known["product_id"].is_null())) is not None:
        raise InputError(f"products row {row}: product_id is empty", "product_id")
    if (row := _first(~known["product_id"].is_first_distinct())) is not None:
        raise InputError(
            f"products row {row}: product_id {known['product_id'][row - 1]!r} is there twice",
            "product_id",
        )
    return known


def _numbered(lines: pl.DataFrame, catalogue: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    ordered, listed = lines["product_id"], catalogue["product_id"]
    if ordered.dtype != listed.dtype:
        ordered, listed = ordered.cast(pl.String), listed.cast(pl.String)
    products = _numbers(pl.concat([ordered, listed]))
    lines = lines.with_columns(
        _numbers(lines["order_id"]).alias("order_id"),
        _numbers(lines["customer_id"]).alias("customer_id"),
        products.head(len(lines)).alias("product_id"),
    )
    tail = products.tail(len(catalogue)) if len(catalogue) else products.clear()
    return lines, catalogue.with_columns(tail.alias("product_id"))


def _numbers(labels: pl.Series) -> pl.Series:
    """Return each label's number: its own when all are numbers or GIDs, else 1, 2, … as sorted."""
    if labels.dtype != pl.String:
        return labels
    own = labels.str.extract(_NUMBER).cast(pl.Int64)
    if own.null_count() == labels.null_count():
        return own
    return labels.rank("dense").cast(pl.Int64)


def _baskets(lines: pl.DataFrame, ids: NDArray[np.int64]) -> tuple[Baskets, NDArray[np.int64]]:
    shoppers = lines.group_by("order_id").agg(
        pl.col("customer_id").drop_nulls().n_unique().alias("customers"),
        pl.col("customer_id").drop_nulls().first().alias("customer_id"),
        _EPOCH.min().alias("time"),
    )
    if len(mixed := shoppers.filter(pl.col("customers") > 1)):
        order_id = mixed["order_id"].min()
        raise InputError(f"orders: order {order_id!r} has more than one customer_id", "customer_id")
    shoppers = shoppers.sort("time", "order_id").with_row_index("basket")
    entries = lines.select("order_id", "product_id").unique().join(shoppers, on="order_id")
    entries = entries.sort("basket", "product_id")
    sizes = np.bincount(entries["basket"].to_numpy(), minlength=len(shoppers))
    known = shoppers["customer_id"].drop_nulls().unique().sort().to_numpy().astype(np.int64)
    customers = np.searchsorted(known, shoppers["customer_id"].fill_null(0).to_numpy())
    customers[shoppers["customer_id"].is_null().to_numpy()] = ANONYMOUS
    baskets = Baskets(
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.searchsorted(ids, entries["product_id"].to_numpy()).astype(np.int32),
        shoppers["time"].to_numpy().astype(np.int64),
        customers.astype(np.int32),
    )
    return baskets, known


def _items(catalogue: pl.DataFrame, ids: NDArray[np.int64]) -> Items:
    every = pl.DataFrame({"product_id": ids}).join(
        catalogue, on="product_id", how="left", maintain_order="left"
    )
    rows = every.select("title", "vendor", "product_type", "tags").fill_null("").iter_rows()
    described = [dict(zip(("title", "vendor", "product_type", "tags"), r, strict=True)) for r in rows]
    features, names = feature_matrix(described)
    created = every.select(_EPOCH.fill_null(0)).to_series().to_numpy().astype(np.int64)
    titles = tuple(_title(row, int(key)) for row, key in zip(described, ids, strict=True))
    return Items(ids.astype(np.int64), titles, features, names, created)


def _title(row: Mapping[str, str], product_id: int) -> str:
    return row["title"] or str(product_id)


def _require(table: pl.DataFrame, name: str, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in table.columns:
            there = ", ".join(table.columns) or "none"
            raise InputError(f"{name}: no column {column!r}; its columns are: {there}", column)


def _label(table: pl.DataFrame, column: str) -> pl.Expr:
    """Return the column as numbers when it holds numbers, else as text, empty as null."""
    if column not in table.columns:
        return pl.lit(None, dtype=pl.String).alias(column)
    if table.schema[column].is_numeric():
        return pl.col(column).cast(pl.Int64, strict=False)
    return pl.col(column).cast(pl.String).str.strip_chars().replace("", None)


def _text(table: pl.DataFrame, column: str) -> pl.Expr:
    return _label(table, column).cast(pl.String).fill_null("")


def _tags(products: pl.DataFrame) -> pl.Expr:
    if isinstance(products.schema.get("tags"), pl.List):
        return pl.col("tags").cast(pl.List(pl.String)).list.join(",").fill_null("").alias("tags")
    return _text(products, "tags")


def _no_time() -> pl.Expr:
    return pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("created_at")


def _times(table: pl.DataFrame, name: str) -> pl.Series:
    column = table["created_at"]
    parsed = _parsed(column)
    wrong = parsed.is_null() if name == "orders" else parsed.is_null() & ~column.is_null()
    if (row := _first(wrong)) is not None:
        raise InputError(f"{name} row {row}: created_at {column[row - 1]!r} is not a time", "created_at")
    return parsed.alias("created_at")


def _parsed(column: pl.Series) -> pl.Series:
    utc = pl.Datetime("us", "UTC")
    if isinstance(column.dtype, pl.Datetime):
        naive = column.dtype.time_zone is None
        return (column.dt.replace_time_zone("UTC") if naive else column).cast(utc)
    if column.dtype == pl.Date:
        return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if column.dtype != pl.String:
        return pl.Series([None] * len(column), dtype=utc)
    text = column.str.strip_chars().str.replace("T", " ").str.replace("(?:Z| UTC)$", "+00:00")
    return pl.select(pl.coalesce(_as_format(pl.lit(text), format) for format in _TIMES)).to_series()


def _as_format(text: pl.Expr, format: str) -> pl.Expr:
    if format.endswith("z"):
        return text.str.to_datetime(format, time_unit="us", time_zone="UTC", strict=False)
    if format.endswith("d"):
        return text.str.to_date(format, strict=False).cast(pl.Datetime("us", "UTC"))
    return text.str.to_datetime(format, time_unit="us", strict=False).dt.replace_time_zone("UTC")


def _quantities(orders: pl.DataFrame) -> pl.Series:
    if "quantity" not in orders.columns:
        return pl.Series("quantity", [1.0]).new_from_index(0, len(orders))
    column = orders["quantity"]
    numbers = column.cast(pl.Float64, strict=False)
    wrong = numbers.is_null() | ~numbers.is_finite() | (numbers < 0)
    if (row := _first(wrong)) is not None:
        reason = "negative" if (numbers[row - 1] or 0) < 0 else "not a number"
        raise InputError(f"orders row {row}: quantity {column[row - 1]!r} is {reason}", "quantity")
    return numbers.alias("quantity")


def _first(wrong: pl.Series) -> int | None:
    """Return the row, counted from 1, of the first true value."""
    at = wrong.arg_true()
    return int(at[0]) + 1 if len(at) else None
