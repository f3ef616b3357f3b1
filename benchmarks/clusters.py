"""Whether clusters are found where there are some, and not where there are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from app.profiles.behaviour import FEATURES, Behaviour, matrix
from app.profiles.cluster_training import find_clusters
from app.profiles.clusters import LABELS, Clusters
from app.profiles.purchases import Purchases
from app.profiles.rfm import measure
from benchmarks.shoppers import SHAPES, one_cloud, three_groups

ORDER_FEATURES = FEATURES[:4]
ALIKE, GROUPED, SPREADS = 100, 20, (0.35, 0.7, 1.0)

Floats = NDArray[np.float64]


def cluster_figures(shops: dict[str, tuple[Purchases, int]]) -> Iterator[str]:
    """Yield what was found in real orders, in shops of one kind of shopper and in shops of three."""
    for name, (purchases, now) in shops.items():
        found = find_clusters(ORDER_FEATURES, _bought(purchases, now))
        by_k = ", ".join(f"{k}: {each:.3f}" for k, each in found.silhouettes.items())
        yield f"- {name}, by orders alone (silhouettes {by_k}): {found.reason}"
    alike = [one_cloud(SHAPES[seed % len(SHAPES)], seed=seed) for seed in range(ALIKE)]
    yield (
        f"- {ALIKE} made-up shops of 400 shoppers of one kind ({', '.join(SHAPES)}): clusters in "
        f"{len(_found(alike))}."
    )
    for spread in SPREADS:
        three = _found([three_groups(seed=seed, spread=spread)[0] for seed in range(GROUPED)])
        labelled = sum(set(each.labels) >= set(LABELS) for each in three)
        yield (
            f"- {GROUPED} made-up shops of 240 shoppers of the three kinds, {spread} from their own kind "
            f"(standard deviation of logarithms): clusters in {len(three)}, all three labels in {labelled}."
        )


def _found(shops: Sequence[Floats]) -> list[Clusters]:
    found = (find_clusters(FEATURES[: values.shape[1]], values).clusters for values in shops)
    return [each for each in found if each is not None]


def _bought(purchases: Purchases, now: int) -> Floats:
    """Return a row a customer of what orders alone tell, columns as in ORDER_FEATURES."""
    measures = measure(purchases, now)
    columns = (measures.orders, measures.spent_minor, measures.recency_days)
    every = matrix(
        Behaviour(orders=orders, spent=spent, average_order=spent / orders, days_since_order=days)
        for orders, spent, days in zip(*(column.tolist() for column in columns), strict=True)
    )
    return every[:, : len(ORDER_FEATURES)]
