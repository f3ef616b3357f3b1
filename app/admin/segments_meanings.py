"""What each segment means, in a merchant's words and the shop's own numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import expm1
from typing import NamedTuple

from app.admin.figures import listed, money, percent, short
from app.admin.language import _, lazy
from app.admin.segment_titles import title
from app.admin.sentences import told
from app.admin.view import first_upper
from app.profiles import clusters as grouping
from app.profiles.clusters import Clusters
from app.profiles.rfm import NEVER, SCORES, Cut, RfmThresholds, Scores
from app.profiles.rfm_segments import PROSPECTS, SEGMENTS, ago, segment, times
from app.profiles.rfm_shopify import SHOPIFY_WORDS
from app.profiles.segment_names import FORESEEN, foreseen_name
from app.profiles.segmentation import Segmentation
from app.profiles.thresholds import Rule, Rules, sentence
from app.profiles.trees import Classifier
from app.profiles.visit_clusters import visit_clusters

KINDS = {
    "pin": lazy("Pinned by you"),
    "rule": lazy("Your own"),
    "foreseen": lazy("Prediction"),
    "cluster": lazy("Behaviour"),
    "rfm": lazy("RFM"),
}


class Meaning(NamedTuple):
    """A segment, who says so, and what it takes to be in it."""

    name: str
    kind: str
    says: str


class ScoreLine(NamedTuple):
    """What a score from 1 to 5 stands for in this shop. recency, orders, spent: in words."""

    score: int
    recency: str
    orders: str
    spent: str


def meanings(rules: Rules, made: Segmentation | None) -> list[Meaning]:
    """Return every segment there can be, the most telling kind first."""
    own = [Meaning(rule.name, "rule", rule_words(rule, rules.currency)) for rule in rules.rules]
    foreseen = [
        Meaning(foreseen_name(each.label), "foreseen", foreseen_words(each))
        for each in (made.foreseen if made else ())
    ]
    clusters = _clusters(made.clusters) if made and made.clusters else []
    return [*own, *foreseen, *clusters, *(Meaning(name, "rfm", rfm_words(name)) for name in SEGMENTS)]


def known_names(rules: Rules, made: Segmentation | None) -> list[str]:
    """Return the names of all segments, each once, those that a later training may bring among them."""
    names = [each.name for each in meanings(rules, made)]
    return list(dict.fromkeys([*names, *FORESEEN, *grouping.LABELS]))


def rule_words(rule: Rule, currency: str) -> str:
    """Return a merchant's own segment as a sentence."""
    said = [told(sentence(each, currency)) for each in rule.conditions]
    return f"{first_upper(listed(said, 'standard' if rule.match == 'all' else 'or'))}."


def foreseen_words(classifier: Classifier) -> str:
    """Return what a classifier's label says will happen, and from which probability on it is given."""
    foreseen = {"days": classifier.window_days, "share": percent(classifier.threshold)}
    if classifier.label == "loyal":
        return _(
            "Predicted to buy %(times)s or more in the next %(days)s days, with a probability of %(share)s "
            "or more.",
            times=told(times(classifier.many_orders)),
            **foreseen,
        )
    return _(
        "Predicted to buy nothing in the next %(days)s days, with a probability of %(share)s or more.",
        **foreseen,
    )


def rfm_words(name: str) -> str:
    """Return which scores make the segment."""
    if name == PROSPECTS:
        return _("Has not bought anything yet.")
    every = [Scores(*each) for each in product(range(1, SCORES + 1), repeat=3)]
    made_of = [each for each in every if segment(each) == name]
    recency = sorted({each.recency for each in made_of})
    value = sorted({(each.frequency + each.monetary) / 2 for each in made_of})
    return _(
        "%(said)s: recency %(recency)s of 5, orders and spend on average %(low)s to %(high)s.",
        said=first_upper(", ".join(map(told, SHOPIFY_WORDS[name]))),
        recency=listed(map(str, recency), "or"),
        low=short(value[0]),
        high=short(value[-1]),
    )


def score_lines(cuts: RfmThresholds, currency: str) -> list[ScoreLine]:
    """Return what each score stands for among this shop's customers, the best first."""
    second, third, fourth, fifth = (max(each, 2) for each in cuts.orders)  # one order always scores 1
    orders = (second, third, fourth, fifth)
    return [
        ScoreLine(
            score,
            _ago(cuts.recency, score),
            _counted(orders, score),
            _spent(cuts.spent_minor, score, currency),
        )
        for score in range(SCORES, 0, -1)
    ]


def visitors_words(made: Segmentation | None) -> str:
    """Return which clusters an unknown visitor can be in, empty where a plain rule tells."""
    known = visit_clusters(made.clusters) if made else None
    return "" if known is None else listed(map(title, known.names))


def _clusters(clusters: Clusters) -> list[Meaning]:
    return [
        Meaning(grouping.called(clusters, at), "cluster", _centre_words(clusters, centroid))
        for at, centroid in enumerate(clusters.centroids)
    ]


def _centre_words(clusters: Clusters, centroid: Sequence[float]) -> str:
    """Return why who stands in the very middle of a cluster is in it."""
    columns = zip(clusters.features, centroid, clusters.scales, clusters.means, strict=True)
    values = {name: max(expm1(place * scale + mean), 0.0) for name, place, scale, mean in columns}
    return first_upper(told(grouping.why(clusters, values).partition(": ")[2]))


def _range(cut: Cut, score: int) -> tuple[int | None, int | None] | None:
    """Return the lowest and the highest value with the score, None for no end; None when nobody has it."""
    low = None if score == 1 else cut[score - 2]
    above = None if score == SCORES or cut[score - 1] == NEVER else cut[score - 1]
    if low == NEVER or (low is not None and low == above):
        return None
    return low, None if above is None else above - 1


def _ago(cut: Cut, score: int) -> str:
    found = _range(cut, score)
    if found is None:
        return _("nobody")
    # The cuts are of days negated: the highest value is the latest purchase.
    longest, latest = (None if each is None else -each for each in found)
    if longest is None:
        return _("any time") if latest is None else _("%(when)s or before", when=told(ago(latest)))
    if latest is None or longest == latest:
        said = told(ago(longest))
        return said if longest in (0, latest) else _("%(when)s or since", when=said)
    return _("%(latest)s to %(longest)s days ago", latest=latest, longest=longest)


def _counted(cut: Cut, score: int) -> str:
    found = _range(cut, score)
    if found is None:
        return _("nobody")
    low, high = found
    if low is None:
        return (
            _("any number") if high is None else "1" if high == 1 else _("%(number)s or fewer", number=high)
        )
    if high is None:
        return _("%(number)s or more", number=low)
    return f"{low}" if low == high else _("%(low)s to %(high)s", low=low, high=high)


def _spent(cut: Cut, score: int, currency: str) -> str:
    found = _range(cut, score)
    if found is None:
        return _("nobody")
    low, high = (None if each is None else money(each, currency) for each in found)
    if low is None:
        return _("any amount") if high is None else _("up to %(amount)s", amount=high)
    if high is None:
        return _("%(number)s or more", number=low)
    return _("%(low)s to %(high)s", low=low, high=high)
