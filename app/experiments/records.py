"""Exposures and orders, one by one and as the columns that many of them are read into. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from app.experiments.assign import pseudonym

AFTER_THE_ORDER = frozenset({"thank_you", "order_status"})

_TIME = pl.Datetime("us", "UTC")
# As they are read. accepted: whether an offer of the decision was. unserved: whether its arm could not be.
EXPOSURES: dict[str, Any] = {
    "decision_id": pl.String, "at": _TIME, "arm": pl.String, "unit": pl.String, "surface": pl.String,
    "customer_id": pl.Int64, "checkout_token": pl.String, "accepted": pl.Boolean,
    "unserved": pl.Boolean,
}  # fmt: skip
ORDERS: dict[str, Any] = {
    "order_id": pl.Int64, "at": _TIME, "minor": pl.Int64, "customer_id": pl.Int64,
    "checkout_token": pl.String, "cancelled_at": _TIME, "cost_minor": pl.Int64, "foreign": pl.Boolean,
}  # fmt: skip
REFUNDS: dict[str, Any] = {"order_id": pl.Int64, "at": _TIME, "minor": pl.Int64}
# Which browser a checkout was in. own: the unit that the checkout is by itself; unit: the browser's.
GUESTS: dict[str, Any] = {"checkout_token": pl.String, "own": pl.String, "unit": pl.String}


@dataclass(frozen=True, slots=True)
class Exposure:
    """A decision that put a unit into an arm. unserved: which could not be served, so it saw another."""

    decision_id: str
    at: datetime
    arm: str
    unit: str
    surface: str = "checkout"
    customer_id: int | None = None
    checkout_token: str | None = None
    unserved: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """An order, money in the shop's currency. cost_minor: of its goods, None where one is not known.

    refunds: when how much was given back. minor: of its goods, after discounts.
    """

    order_id: int
    at: datetime
    minor: int
    customer_id: int | None = None
    checkout_token: str | None = None
    cancelled_at: datetime | None = None
    cost_minor: int | None = None
    refunds: tuple[tuple[datetime, int], ...] = ()
    foreign: bool = False

    def kept_minor(self, until: datetime) -> int:
        """Return what the shop had of it at that time."""
        if self.cancelled_at is not None and self.cancelled_at < until:
            return 0
        return max(0, self.minor - sum(minor for at, minor in self.refunds if at < until))


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """All that is known of a version's units: a row an exposure, an order, a refund, each once, in any order.

    exposures: EXPOSURES, but for `after`, whether its page comes after the order, in place of the surface.
    orders, refunds: ORDERS, REFUNDS. unit, checkout_token: uint64, a hash, the same in all of them: of a
    million, two are taken for one with a chance of 3 in 10^8. None is unknown. guests: GUESTS, a row a
    checkout, all three hashed so.
    """

    exposures: pl.DataFrame
    orders: pl.DataFrame
    refunds: pl.DataFrame
    guests: pl.DataFrame = field(default_factory=lambda: guests_in((), ""))


def records_of(
    exposures: Iterable[Exposure], orders: Iterable[Order] = (), accepted: Iterable[str] = ()
) -> Records:
    """Return them as columns, what was told twice once. accepted: decisions with an accepted offer."""
    taken, placed = set(accepted), {each.order_id: each for each in orders}.values()
    told = [
        (each.decision_id, each.at, each.arm, each.unit, each.surface, each.customer_id, each.checkout_token,
         each.decision_id in taken, each.unserved)
        for each in {each.decision_id: each for each in exposures}.values()
    ]  # fmt: skip
    rows = [
        (each.order_id, each.at, each.minor, each.customer_id, each.checkout_token, each.cancelled_at,
         each.cost_minor, each.foreign)
        for each in placed
    ]  # fmt: skip
    back = [(each.order_id, *refund) for each in placed for refund in each.refunds]
    return Records(exposures_in(told), orders_in(rows), refunds_in(back))


def exposures_in(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """Return the rows, which are of EXPOSURES, as `Records` has them."""
    after = pl.col("surface").is_in(list(AFTER_THE_ORDER)).alias("after")
    return (
        _table(rows, EXPOSURES)
        .with_columns(after, _hashed("unit"), _hashed("checkout_token"))
        .drop("surface")
    )


def orders_in(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """Return the rows, which are of ORDERS, as `Records` has them."""
    return _table(rows, ORDERS).with_columns(_hashed("checkout_token"))


def refunds_in(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """Return the rows, which are of REFUNDS, as `Records` has them."""
    return _table(rows, REFUNDS)


def guests_in(pairs: Iterable[tuple[Any, ...]], shop: str) -> pl.DataFrame:
    """Return the pairs of a checkout and its browser as `Records` has them."""
    rows = (
        (token, pseudonym(shop, f"checkout:{token}"), pseudonym(shop, f"client:{client}"))
        for token, client in pairs
    )
    return _table(rows, GUESTS).with_columns(*map(_hashed, GUESTS))


def _hashed(name: str) -> pl.Expr:
    """Return the name's hash; an empty one is none."""
    return pl.when(pl.col(name) != "").then(pl.col(name).hash()).alias(name)


def _table(rows: Iterable[tuple[Any, ...]], columns: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=columns, orient="row")
