"""How much tax a shop's prices hold, by its latest orders. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any


def tax_rate_of(described: Mapping[str, Any]) -> float:
    """Return the rate of the tax in the shop's prices, 0.2 for 20 %; nought where it comes on top of them.

    It is what most of the latest orders held, in whole percents: Shopify tells a rate by what was sold alone.
    """
    if not described["shop"].get("taxesIncluded"):
        return 0.0
    return round(median(list(_rates(described.get("orders") or {})) or [0.0]), 2)


def _rates(orders: Mapping[str, Any]) -> Iterator[float]:
    for order in orders.get("nodes") or ():
        total, tax = (float(order[name]["shopMoney"]["amount"]) for name in ("totalPriceSet", "totalTaxSet"))
        if order["taxesIncluded"] and total > tax:
            yield tax / (total - tax)
