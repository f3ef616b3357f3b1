"""Which of eleven named segments the scores stand for, and why, in a sentence. Pure.

The names are those of Shopify's `CustomerRfmGroup`, so that the two can stand side by side; like
Shopify's, they are of recency (R) and of value, the mean of the other two scores: FM = (F + M) / 2.
Where the lines between the names are, is ours, and is this table:

| R | FM 1 to 2   | 2.5, 3          | 3.5             | 4         | 4.5, 5           |
|---|-------------|-----------------|-----------------|-----------|------------------|
| 5 | new         | active          | active          | champions | champions        |
| 4 | promising   | active          | active          | loyal     | loyal            |
| 3 | promising   | needs_attention | needs_attention | loyal     | loyal            |
| 2 | almost_lost | almost_lost     | at_risk         | at_risk   | previously_loyal |
| 1 | dormant     | dormant         | at_risk         | at_risk   | previously_loyal |

`prospects` never bought. Who ordered once has FM 3 at most: no single order, however large, makes a
champion or someone loyal.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.profiles.rfm import Scores
from app.values import decimal_amount
from app.wording import wording

PROSPECTS = "prospects"
SEGMENTS = (
    "champions", "loyal", "active", "new", "promising", "needs_attention",
    "at_risk", "almost_lost", "previously_loyal", "dormant", PROSPECTS,
)  # fmt: skip

_LOW, _MIDDLE, _STRONG, _HIGH, _HIGHEST = range(5)
# From FM doubled, F + M: 2 to 10.
_VALUE = dict(zip(range(2, 11), [_LOW] * 3 + [_MIDDLE] * 2 + [_STRONG, _HIGH] + [_HIGHEST] * 2, strict=True))
_TABLE = {
    5: ("new", "active", "active", "champions", "champions"),
    4: ("promising", "active", "active", "loyal", "loyal"),
    3: ("promising", "needs_attention", "needs_attention", "loyal", "loyal"),
    2: ("almost_lost", "almost_lost", "at_risk", "at_risk", "previously_loyal"),
    1: ("dormant", "dormant", "at_risk", "at_risk", "previously_loyal"),
}
_FIFTHS = {
    1: wording("lowest"),
    2: wording("second lowest"),
    3: wording("middle"),
    4: wording("second highest"),
    5: wording("highest"),
}
_RECENT_FIFTHS = {
    1: wording("longest ago"),
    2: wording("longer ago than most"),
    3: wording("middling"),
    4: wording("recent"),
    5: wording("most recent"),
}


@dataclass(frozen=True, slots=True)
class PurchaseSummary:
    """What is known of a customer's purchases. recency_days: whole days; orders: at least 1."""

    recency_days: int
    orders: int
    spent_minor: int


def segment(scores: Scores | None) -> str:
    """Return the segment's name; without scores, who never bought, `prospects`."""
    if scores is None:
        return PROSPECTS
    return _TABLE[scores.recency][_VALUE[scores.frequency + scores.monetary]]


def title(name: str) -> str:
    """Return a segment's name as a merchant reads it: `Almost lost`; their own as they wrote it."""
    of_small_letters = name.isascii() and name.islower() and name.replace("_", "").isalnum()
    return name.replace("_", " ").capitalize() if of_small_letters else name


def why(scores: Scores | None, standing: PurchaseSummary | None, currency: str) -> str:
    """Return in one sentence why a customer is in their segment."""
    if scores is None or standing is None:
        return f"{title(PROSPECTS)}: {wording('has not bought anything yet.')}"
    last, often = ago(standing.recency_days), times(standing.orders)
    recent, frequent, spending = (
        _RECENT_FIFTHS[scores.recency], _FIFTHS[scores.frequency], _FIFTHS[scores.monetary],
    )  # fmt: skip
    amount = decimal_amount(standing.spent_minor, currency)
    said = wording(
        f"last bought {last} ({recent}, {scores.recency} of 5), ordered {often} ({frequent} fifth) and spent "
        f"{amount} {currency} ({spending} fifth), compared with this shop's other customers."
    )
    return f"{title(segment(scores))}: {said}"


def ago(days: int) -> str:
    """Return whole days as they are said: `today`, `9 days ago`."""
    return {0: wording("today"), 1: wording("yesterday")}.get(days, wording(f"{days} days ago"))


def times(orders: int) -> str:
    """Return a count as it is said: `once`, `12 times`."""
    said = {0: wording("never"), 1: wording("once"), 2: wording("twice")}
    return said.get(orders, wording(f"{orders} times"))
