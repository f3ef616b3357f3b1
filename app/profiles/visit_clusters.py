"""Assigns an unknown visitor to a cluster by what they do in this visit. Pure.

Where the shop's shoppers fall into clusters: the one whose visits are most like this one. A cluster is
known by what its shoppers did in ninety days, a visitor by one visit, so that what a cluster did is
counted by the visit. A cluster that buys more than average is nobody's here, since no orders are known,
and neither is one that browsers hardly ever told of.

Elsewhere a plain rule, with the same names: who takes things out of the cart again, or whom the
checkout's form turned back, hesitates; who looks at several products and changes no cart is interested.
Of a visit that did nothing yet nothing is said.
"""

from __future__ import annotations

from math import expm1, log1p

import msgspec

from app.profiles.clusters import BROWSERS, HESITANT, Clusters, called
from app.profiles.visit import Visit

MANY_VIEWS = 5
_FEATURES = ("views", "dwell_s", "searches", "cart_changes", "form_errors")
_SELDOM = 0.5  # visits of a cluster's typical shopper


class VisitClusters(msgspec.Struct, frozen=True, gc=False):
    """Clusters as one visit is compared with them.

    features: places in a visit's numbers. scales: standard deviations of log(1 + value), one a feature.
    centres: log(1 + value a visit) in these units, one a name.
    """

    names: tuple[str, ...]
    features: tuple[int, ...]
    scales: tuple[float, ...]
    centres: tuple[tuple[float, ...], ...]


def visit_clusters(clusters: Clusters | None) -> VisitClusters | None:
    """Return what visits are compared with, None where fewer than two clusters can be told by a visit."""
    if clusters is None or "visits" not in clusters.features:
        return None
    known = [each for each in _FEATURES if each in clusters.features]
    seen = [at for at in range(len(clusters.centroids)) if _is_seen(clusters, at)]
    if not known or len(seen) < 2:
        return None
    return VisitClusters(
        names=tuple(called(clusters, at) for at in seen),
        features=tuple(map(_FEATURES.index, known)),
        scales=tuple(clusters.scales[clusters.features.index(each)] for each in known),
        centres=tuple(tuple(_a_visit(clusters, at, each) for each in known) for at in seen),
    )


def visit_segment(clusters: VisitClusters | None, visit: Visit) -> str | None:
    """Return the segment that a visit speaks for, None of one that did nothing yet."""
    changes = visit.added + visit.removed
    if not (visit.products or changes or visit.searches or visit.errors):
        return None
    if clusters is None:
        return _by_rule(visit, changes)
    values = (visit.products, visit.dwell_s, visit.searches, changes, visit.errors)
    point = [log1p(values[at]) / scale for at, scale in zip(clusters.features, clusters.scales, strict=True)]
    apart = [sum((a - b) ** 2 for a, b in zip(point, centre, strict=True)) for centre in clusters.centres]
    return clusters.names[apart.index(min(apart))]


def _by_rule(visit: Visit, changes: int) -> str | None:
    if changes and (visit.removed or visit.errors):
        return HESITANT
    return BROWSERS if visit.products >= MANY_VIEWS and not changes else None


def _is_seen(clusters: Clusters, at: int) -> bool:
    bought = "orders" in clusters.features and _centred(clusters, at, "orders") > 0
    return not bought and _typical(clusters, at, "visits") >= _SELDOM


def _a_visit(clusters: Clusters, at: int, feature: str) -> float:
    a_visit = _typical(clusters, at, feature) / max(_typical(clusters, at, "visits"), 1)
    return log1p(a_visit) / clusters.scales[clusters.features.index(feature)]


def _typical(clusters: Clusters, at: int, feature: str) -> float:
    """Return the value in the very middle of the cluster."""
    column = clusters.features.index(feature)
    log = clusters.centroids[at][column] * clusters.scales[column] + clusters.means[column]
    return max(expm1(log), 0.0)


def _centred(clusters: Clusters, at: int, feature: str) -> float:
    return clusters.centroids[at][clusters.features.index(feature)]
