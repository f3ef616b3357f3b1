"""What a shop's snapshot is taken from, as far as a choice depends on it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.campaigns.campaign import Running
from app.catalog.catalog import Catalog
from app.orders.returns import ReturnRates


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """The catalogue, and all that is said of it. The same sources make the same snapshot.

    model_version: of the model that ranks, None without one. weights: by choice and campaign, how often
    each is drawn.
    """

    catalog: Catalog
    model_version: str | None
    excluded: frozenset[int]
    settings: Mapping[str, Any]
    campaigns: Sequence[Running]
    time_zone: str
    returns: ReturnRates
    weights: Mapping[str, Mapping[str, float]]
