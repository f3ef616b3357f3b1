"""The retailer's baskets as orders: real products, quantities, prices, coupons and times."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

import polars as pl

from devstore.demo.catalogue import LABEL, VARIANT_IDS
from devstore.demo.choose import Shift
from devstore.demo.coupons import PAPER, Redeemed
from devstore.records import Allocation, LineItem, Order, Product

FIRST_LINE_ID = 500_000_000_001
FIRST_NUMBER = 1001
Row = dict[str, Any]


def orders(
    lines: pl.DataFrame, products: dict[int, Product], used: Redeemed, shift: Shift
) -> Iterator[Order]:
    """Yield the orders in the order they were made, numbered from 1001."""
    ids = iter(range(FIRST_LINE_ID, FIRST_LINE_ID + lines.height))
    baskets = groupby(lines.iter_rows(named=True), key=lambda row: row["basket_id"])
    for number, (_, rows) in enumerate(baskets, start=FIRST_NUMBER):
        yield _order(number, list(rows), lambda row: _line(next(ids), row, products, used), shift)


def _order(number: int, rows: list[Row], line: Callable[[Row], LineItem], shift: Shift) -> Order:
    first = rows[0]
    made = shift.ours(first["bought_at"])
    household = first["household_id"]
    return Order(
        first["basket_id"],
        number,
        made,
        made,
        tuple(map(line, rows)),
        token=f"cj{first['basket_id']}",
        customer_id=household,
        email=f"household-{household}@example.com",
        tags=[LABEL],
    )


def _line(number: int, row: Row, products: dict[int, Product], used: Redeemed) -> LineItem:
    product = products[row["product_id"]]
    variant = product.variants[0]
    price = round(row["unit_price"] * 100)
    off = min(round(row["coupon"] * 100), price * row["quantity"])
    day = row["bought_at"].date()
    code = used.get((row["household_id"], product.id, day), PAPER)
    return LineItem(
        number,
        product.id,
        VARIANT_IDS + product.id,
        product.title,
        variant.title,
        product.vendor,
        variant.sku,
        row["quantity"],
        price,
        (),
        (Allocation(code, off),) if off else (),
    )


def taken_by_code(made: Iterable[Order]) -> dict[str, list[int]]:
    """Return what each code took off each line it was used for, in cents."""
    taken: dict[str, list[int]] = {}
    for allocation in (a for order in made for line in order.lines for a in line.allocations):
        taken.setdefault(allocation.code, []).append(allocation.amount_minor)
    return taken
