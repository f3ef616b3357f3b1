"""Boosted trees and their calibration as plain numbers: a probability without the library. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import msgspec

LEAF = -1


class Trees(msgspec.Struct, frozen=True):
    """Regression trees whose leaves are added up.

    All nodes of all trees, one after the other: feature (LEAF for a leaf), threshold (at most goes
    left), left and right (places of nodes), value (of a leaf). roots: where each tree starts.
    baseline: what is added up starts from here.
    """

    baseline: float
    roots: tuple[int, ...]
    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]


class Sigmoid(msgspec.Struct, frozen=True):
    """Platt's scaling of a log-odds score (Advances in Large Margin Classifiers, 1999)."""

    slope: float
    intercept: float


class Classifier(msgspec.Struct, frozen=True):
    """What foresees one label of those who bought in the last two windows.

    window_days: how far it looks ahead. many_orders: as many in a window as make one `loyal`.
    threshold: from this probability on the label is given.
    """

    label: str
    features: tuple[str, ...]
    window_days: int
    many_orders: int
    trees: Trees
    sigmoid: Sigmoid
    threshold: float


def raw_score(trees: Trees, row: Sequence[float]) -> float:
    """Return the sum of the leaves that the row falls into: log-odds, for a classifier."""
    feature, threshold, left, right = trees.feature, trees.threshold, trees.left, trees.right
    total = trees.baseline
    for node in trees.roots:
        while feature[node] != LEAF:
            node = left[node] if row[feature[node]] <= threshold[node] else right[node]
        total += trees.value[node]
    return total


def probability(classifier: Classifier, row: Sequence[float]) -> float:
    """Return the calibrated probability, from 0 to 1."""
    sigmoid = classifier.sigmoid
    score = sigmoid.slope * raw_score(classifier.trees, row) + sigmoid.intercept
    return 1 / (1 + exp(-score)) if score > -700 else 0.0
