"""Our RFM segment beside Shopify's own `rfmGroup` of the same customer, and why they differ. Pure.

What Shopify publishes (Admin API `CustomerRfmGroup`; Help Center, "RFM customer analysis"): scores of
1 to 5 from the shop's own customers, 5 for the top 20 %; groups by recency and by (F + M) / 2; and a
sentence of words for each group, below. It does not give a customer's scores. Two of its groups,
`ACTIVE` and `NEEDS_ATTENTION`, have the same words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from app.profiles.rfm_segments import PROSPECTS, SEGMENTS, title
from app.wording import wording


class Words(NamedTuple):
    """How Shopify describes a group: the purchases' recency, how many orders, how much spend."""

    recency: str
    orders: str
    spend: str


SHOPIFY_WORDS = {
    "champions": Words(wording("very recent purchases"), wording("many orders"), wording("the most spend")),
    "loyal": Words(wording("recent purchases"), wording("many orders"), wording("the most spend")),
    "active": Words(wording("recent purchases"), wording("some orders"), wording("moderate spend")),
    "needs_attention": Words(wording("recent purchases"), wording("some orders"), wording("moderate spend")),
    "new": Words(wording("very recent purchases"), wording("few orders"), wording("low spend")),
    "promising": Words(wording("recent purchases"), wording("few orders"), wording("low spend")),
    "at_risk": Words(
        wording("no recent purchases"), wording("a strong history of orders"), wording("strong spend")
    ),
    "previously_loyal": Words(
        wording("no recent purchases"),
        wording("a very strong history of orders"),
        wording("very strong spend"),
    ),
    "almost_lost": Words(wording("no recent purchases"), wording("fewer orders"), wording("lower spend")),
    "dormant": Words(wording("no recent purchases"), wording("infrequent orders"), wording("low spend")),
}


class Comparison(NamedTuple):
    """Two ways to group the same customers.

    cells: customers by (ours, Shopify's). same, compared: customers; unknown: those Shopify gives no
    group for.
    """

    cells: dict[tuple[str, str], int]
    same: int
    compared: int
    unknown: int


def shopify_segment(rfm_group: str | None) -> str | None:
    """Return Shopify's enum value as we write it, None for none or one we do not know."""
    name = (rfm_group or "").lower()
    return name if name in SEGMENTS else None


def compare(ours: Mapping[int, str], rfm_groups: Mapping[int, str | None]) -> Comparison:
    """Return how far the two agree. ours, rfm_groups: by customer id."""
    return compared(Counter((segment, rfm_groups.get(each)) for each, segment in ours.items()))


def compared(counts: Mapping[tuple[str, str | None], int]) -> Comparison:
    """Return how far the two agree. counts: customers by (our segment, Shopify's rfmGroup)."""
    cells: Counter[tuple[str, str]] = Counter()
    for (ours, rfm_group), customers in counts.items():
        if theirs := shopify_segment(rfm_group):
            cells[ours, theirs] += customers
    return Comparison(
        cells=dict(cells),
        same=sum(count for (ours, theirs), count in cells.items() if ours == theirs),
        compared=cells.total(),
        unknown=sum(counts.values()) - cells.total(),
    )


def difference(ours: str, rfm_group: str | None) -> str | None:
    """Return in a sentence why Shopify's group differs from our segment, None when it does not."""
    theirs = shopify_segment(rfm_group)
    if theirs == ours:
        return None
    if theirs is None:
        return wording("Shopify has no group for this customer yet.")
    if PROSPECTS in (ours, theirs):
        return _about_a_prospect(ours)
    here, there = SHOPIFY_WORDS[ours], SHOPIFY_WORDS[theirs]
    if here == there:
        mine, shopifys = title(ours), title(theirs)
        return wording(f"Shopify describes {mine} and {shopifys} in the same words; ours differ by recency.")
    unlike = [(our, their) for our, their in zip(here, there, strict=True) if our != their]
    seen, unseen = (", ".join(words) for words in zip(*((their, our) for our, their in unlike), strict=True))
    return wording(
        f"Shopify says {title(theirs)}: it sees {seen} and not {unseen}. Shopify shows no scores; it may "
        "count what we leave out, or have counted at another time."
    )


def _about_a_prospect(ours: str) -> str:
    if ours == PROSPECTS:
        return wording(
            "Shopify counts an order that was given back whole, or whose customer it knows and we do not."
        )
    return wording(
        "Shopify does not count this customer's orders yet; its groups follow new orders with a delay."
    )
