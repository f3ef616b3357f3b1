"""What is measured of the units, each by its definition. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of an arm. above: the column that is averaged over units, or over `below` where that is set.

    better: 1 where more is better, -1 where less is. money: in minor units of the shop's currency.
    adjusted: for what the unit spent before.
    """

    name: str
    above: str
    says: str
    below: str | None = None
    better: int = 1
    money: bool = False
    adjusted: bool = False


METRICS: dict[str, Metric] = {
    each.name: each
    for each in (
        Metric("conversion", "bought", "units with an order", adjusted=True),
        Metric("revenue", "revenue", "revenue per unit", money=True, adjusted=True),
        Metric("aov", "revenue", "revenue per order", below="orders", money=True),
        Metric("profit", "profit", "profit per unit", money=True, adjusted=True),
        Metric("acceptance", "accepted", "units that accepted an offer"),
        Metric("refunds", "given_back", "orders refunded or cancelled", below="placed", better=-1),
    )
}
