"""What products cost the shop, and what is left of their prices. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import msgspec

from app.catalog.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Costs:
    """What a unit costs the shop, in minor units of its currency.

    by_product: as the setting `costs` has it, which goes first. by_variant: as Shopify has it.
    """

    by_product: Mapping[int, int] = field(default_factory=dict)
    by_variant: Mapping[int, int] = field(default_factory=dict)

    def of(self, product_id: int, variant_id: int | None) -> int | None:
        """Return what a unit of the variant costs, None where that is not known."""
        told = self.by_product.get(product_id)
        if told is not None or variant_id is None:
            return told
        return self.by_variant.get(variant_id)

    def __bool__(self) -> bool:
        return bool(self.by_product or self.by_variant)


NO_COSTS = Costs()


def costs_in(settings: Mapping[str, Any]) -> dict[int, int]:
    """Return what the merchant said that a product's unit costs; nothing where that is unusable."""
    try:
        told = msgspec.convert(settings.get("costs", {}), dict[int, int], strict=False)
    except msgspec.ValidationError:
        return {}
    return {product_id: cost for product_id, cost in told.items() if cost >= 0}


def costs_of(settings: Mapping[str, Any], catalog: Catalog) -> Costs:
    """Return what the shop's products cost, by the merchant's word and by Shopify's.

    A gift card costs what it sells for, where anything's cost is known: all of it is owed.
    """
    said, products = costs_in(settings), catalog.products.values()
    told = {
        each.variant_id: each.cost_minor
        for product in products
        for each in product.variants
        if isinstance(each.cost_minor, int)
    }
    if said or told:
        cards = (product for product in products if product.gift_card is True)
        told |= {each.variant_id: each.price_minor for card in cards for each in card.variants}
    return Costs(said, told)


def usual_margin(catalog: Catalog, costs: Costs) -> float | None:
    """Return the median share of a price that is profit, of what is offered; None where no cost is known."""
    if not costs:
        return None
    shares = []
    for product in catalog.products.values():
        variant = product.offered
        cost = None if variant is None else costs.of(product.product_id, variant.variant_id)
        if variant is not None and variant.price_minor and cost is not None:
            shares.append(1 - cost / variant.price_minor)
    return median(shares) if shares else None
