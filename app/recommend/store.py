"""Where data sets come from: a merchant's files, or the shop's own tables."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Select, func, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import InputError
from app.orders.placed import BY_SOMEBODY
from app.orders.refunds import lines_kept
from app.recommend.dataset import Dataset
from app.recommend.exports import from_export, is_export
from app.recommend.read import build_dataset
from app.streamed import in_parts
from app.tables import OrderRow, ProductRow
from app.values import ShopDomain

_AT_ONCE = 5_000
_LINES: dict[str, Any] = {
    "order_id": pl.Int64,
    "customer_id": pl.Int64,
    "created_at": pl.Datetime("us", "UTC"),
    "product_id": pl.Int64,
    "quantity": pl.Int64,
}
_PRODUCTS: dict[str, Any] = {
    "product_id": pl.Int64,
    "title": pl.String,
    "vendor": pl.String,
    "product_type": pl.String,
    "tags": pl.List(pl.String),
    "created_at": pl.Datetime("us", "UTC"),
}


def read_files(orders: Path, products: Path | None = None) -> Dataset:
    """Return the data set of a merchant's files, CSV or Parquet, or Shopify's exports. Raises InputError."""
    lines = read_table(orders)
    if not len(lines):
        raise InputError(f"{orders}: no orders in it", "orders")
    listed = None if products is None else read_table(products)
    if is_export(lines):
        lines, listed = from_export(lines, listed)
    return build_dataset(lines, listed)


def read_table(path: Path) -> pl.DataFrame:
    """Return a CSV (every column as text) or Parquet file. Raises InputError naming the file."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False, encoding="utf8")
    except pl.exceptions.NoDataError:
        raise InputError(f"{path}: the file is empty") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}") from error


async def read_shop(
    db: AsyncSession, shop: ShopDomain, unnamed: Collection[int] = (), left_out: Collection[int] = ()
) -> Dataset:
    """Return the data set of what was kept of a shop's uncancelled orders, and of the products it has.

    A bundle is one product, and what a subscription charged is nobody's basket.

    unnamed: customers who don't want to be learnt from; what they bought is nobody's. left_out: customers
    whose orders say nothing of others, such as tests and resellers; none of theirs is in it.
    """
    kept = lines_kept(shop)
    chosen = func.coalesce(kept.c.bundle_product_id, kept.c.product_id)
    lines = (
        select(*map(col, (OrderRow.order_id, OrderRow.customer_id, OrderRow.created_at)))
        .add_columns(chosen, kept.c.quantity)
        .where(col(OrderRow.shop) == shop, col(OrderRow.cancelled_at).is_(None), BY_SOMEBODY)
        .where(kept.c.order_id == col(OrderRow.order_id))
        # A part of a bundle that nothing is known of yet was not chosen by itself.
        .where(or_(kept.c.bundle_id.is_(None), kept.c.bundle_product_id.is_not(None)))
    )
    products = select(*(col(getattr(ProductRow, name)) for name in _PRODUCTS)).where(
        col(ProductRow.shop) == shop, col(ProductRow.deleted_at).is_(None)
    )
    bought, catalogue = await _table(db, lines, _LINES), await _table(db, products, _PRODUCTS)
    return await asyncio.to_thread(_dataset, bought, catalogue, unnamed, left_out)


async def _table(db: AsyncSession, query: Select[Any], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return what the query finds, a part at a time: of a large shop it takes seconds, and others wait."""
    parts = [
        pl.DataFrame(list(map(tuple, part)), schema=schema, orient="row")
        async for part in in_parts(await db.connection(), query, _AT_ONCE)
    ]
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def _dataset(
    lines: pl.DataFrame, products: pl.DataFrame, unnamed: Collection[int], left_out: Collection[int]
) -> Dataset:
    counted = lines.filter(~_is_of(left_out).fill_null(value=False))
    return build_dataset(counted.with_columns(pl.when(~_is_of(unnamed)).then("customer_id")), products)


def _is_of(customer_ids: Collection[int]) -> pl.Expr:
    """Return whether an order is of one of the customers; null for nobody's."""
    return pl.col("customer_id").is_in(pl.Series(sorted(customer_ids), dtype=pl.Int64).implode())
