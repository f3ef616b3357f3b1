from __future__ import annotations

from functools import cache

import msgspec
import numpy as np
import pytest

from app.profiles.behaviour import FEATURES
from app.profiles.cluster_naming import labels
from app.profiles.cluster_training import FLOOR, MARGIN, find_clusters
from app.profiles.clusters import BROWSERS, HESITANT, HIGH_VALUE, Clusters, assign, called, why
from benchmarks.shoppers import TYPICAL, one_cloud, three_groups


def clusters_of(values: np.ndarray, previous: Clusters | None = None, seed: int = 0) -> Clusters:
    found = find_clusters(FEATURES, values, previous, seed)
    assert found.clusters is not None, found.reason
    return found.clusters


@cache
def clusters_of_three() -> Clusters:
    return clusters_of(three_groups()[0])


def group_of(clusters: Clusters, values: np.ndarray) -> list[str]:
    return [called(clusters, assign(clusters, dict(zip(FEATURES, row, strict=True)))) for row in values]


def test_the_three_everyone_asks_for_are_found_and_labelled() -> None:
    values, groups = three_groups()
    clusters = clusters_of_three()
    assert set(clusters.labels) == {HIGH_VALUE, BROWSERS, HESITANT}
    found = group_of(clusters, values)
    agreeing = sum(ours == drawn for ours, drawn in zip(found, groups, strict=True))
    assert agreeing >= 0.98 * len(groups)


@pytest.mark.parametrize("shape", ["normal", "uniform", "skewed", "counts", "more of everything"])
@pytest.mark.parametrize("seed", [0, 1])
def test_one_cloud_of_any_shape_holds_no_clusters(shape: str, seed: int) -> None:
    found = find_clusters(FEATURES[:5], one_cloud(shape, shoppers=200, seed=seed), seed=seed)
    assert found.clusters is None
    assert found.reason.startswith("No clusters: ")
    best = max(found.silhouettes.values())
    assert found.reference is not None
    assert best < max(FLOOR, found.reference + MARGIN)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros((0, 12)), "0 shoppers are too few: 60 are needed."),
        (np.ones((1, 12)), "1 shoppers are too few: 60 are needed."),
        (np.ones((90, 12)), "All shoppers behave the same."),
    ],
)
def test_too_few_or_equal_shoppers_have_no_clusters(values: np.ndarray, reason: str) -> None:
    assert find_clusters(FEATURES, values).reason == reason


def test_a_few_huge_buyers_are_no_cluster() -> None:
    values = one_cloud("normal")
    values[:4] *= 1e6
    assert find_clusters(FEATURES[:5], values).clusters is None


def test_the_same_shoppers_and_seed_give_the_same_clusters() -> None:
    values, _ = three_groups()
    assert clusters_of(values, seed=3) == clusters_of(values, seed=3)


@pytest.mark.parametrize("seed", range(1, 3))
def test_names_stay_with_their_shoppers_from_training_to_training(seed: int) -> None:
    first = clusters_of_three()
    later, _ = three_groups(seed=seed, spread=0.4)
    second = clusters_of(later * 1.1, previous=first, seed=seed)
    assert set(second.names) == set(first.names)
    assert second.ever == first.ever
    names = dict(zip(first.names, first.labels, strict=True))
    assert all(names[name] == label for name, label in zip(second.names, second.labels, strict=True))


def test_a_group_that_is_new_has_a_name_that_was_never_used() -> None:
    values, groups = three_groups()
    two = values[[group != HESITANT for group in groups]]
    first = clusters_of(two)
    second = clusters_of(values, previous=first)
    assert set(first.names) < set(second.names)
    assert called(second, second.names.index("group_3")) == HESITANT
    third = clusters_of(two, previous=second)
    assert set(third.names) == set(first.names)
    assert third.ever == 3


def test_a_label_is_given_once_and_only_where_it_fits() -> None:
    features = ("orders", "spent")
    assert labels(features, [(0.6, 0.7), (0.9, 0.8), (0.4, 2.0)], [None] * 3) == (None, HIGH_VALUE, None)
    assert labels(features, [(-1, -1), (0.1, 0.1)], [None] * 2) == (None, None)
    assert labels(("days_since_order",), [(2.0,), (-2.0,)], [None] * 2) == (None, None)


def test_a_label_once_held_is_kept_on_weaker_evidence_and_lost_without_any() -> None:
    features = ("orders", "spent")
    assert labels(features, [(0.3, 0.3)], [None]) == (None,)
    assert labels(features, [(0.3, 0.3)], [HIGH_VALUE]) == (HIGH_VALUE,)
    assert labels(features, [(0.2, 0.3)], [HIGH_VALUE]) == (None,)


def test_a_shopper_is_told_why() -> None:
    clusters = clusters_of_three()
    said = why(clusters, msgspec.structs.asdict(TYPICAL[HESITANT]))
    assert said.startswith("Hesitant buyers: behaves most like 80 shoppers with ")
    assert "unfinished checkouts above average" in said


def test_clusters_survive_being_stored() -> None:
    clusters = clusters_of_three()
    assert msgspec.json.decode(msgspec.json.encode(clusters), type=Clusters) == clusters


def test_serving_agrees_with_training() -> None:
    values, _ = three_groups(spread=0.6)
    clusters = clusters_of(values)
    logs = (np.log1p(values) - clusters.means) / clusters.scales
    distances = np.linalg.norm(np.clip(logs, -3, 3)[:, None] - np.array(clusters.centroids), axis=2)
    served = [assign(clusters, dict(zip(FEATURES, row, strict=True))) for row in values.tolist()]
    assert served == distances.argmin(axis=1).tolist()
    assert np.bincount(served).tolist() == list(clusters.sizes)
