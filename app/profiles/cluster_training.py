"""Whether a shop's shoppers fall into clusters, into how many, and which: K-Means, in training only.

How many: the k from 2 to 6 with the highest mean silhouette (Rousseeuw, J. Comput. Appl. Math. 20,
1987), no cluster being smaller than one shopper in fifty.

Whether at all: K-Means cuts any cloud into pieces. The silhouette has to reach .25 (below that
Kaufman and Rousseeuw, Finding Groups in Data, 1990, find "no substantial structure") and to beat by
.05 the best of any k on each of twenty clouds that have the data's spread but no clusters in them.
Those are drawn from columns, and from principal components, independent of each other, each from its
kernel density at Silverman's critical bandwidth, the narrowest at which it has one mode (J. R. Stat.
Soc. B 43, 1981): as skewed as the data, and in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from app.profiles.cluster_naming import named
from app.profiles.clusters import FURTHEST, Clusters
from app.wording import wording

FEWEST_SHOPPERS = 60
MOST_CLUSTERS = 6
SMALLEST_SHARE = 0.02
FLOOR = 0.25
MARGIN = 0.05
REFERENCES = 20
SAMPLE = 1_000
_GRID = 256

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClusteringResult:
    """What a training found.

    clusters: None when the data holds none. silhouettes: by k. reference: the best silhouette of the
    clouds without clusters, None when there was nothing to compare. reason: in a sentence.
    """

    clusters: Clusters | None
    silhouettes: dict[int, float]
    reference: float | None
    reason: str


def find_clusters(
    features: Sequence[str], values: Floats, previous: Clusters | None = None, seed: int = 0
) -> ClusteringResult:
    """Return the clusters of a shop's shoppers, with the names of the previous training's.

    values: float64 of shape (shoppers, features), none negative. The same values and seed give the
    same clusters.
    """
    if len(values) < FEWEST_SHOPPERS:
        reason = wording(f"{len(values)} shoppers are too few: {FEWEST_SHOPPERS} are needed.")
        return ClusteringResult(None, {}, None, reason)
    logs = np.log1p(np.maximum(values, 0))
    telling = np.flatnonzero(np.ptp(logs, axis=0) > 0)
    if not len(telling):
        return ClusteringResult(None, {}, None, wording("All shoppers behave the same."))
    logs, kept = logs[:, telling], [features[int(at)] for at in telling]
    means, scales = logs.mean(axis=0), logs.std(axis=0)
    points = np.clip((logs - means) / scales, -FURTHEST, FURTHEST)
    # Spinning threads cost more than they bring at this size, and one gives the same answer always.
    with threadpool_limits(limits=1):
        silhouettes, reference = _judged(points, seed)
        refusal = _refusal(silhouettes, reference)
        if refusal is not None:
            return ClusteringResult(None, silhouettes, reference, refusal)
        k = max(silhouettes, key=silhouettes.__getitem__)
        fitted = KMeans(k, n_init=10, random_state=seed).fit(points)
    clusters = Clusters(
        features=tuple(kept),
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        centroids=tuple(map(tuple, fitted.cluster_centers_.tolist())),
        sizes=tuple(np.bincount(fitted.labels_, minlength=k).tolist()),
        silhouette=silhouettes[k],
    )
    best = silhouettes[k]
    reason = wording(f"{k} clusters: a silhouette of {best:.2f}, {reference:.2f} without clusters.")
    return ClusteringResult(named(clusters, previous), silhouettes, reference, reason)


def _judged(points: Floats, seed: int) -> tuple[dict[int, float], float]:
    """Return the silhouette by k, and the best one of the clouds without clusters."""
    random = np.random.default_rng(seed)
    sample = points
    if len(points) > SAMPLE:
        sample = points[np.sort(random.choice(len(points), SAMPLE, replace=False))]
    silhouettes = _silhouettes(sample, seed)
    references = (_silhouettes(cloud, seed) for cloud in _clouds(sample, random))
    return silhouettes, max((max(each.values(), default=0.0) for each in references), default=0.0)


def _refusal(silhouettes: dict[int, float], reference: float) -> str | None:
    """Return why there are no clusters, None when there are."""
    best = max(silhouettes.values(), default=0.0)
    if best < FLOOR:
        return wording(f"No clusters: the best silhouette is {best:.2f}, below {FLOOR}.")
    if best < reference + MARGIN:
        return wording(f"No clusters: a silhouette of {best:.2f}, and shape alone gives {reference:.2f}.")
    return None


def _silhouettes(points: Floats, seed: int) -> dict[int, float]:
    found = {}
    distinct = len(np.unique(points, axis=0))
    for k in range(2, min(MOST_CLUSTERS, distinct - 1) + 1):
        cluster = KMeans(k, n_init=3, random_state=seed).fit(points).labels_
        if np.bincount(cluster, minlength=k).min() >= SMALLEST_SHARE * len(points):
            found[k] = float(silhouette_score(points, cluster))
    return found


def _clouds(points: Floats, random: np.random.Generator) -> Iterator[Floats]:
    """Yield clouds of the data's spread and skew in one piece, by columns and by components in turn."""
    _, directions = np.linalg.eigh(np.atleast_2d(np.cov(points.T)))
    for axes in (points, (points - points.mean(axis=0)) @ directions):
        widths = [_critical_bandwidth(column) for column in axes.T]
        for _ in range(REFERENCES // 2):
            columns = [_smoothed(column, width, random) for column, width in zip(axes.T, widths, strict=True)]
            yield np.stack(columns, axis=1)


def _critical_bandwidth(column: Floats) -> float:
    """Return about the narrowest Gaussian kernel whose density of the values has a single mode."""
    low, high = 0.0, 2 * float(column.std())
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (middle, high) if _modes(column, middle) > 1 else (low, middle)
    return high


def _modes(column: Floats, width: float) -> int:
    if width <= 0:
        return 1
    grid = np.linspace(column.min() - 3 * width, column.max() + 3 * width, _GRID)
    values, counts = np.unique(column, return_counts=True)
    density = np.exp(-0.5 * ((grid[:, None] - values) / width) ** 2) @ counts
    return int(((density[1:-1] > density[:-2]) & (density[1:-1] >= density[2:])).sum())


def _smoothed(column: Floats, width: float, random: np.random.Generator) -> Floats:
    """Return values drawn from the kernel density, with the variance of the data."""
    variance = column.var()
    if variance == 0:
        return column
    drawn = random.choice(column, len(column)) + width * random.normal(size=len(column))
    mean = column.mean()
    smoothed: Floats = mean + (drawn - mean) / np.sqrt(1 + width**2 / variance)
    return smoothed
