"""What can be taken off a cart before it is sold at a loss. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Sold(NamedTuple):
    """A line of a cart. price_minor: of one unit, after the discounts it has already."""

    product_id: int
    quantity: int
    price_minor: int


def worth_minor(lines: Iterable[Sold]) -> int:
    """Return what the lines cost together."""
    return sum(line.quantity * line.price_minor for line in lines)


def spare_minor(lines: Iterable[Sold], costs: Mapping[int, int], margin: float | None) -> int | None:
    """Return the cart's profit, None where the shop has told no cost at all; negative where it is a loss.

    costs: of a unit, by product. margin: the shop's usual share of a price that is profit, for the rest.
    """
    if margin is None and not costs:
        return None
    return sum(line.quantity * _profit(line, costs, margin or 0.0) for line in lines)


def _profit(line: Sold, costs: Mapping[int, int], margin: float) -> int:
    cost = costs.get(line.product_id)
    return int(line.price_minor * margin) if cost is None else line.price_minor - cost
