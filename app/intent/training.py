"""Learning how likely a purchase is from past visits: training only.

Two kinds of model are tried: what is known already with what these visits add to it (logistic, drawn
towards adding nothing), and boosted trees where there are enough purchases. They learn from the first
visits; which one serves is chosen, and its probabilities are calibrated, on later ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from app.intent.features import FEATURES, SEEN
from app.intent.fitting import Flags, Floats, log_losses, platt, probabilities, shrunk_logistic
from app.intent.model import Head, IntentModel
from app.intent.table import Table, halves
from app.profiles.classifier_training import as_trees
from app.profiles.trees import LEAF, Trees

LABELS = ("now", "visit")
PURCHASES_FOR_TREES = 200
PENALTIES = (3.0, 30.0, 300.0, 3_000.0)
FEWEST_ALONE = 200  # moments of which the cart alone is known, to be calibrated by themselves
CALIBRATED = 0.3  # the latest share of the visits that are learnt from


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """A head, and which of those tried it is."""

    head: Head
    kind: str


def fit(table: Table, prior: IntentModel, seed: int = 0) -> IntentModel:
    """Return the model that learnt from all of the table."""
    soon, ever = (made_head(table, table.features, prior, name, seed).head for name in LABELS)
    return IntentModel(FEATURES, soon, ever, "shop")


def fit_prior(table: Table, unread: Collection[str] = ()) -> IntentModel:
    """Return a logistic model of the table that owes nothing to another one, its calibration worked in.

    unread: features of which the table tells too little to speak for other shops.
    """
    flat = uninformed_model()
    read = np.array([name not in unread for name in FEATURES])
    table = replace(table, features=table.features * read)
    soon, ever = (
        _plain(made_head(table, table.features, flat, name, 0, trees=False).head) for name in LABELS
    )
    return IntentModel(FEATURES, soon, ever, "prior")


def scores(head: Head, features: Floats) -> Floats:
    """Return the log-odds of each row before they are calibrated."""
    if head.trees is None:
        linear: Floats = features @ np.array(head.weights) + head.bias
        return linear
    return _tree_scores(head.trees, features)


def chances(head: Head, features: Floats) -> Floats:
    """Return the head's probability of each row."""
    found = scores(head, features)
    calibrated = head.sigmoid.slope * found + head.sigmoid.intercept
    if head.alone is not None:
        alone = head.alone.slope * found + head.alone.intercept
        calibrated = np.where(features[:, SEEN] > 0, calibrated, alone)
    return probabilities(calibrated)


def uninformed_model() -> IntentModel:
    """Return the model that promises even odds to everyone: what the prior itself starts from."""
    flat = Head((0.0,) * len(FEATURES))
    return IntentModel(FEATURES, flat, flat, "nothing")


def made_head(
    table: Table, features: Floats, prior: IntentModel, name: str, seed: int, *, trees: bool = True
) -> TrainedHead:
    """Return the best of what is tried, calibrated on visits it did not learn from.

    features: float64, a row a moment; those of the table, or these and more.
    """
    first, later = halves(table, CALIBRATED)
    labels, known = table.label(name), _offset(prior, table, name)
    start = _plain(head_of(prior, name))
    with threadpool_limits(limits=1):
        tried = [*_logistics(features[first], labels[first], known[first], start)]
        if trees and table.where(first).purchases >= PURCHASES_FOR_TREES:
            tried.append(_boosted(features[first], labels[first], seed))
        calibrated = [_calibrated(made, features[later], labels[later]) for made in tried]
    return min(calibrated, key=lambda each: each[0])[1]


def _tree_scores(trees: Trees, features: Floats) -> Floats:
    """Return what `raw_score` returns, for all rows at once."""
    feature, threshold = np.array(trees.feature), np.array(trees.threshold)
    left, right, value = np.array(trees.left), np.array(trees.right), np.array(trees.value)
    rows = np.arange(len(features))[:, None]
    nodes = np.tile(np.array(trees.roots), (len(features), 1))
    while (inside := feature[nodes] != LEAF).any():
        below = np.where(features[rows, feature[nodes]] <= threshold[nodes], left[nodes], right[nodes])
        nodes = np.where(inside, below, nodes)
    summed: Floats = trees.baseline + value[nodes].sum(axis=1)
    return summed


def _calibrated(made: TrainedHead, features: Floats, labels: Flags) -> tuple[float, TrainedHead]:
    """Return what a moment costs with it in nats, and the head with its calibration."""
    found = scores(made.head, features)
    seen = features[:, SEEN] > 0
    sigmoid = platt(found[seen], labels[seen])
    alone = platt(found[~seen], labels[~seen]) if (~seen).sum() >= FEWEST_ALONE else None
    head = Head(made.head.weights, made.head.bias, made.head.trees, sigmoid, alone)
    return float(log_losses(labels, chances(head, features)).mean()), TrainedHead(head, made.kind)


def _logistics(features: Floats, labels: Flags, known: Floats, start: Head) -> Iterator[TrainedHead]:
    old = np.array([*start.weights, *[0.0] * (features.shape[1] - len(start.weights))])
    for penalty in PENALTIES:
        weights, bias = shrunk_logistic(features, labels, known, penalty)
        head = Head(tuple((old + weights).tolist()), start.bias + bias)
        yield TrainedHead(head, f"logistic, penalty {penalty:g}")


def _boosted(features: Floats, labels: Flags, seed: int) -> TrainedHead:
    fitted = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.08, max_leaf_nodes=8, min_samples_leaf=80,
        l2_regularization=5.0, early_stopping=False, random_state=seed,
    ).fit(features, labels)  # fmt: skip
    return TrainedHead(Head(trees=as_trees(fitted)), "trees")


def _offset(prior: IntentModel, table: Table, name: str) -> Floats:
    return scores(_plain(head_of(prior, name)), table.features)


def _plain(head: Head) -> Head:
    """Return a logistic head with its calibration worked into its weights."""
    slope, intercept = head.sigmoid.slope, head.sigmoid.intercept
    return Head(tuple(slope * weight for weight in head.weights), slope * head.bias + intercept)


def head_of(model: IntentModel, name: str) -> Head:
    return model.soon if name == "now" else model.ever
