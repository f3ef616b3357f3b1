"""Exposures and orders one by one, as a test tells them, and the columns they are read into."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.experiments.records import REFUNDS, Records, as_columns, exposures_in, orders_in


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

    refunds: when how much was given back, and what that had cost. minor: of its goods, after discounts.
    """

    order_id: int
    at: datetime
    minor: int
    customer_id: int | None = None
    checkout_token: str | None = None
    cancelled_at: datetime | None = None
    cost_minor: int | None = None
    refunds: tuple[tuple[datetime, int, int], ...] = ()
    foreign: bool = False

    def kept_minor(self, until: datetime) -> int:
        """Return what the shop had of it at that time."""
        if self.cancelled_at is not None and self.cancelled_at < until:
            return 0
        return max(0, self.minor - sum(minor for at, minor, _ in self.refunds if at < until))

    def kept_cost_minor(self, until: datetime) -> int | None:
        """Return what the goods had cost that did not come back until then, None where that is not known."""
        if self.cost_minor is None:
            return None
        return max(0, self.cost_minor - sum(cost for at, _, cost in self.refunds if at < until))


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
    return Records(exposures_in(told), orders_in(rows), as_columns(back, REFUNDS))
