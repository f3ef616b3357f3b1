"""Each customer's RFM group, as the dev store's stand-in for Shopify's: lists cut in fifths, and a table.

Shopify publishes what its groups are called and a line of words for each, and not how it draws them. So
these are no measure of how well anybody agrees with Shopify: they only put something in the field.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from devstore.records import Order

_FIFTHS = 5
# By recency, best first; in each, by the mean of orders and spend, lowest first.
_GROUPS = (
    ("NEW", "NEW", "ACTIVE", "CHAMPIONS", "CHAMPIONS"),
    ("PROMISING", "PROMISING", "ACTIVE", "LOYAL", "CHAMPIONS"),
    ("PROMISING", "NEEDS_ATTENTION", "NEEDS_ATTENTION", "LOYAL", "LOYAL"),
    ("ALMOST_LOST", "ALMOST_LOST", "AT_RISK", "AT_RISK", "PREVIOUSLY_LOYAL"),
    ("DORMANT", "DORMANT", "AT_RISK", "PREVIOUSLY_LOYAL", "PREVIOUSLY_LOYAL"),
)


def rfm_groups(orders: Iterable[Order], now: datetime) -> dict[int, str]:
    """Return the group of each customer who ordered before now, as the schema spells it."""
    last: dict[int, float] = {}
    count: dict[int, float] = defaultdict(float)
    spent: dict[int, float] = defaultdict(float)
    for order in orders:
        if order.customer_id is None or order.created_at >= now:
            continue
        last[order.customer_id] = max(last.get(order.customer_id, 0), order.created_at.timestamp())
        count[order.customer_id] += 1
        spent[order.customer_id] += order.total_minor
    recency, frequency, monetary = _fifths(last), _fifths(count), _fifths(spent)
    return {who: _GROUPS[-1 - recency[who]][(frequency[who] + monetary[who] + 1) // 2] for who in last}


def _fifths(values: Mapping[int, float]) -> dict[int, int]:
    """Return which fifth of the sorted list each is in, 0 the lowest; equal ones by their number."""
    ranked = sorted(values, key=lambda who: (values[who], who))
    return {who: place * _FIFTHS // len(ranked) for place, who in enumerate(ranked)}
