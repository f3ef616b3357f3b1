"""Gradient boosting of small trees on the residuals of the term weights, by the same listwise loss.

Friedman, Greedy Function Approximation: A Gradient Boosting Machine (2001), with Newton's leaves. Only the
products that the weights place first are looked at, since only these are ranked again when serving.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.recommend.cases import Case
from app.recommend.model import Model, Visit
from app.recommend.pull import Positions
from app.recommend.ranking import RESCORED, tree_features
from app.recommend.score import top
from app.recommend.term_weights import visit_of
from app.recommend.trees import DEPTH, Trees, no_trees

TREES = 120
RATE = 0.2
BINS = 32
HELD_BACK = 10.0  # how much of a leaf's own curvature it takes to be believed half
SMALLEST = 1e-6
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RankedCandidates:
    """The r best products of m carts. features: (f, r) float32, see `tree_features`. scores: (r,) of
    the weights.

    wanted: (r,) 1 where it was bought. starts: (m,) first row of each cart.
    """

    features: Floats
    scores: Doubles
    wanted: Doubles
    starts: NDArray[np.intp]


def grow(model: Model, cases: Sequence[Case]) -> Trees:
    """Return trees that place what was bought with the carts further up; none when the carts say nothing."""
    placed = placed_first(model, cases)
    return no_trees() if placed is None else boost(placed)


def placed_first(model: Model, cases: Sequence[Case]) -> RankedCandidates | None:
    """Return what the weights place first for the carts, None when none of it was ever wanted.

    Carts with a history are also asked about without what it holds, so that what is new to the shopper is
    placed with as much care.
    """
    facts, scores, wanted = [], [], []
    for case in cases:
        visit = visit_of(model, case)
        for candidates in _asked_of(model, visit):
            score = model.linear_scores(visit, candidates)
            best = top(score, RESCORED)
            found = np.isin(model.product_ids[candidates[best]], list(case.wanted))
            if found.any() and not found.all():
                facts.append(tree_features(model, visit, candidates[best]))
                scores.append(score[best])
                wanted.append(found.astype(np.float64))
    if not facts:
        return None
    starts = np.concatenate([[0], np.cumsum([len(one) for one in wanted])[:-1]])
    return RankedCandidates(
        np.concatenate(facts, axis=1), np.concatenate(scores), np.concatenate(wanted), starts
    )


def _asked_of(model: Model, visit: Visit) -> Iterator[Positions]:
    candidates = model.candidates(visit, None, RESCORED)
    yield candidates
    if len(visit.history):
        yield np.setdiff1d(candidates, visit.history)


def boost(placed: RankedCandidates) -> Trees:
    """Return trees that lower the listwise loss step by step, beginning from the scores."""
    edges = [_edges(row) for row in placed.features]
    bins = np.array(
        [np.searchsorted(of, row) for of, row in zip(edges, placed.features, strict=True)], np.uint8
    )
    able = np.flatnonzero([len(of) > 0 for of in edges])
    if not len(able):
        return no_trees()
    carts = np.repeat(np.arange(len(placed.starts)), np.diff(np.append(placed.starts, len(placed.wanted))))
    scores, grown = placed.scores.copy(), []
    for _ in range(TREES):
        pulls = _pulls(placed, carts, scores)
        asks, cuts, leaf = _questions(bins, edges, able, pulls)
        slope, curve = (np.bincount(leaf, of, 1 << DEPTH) for of in pulls)
        leaves = -RATE * slope / (curve + HELD_BACK)
        scores += leaves[leaf]
        grown.append((asks, cuts, leaves))
    return Trees(
        np.array([asks for asks, _, _ in grown], np.int32),
        np.array([cuts for _, cuts, _ in grown], np.float32),
        np.array([leaves for _, _, leaves in grown], np.float32),
    )


def _edges(values: Floats) -> Floats:
    """Return where values are cut into at most 32 bins, none when all are the same."""
    cuts = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]).astype(np.float32))
    return np.asarray(cuts[cuts < values.max()])


def _pulls(placed: RankedCandidates, carts: NDArray[np.intp], scores: Doubles) -> tuple[Doubles, Doubles]:
    """Return the slope and curvature of the loss at each row's score, carts weighing as in `learn`."""
    likely = np.exp(scores - np.maximum.reduceat(scores, placed.starts)[carts])
    likely /= np.add.reduceat(likely, placed.starts)[carts]
    wanted = np.add.reduceat(placed.wanted, placed.starts)[carts]
    share = 1 / np.sqrt(wanted)
    slope = (likely * wanted - placed.wanted) * share
    return slope, np.maximum(likely * (1 - likely) * wanted * share, SMALLEST)


def _questions(
    bins: NDArray[np.uint8], edges: Sequence[Floats], asked: NDArray[np.intp], pulls: tuple[Doubles, Doubles]
) -> tuple[list[int], list[float], NDArray[np.intp]]:
    """Return the questions of one tree, first level first, and the leaf of each row."""
    leaf = np.zeros(bins.shape[1], dtype=np.intp)
    asks: list[int] = []
    cuts: list[float] = []
    for _ in range(DEPTH):
        gains = [_gains(leaf * BINS + bins[at], len(edges[at]), 1 << len(asks), pulls) for at in asked]
        best = int(np.argmax([of.max() for of in gains]))
        at, cut = int(asked[best]), int(gains[best].argmax())
        asks.append(at)
        cuts.append(float(edges[at][cut]))
        leaf = leaf * 2 + (bins[at] > cut)
    return asks, cuts, leaf


def _gains(keys: NDArray[np.intp], cuts: int, leaves: int, pulls: tuple[Doubles, Doubles]) -> Doubles:
    """Return how much lower the loss gets with each cut, over all leaves so far, (cuts,)."""
    slope, curve = (np.bincount(keys, of, leaves * BINS).reshape(leaves, BINS).cumsum(axis=1) for of in pulls)
    below = slope**2 / (curve + HELD_BACK)
    above = (slope[:, -1:] - slope) ** 2 / (curve[:, -1:] - curve + HELD_BACK)
    return np.asarray((below + above).sum(axis=0)[:cuts])
