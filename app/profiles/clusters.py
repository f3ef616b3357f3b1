"""Groups of shoppers who behave alike: which one a shopper is in, what it is called. Pure.

Trained elsewhere (cluster_training.py); here are plain numbers, cheap enough for every event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log1p

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from app.profiles.behaviour import SAID
from app.wording import wording

# How far a shopper can stand out, in standard deviations: one huge order must not own a cluster.
FURTHEST = 3.0
# How far above or below the shop's average a cluster has to be to earn a label, and to keep one.
TELLING, STILL_TELLING = 0.5, 0.25

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


def named(clusters: Clusters, previous: Clusters | None) -> Clusters:
    """Return the clusters with lasting names and labels.

    A cluster takes the name of the previous one it is paired with (the cheapest pairing of all:
    Kuhn, Naval Research Logistics 2, 1955), if it moved by less than half the way from there to the
    nearest other one. Every other cluster gets a name that was never used.
    """
    kept = _kept_names(clusters, previous) if previous else {}
    ever = previous.ever if previous else 0
    names = []
    for at in range(len(clusters.centroids)):
        if at not in kept:
            ever += 1
        names.append(kept.get(at, f"group_{ever}"))
    old = dict(zip(previous.names, previous.labels, strict=True)) if previous else {}
    held = [old.get(name) for name in names]
    return msgspec.structs.replace(
        clusters, names=tuple(names), ever=ever, labels=labels(clusters.features, clusters.centroids, held)
    )


def labels(
    features: Sequence[str], centroids: Sequence[Sequence[float]], held: Sequence[str | None]
) -> tuple[str | None, ...]:
    """Return each cluster's label: each label goes to one cluster at most, and to none it does not fit.

    held: the labels before this training; a cluster that has one keeps it on weaker evidence.
    """
    fit = np.array(
        [
            [_fit(dict(zip(features, centroid, strict=True)), label, label == before) for label in LABELS]
            for centroid, before in zip(centroids, held, strict=True)
        ]
    ).reshape(-1, len(LABELS))
    rows, columns = linear_sum_assignment(fit, maximize=True)
    names = tuple(LABELS)
    given = {at: names[label] for at, label in zip(rows, columns, strict=True) if fit[at, label] > 0}
    return tuple(given.get(at) for at in range(len(centroids)))


def _fit(centroid: Mapping[str, float], label: str, held: bool) -> float:
    """Return how well a label fits, 0 when it does not or the shop does not know."""
    above, not_above = LABELS[label]
    if not {*above, *not_above} <= set(centroid):
        return 0.0
    enough = STILL_TELLING if held else TELLING
    fits = all(centroid[name] >= enough for name in above) and all(centroid[name] <= 0 for name in not_above)
    # Who holds a label keeps it against an equal.
    return (sum(centroid[name] for name in above) + held) if fits else 0.0


def _kept_names(clusters: Clusters, previous: Clusters) -> dict[int, str]:
    """Return which clusters go on under which previous names."""
    shared = [name for name in clusters.features if name in previous.features]
    if not shared:
        return {}
    old = _in_units_of(previous, previous, shared)
    distances = _distances(_in_units_of(clusters, previous, shared), old)
    between = _distances(old, old) + np.diag(np.full(len(old), np.inf))
    rows, columns = linear_sum_assignment(distances)
    return {
        int(at): previous.names[before]
        for at, before in zip(rows, columns, strict=True)
        if distances[at, before] < between[before].min() / 2
    }


def _in_units_of(clusters: Clusters, units: Clusters, shared: Sequence[str]) -> NDArray[np.float64]:
    """Return the centroids on the shared features, in another training's standard deviations."""
    here = [clusters.features.index(name) for name in shared]
    there = [units.features.index(name) for name in shared]
    logs = np.array(clusters.centroids) * np.array(clusters.scales) + np.array(clusters.means)
    standardised: NDArray[np.float64] = (logs[:, here] - np.array(units.means)[there]) / np.array(
        units.scales
    )[there]
    return standardised


def _distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    distances: NDArray[np.float64] = np.linalg.norm(a[:, None, :] - b[None, :, :], axis=2)
    return distances
