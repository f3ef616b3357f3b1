"""Shopify's own exports of orders and products, as the tables that `build_dataset` takes. Pure.

An export of orders has a row a line; what is the order's may stand in its first row alone. It names no
product by number: a line is known by its SKU, else by its name, which is the product's title, ` - ` and the
variant's.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from app.orders.placed import RENEWAL

_ORDER, _LINE, _SKU = "Name", "Lineitem name", "Lineitem sku"
_OF_ORDER = {
    "created_at": "Created at",
    "customer_id": "Email",
    "cancelled_at": "Cancelled at",
    "source": "Source",
}
# What a product's column is called, with an older name of it.
_OF_PRODUCT = {
    "product_id": ("URL handle", "Handle"),
    "title": ("Title",),
    "vendor": ("Vendor",),
    "product_type": ("Type",),
    "tags": ("Tags",),
    "sku": ("SKU", "Variant SKU"),
}
_BEFORE_VARIANT = " - "


def is_export(orders: pl.DataFrame) -> bool:
    """Return whether the orders are as Shopify exports them."""
    return {_ORDER, _LINE, _OF_ORDER["created_at"]} <= set(orders.columns)


def from_export(
    orders: pl.DataFrame, products: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the order lines and the products; what was cancelled, or a subscription charged, is left out.

    A product goes by its handle; what the products do not have is one by the line's name.
    """
    listed = _listed(pl.DataFrame() if products is None else products)
    lines = _lines(orders)
    named = lines.join(_by_sku(listed), on="sku", how="left", maintain_order="left").with_columns(
        by_name=_by_name(lines, listed)
    )
    known = named.with_columns(product_id=pl.coalesce("by_sku", "by_name", "name"))
    of_lines = known.select("product_id", title="name").drop_nulls()
    every = pl.concat([listed, of_lines], how="diagonal")
    return known, every.group_by("product_id", maintain_order=True).agg(pl.all().drop_nulls().first())


def _lines(orders: pl.DataFrame) -> pl.DataFrame:
    """Return the lines under our names, each with what is its order's."""
    of_order = [
        _text(orders, name).drop_nulls().first().over(_ORDER).alias(ours) for ours, name in _OF_ORDER.items()
    ]
    lines = orders.select(
        pl.col(_ORDER).alias("order_id"),
        *of_order,
        _text(orders, _LINE).alias("name"),
        _text(orders, _SKU).alias("sku"),
        _text(orders, "Lineitem quantity").alias("quantity"),
    )
    charged = pl.col("source").str.starts_with(RENEWAL).fill_null(value=False)
    return lines.filter(pl.col("cancelled_at").is_null(), ~charged)


def _listed(products: pl.DataFrame) -> pl.DataFrame:
    """Return a row a variant, or a picture, under our names; a product's own columns in its first row."""
    columns = [
        pl.coalesce(_text(products, name) for name in names).alias(ours)
        for ours, names in _OF_PRODUCT.items()
    ]
    return products.select(columns).filter(pl.col("product_id").is_not_null())


def _by_sku(listed: pl.DataFrame) -> pl.DataFrame:
    """Return which product each SKU is of, where that is one alone."""
    of_each = listed.filter(pl.col("sku").is_not_null()).group_by("sku")
    found = of_each.agg(
        pl.col("product_id").first().alias("by_sku"), pl.col("product_id").n_unique().alias("of")
    )
    return found.filter(pl.col("of") == 1).drop("of")


def _by_name(lines: pl.DataFrame, listed: pl.DataFrame) -> pl.Series:
    """Return the product of the longest title that each line's name begins with, null where there is none."""
    titles = dict(listed.filter(pl.col("title").is_not_null()).select("title", "product_id").iter_rows())
    found = {name: _titled(name, titles) for name in lines["name"].drop_nulls().unique()}
    return lines["name"].replace_strict(found, default=None, return_dtype=pl.String)


def _titled(name: str, titles: Mapping[str, str]) -> str | None:
    while name not in titles and _BEFORE_VARIANT in name:
        name = name.rpartition(_BEFORE_VARIANT)[0]
    return titles.get(name)


def _text(table: pl.DataFrame, column: str) -> pl.Expr:
    """Return the column as text, empty as null; all null where it is not there."""
    if column not in table.columns:
        return pl.lit(None, dtype=pl.String)
    return pl.col(column).cast(pl.String).str.strip_chars().replace("", None)
