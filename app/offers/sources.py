"""What a shop's snapshot is taken from, as far as a choice depends on it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.campaigns.campaign import Running
from app.catalog.catalog import Catalog
from app.orders.returns import UNKNOWN, ReturnRates


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """The catalogue, and all that is said of it. The same sources make the same choices.

    model_version: of the model that ranks, None without one. settings: the merchant's. weights: by choice and
    campaign, how often each is drawn.
    """

    catalog: Catalog
    model_version: str | None = None
    excluded: frozenset[int] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)
    campaigns: Sequence[Running] = ()
    time_zone: str = ""
    returns: ReturnRates = UNKNOWN
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
