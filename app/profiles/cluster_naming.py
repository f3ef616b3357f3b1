"""The lasting names and the labels of clusters, from one training to the next. Training only; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from app.profiles.clusters import LABELS, Clusters

# How far above or below the shop's average a cluster has to be to earn a label, and to keep one.
TELLING, STILL_TELLING = 0.5, 0.25


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
