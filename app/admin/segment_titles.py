"""What segments and ways with shoppers are called. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from app.admin.language import LANGUAGES, SOURCE, Lazy, lazy, speaking, spoken
from app.profiles import rfm_segments
from app.profiles.segment_names import same_name
from app.rules.words import segment_key

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
    return str(TITLES[name]) if name in TITLES else rfm_segments.title(name)


@cache
def titles_anywhere() -> frozenset[str]:
    """Return what worked-out segments are called in any language, as `same_name` has it."""
    said: set[str] = set()
    for language in LANGUAGES:
        with speaking(language):
            said |= {same_name(str(each)) for each in TITLES.values()}
    return frozenset(said)


def rule_name(name: str) -> str:
    """Return a segment's name as it stands within a rule: English there says `at risk`, others the title."""
    if spoken().language == SOURCE or name not in TITLES:
        return name.replace("_", " ")
    return title(name)


def rule_names() -> dict[str, str]:
    """Return what segments are called within a rule, by segment_key."""
    return {segment_key(name): rule_name(name) for name in TITLES}
