"""What can be taken off a cart before it is sold at a loss. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from app.catalog.catalog import Catalog
from app.catalog.costs import Costs
from app.values import LARGEST


class PricedLine(NamedTuple):
    """A line of a cart. price_minor: of one unit, after the discounts it has already.

    variant_id: None where it is not told, so that the product's cost alone can be known.
    """

    product_id: int
    quantity: int
    price_minor: int
    variant_id: int | None = None


def worth_minor(lines: Iterable[PricedLine]) -> int:
    """Return what the lines cost together."""
    return _loggable(sum(line.quantity * line.price_minor for line in lines))


def cards_minor(lines: Iterable[PricedLine], catalog: Catalog) -> int:
    """Return what the gift cards among the lines cost together."""
    products = ((line, catalog.get(line.product_id)) for line in lines)
    return worth_minor(line for line, product in products if product and product.gift_card is True)


def spare_minor(lines: Iterable[PricedLine], costs: Costs, margin: float | None) -> int | None:
    """Return the cart's profit in minor units, negative for a loss; None where no costs are known.

    margin: the shop's usual share of a price that is profit, for the rest.
    """
    if margin is None and not costs:
        return None
    return _loggable(sum(line.quantity * _profit(line, costs, margin or 0.0) for line in lines))


def _loggable(amount_minor: int) -> int:
    """Return the amount, no further from 0 than the log holds: whoever asks names quantities and prices."""
    return max(-LARGEST, min(amount_minor, LARGEST))


def _profit(line: PricedLine, costs: Costs, margin: float) -> int:
    cost = costs.of(line.product_id, line.variant_id)
    return int(line.price_minor * margin) if cost is None else line.price_minor - cost
