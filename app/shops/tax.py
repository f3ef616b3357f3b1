"""How much tax a shop's prices hold, by its latest orders. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import Any


def tax_rate_of(orders: Iterable[Mapping[str, Any]]) -> float | None:
    """Return the rate of the tax that most of the orders' prices held, 0.2 for 20 %; None where none tells.

    In whole percents: Shopify tells a rate by what was sold alone.
    """
    rates = list(_rates(orders))
    return round(median(rates), 2) if rates else None


def _rates(orders: Iterable[Mapping[str, Any]]) -> Iterator[float]:
    for order in orders:
        total, tax = (float(order[name]["shopMoney"]["amount"]) for name in ("totalPriceSet", "totalTaxSet"))
        if order["taxesIncluded"] and total > tax:
            yield tax / (total - tax)
