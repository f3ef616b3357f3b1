"""Exposures and orders as the columns that they are read into. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from app.events.surfaces import AFTER_THE_ORDER, STOREFRONT
from app.experiments.assign import pseudonym

_TIME = pl.Datetime("us", "UTC")
# A row a decision that put a unit into an arm. accepted: whether an offer of it was. unserved: whether its
# arm could not be served, so that the unit saw another.
EXPOSURES: dict[str, Any] = {
    "decision_id": pl.String, "at": _TIME, "arm": pl.String, "unit": pl.String, "surface": pl.String,
    "customer_id": pl.Int64, "checkout_token": pl.String, "accepted": pl.Boolean,
    "unserved": pl.Boolean,
}  # fmt: skip
# Money is in the shop's currency. minor: null of an order without goods, such as of gift cards alone.
# cost_minor: of the goods, null where one is not known. foreign: paid in another currency.
ORDERS: dict[str, Any] = {
    "order_id": pl.Int64, "at": _TIME, "minor": pl.Int64, "customer_id": pl.Int64,
    "checkout_token": pl.String, "cancelled_at": _TIME, "cost_minor": pl.Int64, "foreign": pl.Boolean,
}  # fmt: skip
# minor: what was given back of the goods, after discounts. cost_minor: of those that came back, null where it
# is not known.
REFUNDS: dict[str, Any] = {"order_id": pl.Int64, "at": _TIME, "minor": pl.Int64, "cost_minor": pl.Int64}
# Which browser a checkout was in. own: the unit that the checkout is by itself; unit: the browser's.
GUESTS: dict[str, Any] = {"checkout_token": pl.String, "own": pl.String, "unit": pl.String}


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """All that is known of a version's units: a row an exposure, an order, a refund, each once, in any order.

    exposures: EXPOSURES, but for `after`, whether its page comes after the order, and `vouched`, whether
    Shopify signed for its checkout or customer, in place of the surface.
    orders, refunds: ORDERS, REFUNDS. unit, checkout_token: uint64, a hash, the same in all of them: of a
    million, two are taken for one with a chance of 3 in 10^8. None is unknown. guests: GUESTS, a row a
    checkout, all three hashed so.
    """

    exposures: pl.DataFrame
    orders: pl.DataFrame
    refunds: pl.DataFrame
    guests: pl.DataFrame = field(default_factory=lambda: guests_in((), ""))


def exposures_in(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """Return the rows, which are of EXPOSURES, as `Records` has them."""
    after = pl.col("surface").is_in(list(AFTER_THE_ORDER)).alias("after")
    vouched = (pl.col("surface") != STOREFRONT) | pl.col("customer_id").is_not_null()
    return (
        as_columns(rows, EXPOSURES)
        .with_columns(after, vouched.alias("vouched"), _hashed("unit"), _hashed("checkout_token"))
        .drop("surface")
    )


def orders_in(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """Return the rows, which are of ORDERS, as `Records` has them."""
    return as_columns(rows, ORDERS).with_columns(_hashed("checkout_token"))


def guests_in(pairs: Iterable[tuple[Any, ...]], shop: str) -> pl.DataFrame:
    """Return the pairs of a checkout and its browser as `Records` has them."""
    rows = (
        (token, pseudonym(shop, f"checkout:{token}"), pseudonym(shop, f"client:{client}"))
        for token, client in pairs
    )
    return as_columns(rows, GUESTS).with_columns(*map(_hashed, GUESTS))


def _hashed(name: str) -> pl.Expr:
    """Return the name's hash; an empty one is none."""
    return pl.when(pl.col(name) != "").then(pl.col(name).hash()).alias(name)


def as_columns(rows: Iterable[tuple[Any, ...]], columns: Mapping[str, Any]) -> pl.DataFrame:
    """Return the rows, which are of these columns."""
    return pl.DataFrame(list(rows), schema=columns, orient="row")
