"""What the merchant wants of a ranking, read from the shop's settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

import msgspec
import numpy as np

from app.catalog.catalog import Catalog
from app.offers.rerank import DEAR_RATIO, SAME_TYPE, SUBSTITUTE, Terms
from app.recommend.model import Model

MOST_BOOST = 10.0
REALLY_BOUGHT = 0.2  # of the orders with one of a kind, how many must hold a second


def terms_of(
    settings: Mapping[str, Any], catalog: Catalog, costs: Mapping[int, int], model: Model | None
) -> Terms:
    """Return the merchant's terms; the usual ones where a setting is absent or unusable.

    `pinned` lists product ids, `boosts` maps them to factors in (0, 10], `dear_ratio` is how many times the
    cart's subtotal an offer may cost before it is held back.
    """
    ratio = _setting(settings, "dear_ratio", float, DEAR_RATIO)
    varied = model is not None and len(model.variety) > 0  # its scores hold back what these would
    factors = _setting(settings, "boosts", dict[int, float], {})
    return Terms(
        pinned=frozenset(_setting(settings, "pinned", list[int], [])),
        boosts={product_id: factor for product_id, factor in factors.items() if 0 < factor <= MOST_BOOST},
        dear_ratio=ratio if ratio > 0 else DEAR_RATIO,
        bought_twice=_bought_twice(catalog, model),
        margin=_usual_margin(catalog, costs),
        substitute=0.0 if varied else SUBSTITUTE,
        same_type=0.0 if varied else SAME_TYPE,
    )


def costs_of(settings: Mapping[str, Any]) -> dict[int, int]:
    """Return what a unit costs the shop, in minor units, by product id; `costs` in the settings."""
    costs: dict[int, int] = _setting(settings, "costs", dict[int, int], {})
    return {product_id: cost for product_id, cost in costs.items() if cost >= 0}


def lead_days_of(settings: Mapping[str, Any]) -> dict[int, int]:
    """Return after how many days a product is sent, by product id; `lead_days` in the settings."""
    days: dict[int, int] = _setting(settings, "lead_days", dict[int, int], {})
    return {product_id: each for product_id, each in days.items() if each >= 0}


def _bought_twice(catalog: Catalog, model: Model | None) -> frozenset[str | int]:
    """Return the kinds of which people buy a second product with the first."""
    if model is None or not len(model.bought_twice):
        return frozenset()
    ids = model.product_ids[np.flatnonzero(model.bought_twice >= REALLY_BOUGHT)].tolist()
    return frozenset(product.kind for each in ids if (product := catalog.get(each)))


def _usual_margin(catalog: Catalog, costs: Mapping[int, int]) -> float | None:
    """Return the median share of a price that is profit, None where no cost is known."""
    priced = ((catalog.get(each), cost) for each, cost in costs.items())
    offered = ((product.offered, cost) for product, cost in priced if product is not None)
    shares = [1 - cost / variant.price_minor for variant, cost in offered if variant and variant.price_minor]
    return median(shares) if shares else None


def _setting(settings: Mapping[str, Any], name: str, kind: Any, otherwise: Any) -> Any:
    try:
        return msgspec.convert(settings.get(name, otherwise), kind, strict=False)
    except msgspec.ValidationError:
        return otherwise
