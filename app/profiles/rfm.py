"""Recency, frequency and monetary value: a score of 1 to 5 each, by the shop's own customers. Pure.

A score says in which fifth of the shop's customers one stands, 5 being the best. The fifth is that of
the mid-rank (r - 1/2) / n, r being the average place of those who are equal (Hazen's plotting
position; Parzen's mid-distribution function, Statistical Science 19(4), 2004). So

- equal customers have equal scores, whatever order they come in (cutting a sorted list in five parts
  them, which Hughes, Strategic Database Marketing, leaves to chance);
- without ties, and five or more customers, the fifths are as even as they can be;
- where all are equal, and for a shop's only customer, the score is 3: nothing sets them apart;
- one who ordered once scores 1 for frequency, however many others did too: there is no fewer. (Most
  shops' customers order once, and plain fifths then hand them 2, 3 or 4 by chance: Miglautsch,
  "Thoughts on RFM scoring", Journal of Database Marketing 8(1), 2000.)
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from app.profiles.purchases import DAY_S, Ints, Purchases

SCORES = 5
NEVER = 2**63 - 1

Cut = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class RfmMeasures:
    """Who bought, one row a customer, by customer id; all int64.

    recency_days: whole days since the last purchase. orders: at least 1. spent_minor: at least 0.
    """

    customer_ids: Ints
    recency_days: Ints
    orders: Ints
    spent_minor: Ints

    def __len__(self) -> int:
        return len(self.customer_ids)


class RfmThresholds(msgspec.Struct, frozen=True):
    """The lowest values that score 2, 3, 4 and 5; NEVER where none does.

    recency: of days, negated, so that more is better everywhere.
    """

    recency: Cut
    orders: Cut
    spent_minor: Cut


class Scores(NamedTuple):
    """Three scores from 1 (worst fifth) to 5 (best fifth)."""

    recency: int
    frequency: int
    monetary: int


def measure(purchases: Purchases, now: int) -> RfmMeasures:
    """Return what the scores are of. Who never bought, or gave everything back, has no row."""
    customer_ids, rows = np.unique(purchases.customer_ids, return_inverse=True)
    orders = np.bincount(rows, weights=purchases.counts, minlength=len(customer_ids)).astype(np.int64)
    spent = np.zeros(len(customer_ids), dtype=np.int64)
    np.add.at(spent, rows, purchases.net_minor)
    last = np.full(len(customer_ids), np.iinfo(np.int64).min)
    np.maximum.at(last, rows[purchases.counts], purchases.placed_at[purchases.counts])
    bought = orders > 0
    return RfmMeasures(
        customer_ids=customer_ids[bought],
        recency_days=np.maximum(now - last[bought], 0) // DAY_S,
        orders=orders[bought],
        spent_minor=np.maximum(spent[bought], 0),
    )


def cut(values: Ints) -> Cut:
    """Return the lowest of the values that score 2, 3, 4 and 5 by their mid-rank."""
    distinct, counts = np.unique(values, return_counts=True)
    below = np.cumsum(counts) - counts
    # In whole numbers, twice the mid-rank: rounding must not decide a score.
    scores = 1 + SCORES * (2 * below + counts) // (2 * max(len(values), 1))
    places = np.searchsorted(scores, np.arange(2, SCORES + 1))
    two, three, four, five = (int(distinct[at]) if at < len(distinct) else NEVER for at in places)
    return two, three, four, five


def cuts(measures: RfmMeasures) -> RfmThresholds:
    """Return the shop's cuts: of its own customers and nobody else's."""
    return RfmThresholds(cut(-measures.recency_days), cut(measures.orders), cut(measures.spent_minor))


def score(shop: RfmThresholds, recency_days: int, orders: int, spent_minor: int) -> Scores:
    """Return one customer's scores; cheap enough for every event."""
    return Scores(
        recency=1 + bisect_right(shop.recency, -recency_days),
        frequency=1 if orders <= 1 else 1 + bisect_right(shop.orders, orders),
        monetary=1 + bisect_right(shop.spent_minor, spent_minor),
    )
