"""Every segment a customer is in, each with its reason, from one value a shop. Pure.

The value is made at night (segmentation_training.py) and small enough to keep in memory; what a
customer is in is worked out from it after every order and every visit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from app.profiles import clusters as grouping
from app.profiles import rfm_segments, thresholds, trees
from app.profiles.behaviour import Behaviour
from app.profiles.clusters import Clusters
from app.profiles.lifetime import Lifetime, expected_spend
from app.profiles.purchases import DAY_S, Purchase
from app.profiles.rfm import RfmThresholds, Scores, score
from app.profiles.rfm_segments import PurchaseSummary, ago, times, title
from app.profiles.segment_names import foreseen_name
from app.profiles.snapshots import features_of
from app.profiles.thresholds import Rules
from app.profiles.trees import Classifier
from app.wording import wording

HORIZON_DAYS = 90

Kind = Literal["rule", "foreseen", "cluster", "rfm"]
Serves = Literal["model", "last_window", "own_pace", "average", "nothing"]


class SpendAhead(msgspec.Struct, frozen=True):
    """How a shop's spend to come is told: by the model, or by the plain way that does better.

    By nothing where no window's spend could be compared with what was foretold of it: a shop that is known
    for two months can't say what the next three bring. average_minor: what customers spend in a window.
    """

    serves: Serves = "nothing"
    model: Lifetime | None = None
    average_minor: int = 0


class Segmentation(msgspec.Struct, frozen=True):
    """What a shop's segments are worked out with. foreseen: the published classifiers."""

    currency: str
    trained_at: int
    cuts: RfmThresholds
    rules: Rules
    clusters: Clusters | None = None
    foreseen: tuple[Classifier, ...] = ()
    ahead: SpendAhead = SpendAhead()


class Membership(NamedTuple):
    """A segment a customer is in. kind: who says so. why: one sentence."""

    name: str
    kind: Kind
    why: str


def memberships(
    shop: Segmentation, history: Sequence[Purchase], now: int, behaviour: Behaviour | None = None
) -> tuple[Membership, ...]:
    """Return the customer's segments, the most telling first.

    That is: the merchant's own rules, what is foreseen, how the shopper behaves, what they bought.
    history: the customer's purchases in any order. behaviour: None when it may not be known.
    """
    return (
        *_by_rule(shop.rules, history, now),
        *_foreseen(shop.foreseen, history, now),
        *_by_behaviour(shop.clusters, behaviour),
        _by_rfm(shop, history, now),
    )


def standing_of(history: Sequence[Purchase], now: int) -> PurchaseSummary | None:
    """Return what a customer's scores are of, None for who never bought."""
    bought = [each for each in history if each.counts]
    if not bought:
        return None
    last = max(min(each.placed_at, now) for each in bought)
    return PurchaseSummary(
        (now - last) // DAY_S, len(bought), max(sum(each.net_minor for each in history), 0)
    )


def scores_of(shop: RfmThresholds, history: Sequence[Purchase], now: int) -> Scores | None:
    """Return a customer's RFM scores, None for who never bought."""
    standing = standing_of(history, now)
    if standing is None:
        return None
    return score(shop, standing.recency_days, standing.orders, standing.spent_minor)


def probabilities(shop: Segmentation, history: Sequence[Purchase], now: int) -> dict[str, float]:
    """Return what the published classifiers foresee, by label; empty for those they don't know.

    They speak of customers who bought in the last two windows.
    """
    rows = ((classifier, _known(classifier, history, now)) for classifier in shop.foreseen)
    return {classifier.label: trees.probability(classifier, row) for classifier, row in rows if row}


def spend_ahead(shop: Segmentation, history: Sequence[Purchase], now: int) -> int | None:
    """Return what a customer will spend in the next 90 days, minor units, None where nothing tells."""
    ahead, bought = shop.ahead, [each for each in history if each.counts]
    if ahead.serves == "nothing":
        return None
    if not bought:
        return 0
    if ahead.serves == "model" and ahead.model is not None:
        return expected_spend(ahead.model, history, now, HORIZON_DAYS)
    if ahead.serves == "average":
        return ahead.average_minor
    if ahead.serves == "own_pace":
        known_s = max(now - min(each.placed_at for each in bought), HORIZON_DAYS * DAY_S)
        return round(sum(each.net_minor for each in bought) * HORIZON_DAYS * DAY_S / known_s)
    return sum(each.net_minor for each in bought if each.placed_at > now - HORIZON_DAYS * DAY_S)


def _by_rule(rules: Rules, history: Sequence[Purchase], now: int) -> list[Membership]:
    return [
        Membership(rule.name, "rule", thresholds.why(rule, rules.currency, history, now))
        for rule in rules.rules
        if thresholds.matches(rule, rules.currency, history, now)
    ]


def _foreseen(classifiers: Sequence[Classifier], history: Sequence[Purchase], now: int) -> list[Membership]:
    told = []
    for classifier in classifiers:
        row = _known(classifier, history, now)
        if row and (chance := trees.probability(classifier, row)) >= classifier.threshold:
            why = _why_foreseen(classifier, row, chance)
            told.append(Membership(foreseen_name(classifier.label), "foreseen", why))
    return told


def _known(classifier: Classifier, history: Sequence[Purchase], now: int) -> list[float] | None:
    """Return what the classifier reads of a customer, None for one of a kind it never saw."""
    row = features_of(history, now, classifier.window_days)
    recency = classifier.features.index("recency_days")
    return row if row and row[recency] < 2 * classifier.window_days else None


def _why_foreseen(classifier: Classifier, row: Sequence[float], chance: float) -> str:
    known = dict(zip(classifier.features, map(int, row), strict=True))
    days, often = classifier.window_days, times(classifier.many_orders)
    last, lately = ago(known["recency_days"]), times(known["orders_last_window"])
    before = times(known["orders_window_before"])
    said = (
        wording(
            f"of customers like this one {chance:.0%} buy {often} or more in the next {days} days; last "
            f"bought {last}, {lately} in the last {days} days and {before} in as many days before."
        )
        if classifier.label == "loyal"
        else wording(
            f"of customers like this one {chance:.0%} buy nothing in the next {days} days; last bought "
            f"{last}, {lately} in the last {days} days and {before} in as many days before."
        )
    )
    return f"{title(foreseen_name(classifier.label))}: {said}"


def _by_behaviour(clusters: Clusters | None, behaviour: Behaviour | None) -> list[Membership]:
    if clusters is None or behaviour is None:
        return []
    values = msgspec.structs.asdict(behaviour)
    name = grouping.called(clusters, grouping.assign(clusters, values))
    return [Membership(name, "cluster", grouping.why(clusters, values))]


def _by_rfm(shop: Segmentation, history: Sequence[Purchase], now: int) -> Membership:
    scores = scores_of(shop.cuts, history, now)
    why = rfm_segments.why(scores, standing_of(history, now), shop.currency)
    return Membership(rfm_segments.segment(scores), "rfm", why)
