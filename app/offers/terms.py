"""What the merchant wants of a ranking, read from the shop's settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from app.catalog.catalog import Catalog
from app.catalog.costs import Costs, usual_margin
from app.offers.rerank import DEAR_RATIO, SAME_TYPE, SUBSTITUTE, Terms
from app.recommend.model import Model

MOST_BOOST = 10.0
REALLY_BOUGHT = 0.2  # of the orders with one of a kind, how many must hold a second


def terms_of(settings: Mapping[str, Any], catalog: Catalog, costs: Costs, model: Model | None) -> Terms:
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
        margin=usual_margin(catalog, costs),
        substitute=0.0 if varied else SUBSTITUTE,
        same_type=0.0 if varied else SAME_TYPE,
    )


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


def pinned_of(settings: Mapping[str, Any]) -> list[int]:
    """Return the pinned products in their order; none where the setting is absent or unusable."""
    try:
        return msgspec.convert(settings.get("pinned", []), list[int])
    except msgspec.ValidationError:
        return []


def _setting(settings: Mapping[str, Any], name: str, kind: Any, otherwise: Any) -> Any:
    try:
        return msgspec.convert(settings.get(name, otherwise), kind, strict=False)
    except msgspec.ValidationError:
        return otherwise
