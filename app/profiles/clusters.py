"""Groups of shoppers who behave alike: which one a shopper is in, what it is called. Pure.

Trained elsewhere (cluster_training.py); here are plain numbers, cheap enough for every event.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log1p

import msgspec

from app.profiles.behaviour import SAID
from app.wording import wording

# How far a shopper can stand out, in standard deviations: one huge order must not own a cluster.
FURTHEST = 3.0

HIGH_VALUE, BROWSERS, HESITANT = "high_value_shoppers", "interested_browsers", "hesitant_buyers"
# What makes a label: features far above the average, and features not above it.
LABELS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    HIGH_VALUE: (("orders", "spent"), ()),
    BROWSERS: (("visits", "views"), ("orders", "unfinished_checkouts")),
    HESITANT: (("cart_changes", "unfinished_checkouts"), ("orders",)),
}


class Clusters(msgspec.Struct, frozen=True):
    """A shop's clusters.

    features: names, in the order of the columns; means, scales: of log(1 + value). centroids: one a
    cluster, in standard deviations from the mean. sizes: shoppers trained on. names: `group_1`, …,
    kept from training to training. labels: one of LABELS or None. ever: names given so far.
    """

    features: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    centroids: tuple[tuple[float, ...], ...]
    sizes: tuple[int, ...]
    silhouette: float
    names: tuple[str, ...] = ()
    labels: tuple[str | None, ...] = ()
    ever: int = 0


def assign(clusters: Clusters, values: Mapping[str, float]) -> int:
    """Return which cluster is nearest, its place in `centroids`. A value that is not given is 0."""
    point = standardised(clusters, values)
    distances = [
        sum((a - b) ** 2 for a, b in zip(point, centroid, strict=True)) for centroid in clusters.centroids
    ]
    return min(range(len(distances)), key=distances.__getitem__)


def called(clusters: Clusters, at: int) -> str:
    """Return what a cluster is called: its label, else its lasting name."""
    return clusters.labels[at] or clusters.names[at]


def standardised(clusters: Clusters, values: Mapping[str, float]) -> list[float]:
    """Return the values as the centroids are written."""
    columns = zip(clusters.features, clusters.means, clusters.scales, strict=True)
    return [
        min(max((log1p(max(values.get(name, 0), 0)) - mean) / scale, -FURTHEST), FURTHEST)
        for name, mean, scale in columns
    ]


def why(clusters: Clusters, values: Mapping[str, float]) -> str:
    """Return in one sentence what puts a shopper into their cluster."""
    at = assign(clusters, values)
    centroid = clusters.centroids[at]
    telling = sorted(range(len(centroid)), key=lambda each: -abs(centroid[each]))[:3]
    features = (
        (SAID.get(clusters.features[each], clusters.features[each]), centroid[each]) for each in telling
    )
    said = ", ".join(
        wording(f"{feature} above average") if place > 0 else wording(f"{feature} below average")
        for feature, place in features
    )
    name = called(clusters, at).replace("_", " ").capitalize()
    return f"{name}: {wording(f'behaves most like {clusters.sizes[at]} shoppers with {said}.')}"
