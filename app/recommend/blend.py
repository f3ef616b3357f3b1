"""What the validation period chooses: how co-occurrence is counted and how much each term weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from app.recommend.baselines import by_similarity, tops_of
from app.recommend.cases import Case
from app.recommend.dataset import Baskets, Items
from app.recommend.grow import grow
from app.recommend.judge import K, anonymous, by_case, ranked
from app.recommend.learn import learn_weights
from app.recommend.metrics import ndcg_at_k
from app.recommend.model import Model, Visit
from app.recommend.neighbours import CosineParameters, cosine
from app.recommend.score import Positions
from app.recommend.terms import Weights

Doubles = NDArray[np.float64]
COSINES = tuple(
    CosineParameters(size_power, popularity_power, half_life_days)
    for size_power, popularity_power, half_life_days in product((0.5, 1.0), (0.2, 0.35), (None, 120.0))
)
CASES_FOR_COSINE = 1_000
FEWEST_NEW_CASES = 20
FOLDS = 2
# Among products never sold: what they are alike to, what is learnt from their features, what is new.
NEW_PRIOR = Weights(together=1.0, learned=0.5, with_history=0.25, fresh=0.5)


def choose_cosine(items: Items, train: Baskets, cases: Sequence[Case]) -> CosineParameters:
    """Return the way of counting co-occurrences that ranks the validation carts best."""
    now = int(train.times[-1])
    asked = cases[:: max(1, len(cases) // CASES_FOR_COSINE)]

    def score(parameters: CosineParameters) -> float:
        scorer = by_similarity(items.product_ids, cosine(train, len(items), now, parameters))
        return float(by_case(ndcg_at_k, asked, tops_of(scorer, items.product_ids, asked, K), K).mean())

    return max(COSINES, key=score)


def weigh(model: Model, cases: Sequence[Case], seed: int) -> Model:
    """Return the model with the weights, and the trees beside them, that rank the validation carts best.

    What is learnt from half of the carts is tried on the other half: the plain weights stand unless learnt
    ones are better there, and no tree does unless the weights alone are worse.
    """
    learnt = model
    for step in STEPS[: _earned(model, cases, seed)]:
        learnt = step(learnt, cases, seed)
    return replace(learnt, new_weights=_new_weights(model, cases, seed))


def weighed(model: Model, cases: Sequence[Case], seed: int) -> Model:
    """Return the model with weights and shifts learnt from the cases."""
    return with_rows(model, learn_weights(model, cases, rows_of(model), among_all, seed))


def with_trees(model: Model, cases: Sequence[Case], seed: int) -> Model:
    """Return the model with trees learnt from what its weights leave to learn."""
    asks, edges, leaves = grow(model, cases, seed)
    return replace(model, tree_asks=asks, tree_edges=edges, tree_leaves=leaves)


# Each learns on what the one before has left.
STEPS = (weighed, with_trees)


def with_rows(model: Model, rows: Doubles) -> Model:
    """Return the model with these weights and shifts, (4, t)."""
    return replace(model, weights=Weights(*rows[0].tolist()), shifts=rows[1:])


def rows_of(model: Model) -> Doubles:
    """Return the model's weights and shifts, (4, t)."""
    return np.vstack([model.weights.row(), model.shifts])


def among_all(model: Model, visit: Visit) -> Positions:
    """Return what a ranking of the whole catalogue scores."""
    return model.candidates(visit, None, K)


def among_new(model: Model, visit: Visit) -> Positions:
    """Return what a ranking of the products never sold scores."""
    return model.new_candidates(visit)


def _earned(model: Model, cases: Sequence[Case], seed: int) -> int:
    """Return after how many of the STEPS carts that were not learnt from are ranked best."""
    reached = np.zeros(len(STEPS) + 1)
    for fold in range(FOLDS):
        held = cases[fold::FOLDS]
        rest = [case for other in range(FOLDS) if other != fold for case in cases[other::FOLDS]]
        learnt = model
        reached[0] += _both_ways(learnt, held)
        for done, step in enumerate(STEPS, start=1):
            learnt = step(learnt, rest, seed)
            reached[done] += _both_ways(learnt, held)
    return int(reached.argmax())


def _both_ways(model: Model, cases: Sequence[Case]) -> float:
    """Return the mean NDCG@10 with shoppers known and unknown, summed."""
    return _mean_ndcg(model, cases) + _mean_ndcg(model, anonymous(cases))


def _mean_ndcg(model: Model, cases: Sequence[Case]) -> float:
    return float(by_case(ndcg_at_k, cases, [ranked(model, case) for case in cases], K).mean())


def _new_weights(model: Model, cases: Sequence[Case], seed: int) -> Doubles:
    """Return weights and shifts among products never sold; the prior's where carts say too little."""
    prior = np.vstack([NEW_PRIOR.row(), np.zeros_like(model.shifts)])
    new = frozenset(model.product_ids[model.orders == 0].tolist())
    wanted = [case for case in cases if case.wanted & new]
    if len(wanted) < FEWEST_NEW_CASES:
        return prior
    return learn_weights(model, wanted, prior, among_new, seed)
