"""What segments and ways with shoppers are called. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from app.admin.language import Lazy, lazy
from app.admin.view import named

TITLES: Mapping[str, Lazy] = {
    "champions": lazy("Champions"),
    "loyal": lazy("Loyal"),
    "active": lazy("Active"),
    "new": lazy("New"),
    "promising": lazy("Promising"),
    "needs_attention": lazy("Needs attention"),
    "at_risk": lazy("At risk"),
    "almost_lost": lazy("Almost lost"),
    "previously_loyal": lazy("Previously loyal"),
    "dormant": lazy("Dormant"),
    "prospects": lazy("Prospects"),
    "foreseen_at_risk": lazy("Predicted at risk"),
    "foreseen_loyal": lazy("Predicted loyal"),
    "high_value_shoppers": lazy("High-value shoppers"),
    "interested_browsers": lazy("Interested browsers"),
    "hesitant_buyers": lazy("Hesitant buyers"),
}


def title(name: str) -> str:
    """Return a segment's name as a merchant reads it; their own stand as they wrote them."""
    return named(name, TITLES)
