"""What the validation period chooses: how co-occurrence is counted and how much each term weighs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from app.recommend.baselines import by_similarity, tops_of
from app.recommend.boosting import grow
from app.recommend.cases import Case
from app.recommend.dataset import Baskets, Items
from app.recommend.judge import K, anonymous, by_case, ndcg_of
from app.recommend.metrics import ndcg_at_k
from app.recommend.model import Model, Visit
from app.recommend.neighbours import CosineParameters, cosine
from app.recommend.pull import Positions
from app.recommend.term_weights import learn_weights
from app.recommend.terms import Weights
from app.recommend.variety_tuning import choose_variety

Doubles = NDArray[np.float64]
Step = Callable[[Model, Sequence[Case], int], Model]
COSINES = tuple(
    CosineParameters(size_power, popularity_power, half_life_days)
    for size_power, popularity_power, half_life_days in product((0.5, 1.0), (0.2, 0.35), (None, 120.0))
)
CASES_FOR_COSINE = 1_000
FEWEST_NEW_CASES = 20
FOLDS = 2
MOST_CASES_FOR_PLAIN = 1_000  # with more, what is learnt says no worse
# What few carts may prefer to any blend: what goes with the cart, it with what was bought before, it with
# best sellers, and best sellers alone.
PLAIN = (
    Weights(together=1.0),
    Weights(together=1.0, times=4.0, bought=2.0, popular=0.5),
    Weights(together=1.0, popular=1.0),
    Weights(together=0.0, popular=1.0),
)
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
    """Return the model with the weights, the trees and the variety that rank the validation carts best.

    What is learnt from half of the carts is tried on the other half. The model's own weights stand unless
    another plain way, or what was learnt, is better there by more than chance often makes it.
    """
    few = len(cases) <= MOST_CASES_FOR_PLAIN
    plain = [replace(model, weights=weights) for weights in PLAIN] if few else []
    ways = [*_learnt_in_folds(model, cases, seed), *([each] * FOLDS for each in plain)]
    best = _leader([_in_folds(way, cases) for way in ways])
    learnt = plain[best - len(STEPS) - 1] if best > len(STEPS) else model
    for step in STEPS[:best] if best <= len(STEPS) else ():
        learnt = step(learnt, cases, seed)
    if len(model.kinds):
        variety = choose_variety(zip(ways[best], _folds(cases), strict=True))
        learnt = replace(learnt, variety=np.array(variety))
    return replace(learnt, new_weights=_new_weights(model, cases, seed))


def weighed(model: Model, cases: Sequence[Case], seed: int) -> Model:
    """Return the model with weights and shifts learnt from the cases."""
    return with_rows(model, learn_weights(model, cases, rows_of(model), among_all, seed))


def with_trees(model: Model, cases: Sequence[Case]) -> Model:
    """Return the model with trees learnt from what its weights leave to learn, for strangers their own."""
    asks, edges, leaves = grow(model, cases)
    model = replace(model, tree_asks=asks, tree_edges=edges, tree_leaves=leaves)
    asks, edges, leaves = grow(model, anonymous(cases))
    return replace(model, stranger_asks=asks, stranger_edges=edges, stranger_leaves=leaves)


# Each learns on what the one before has left.
STEPS: tuple[Step, ...] = (weighed, lambda model, cases, _: with_trees(model, cases))


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


def _folds(cases: Sequence[Case]) -> list[Sequence[Case]]:
    return [cases[fold::FOLDS] for fold in range(FOLDS)]


def _learnt_in_folds(model: Model, cases: Sequence[Case], seed: int) -> list[list[Model]]:
    """Return the models after none, one and all of the STEPS, one a fold, learnt from the other folds."""
    folds = _folds(cases)
    rest = [[case for other in folds if other is not held for case in other] for held in folds]
    ways = [[model] * FOLDS]
    for step in STEPS:
        ways.append([step(each, some, seed) for each, some in zip(ways[-1], rest, strict=True)])
    return ways


def _in_folds(way: Sequence[Model], cases: Sequence[Case]) -> Doubles:
    """Return NDCG@10 of the carts of each fold, by the model of that fold."""
    return np.concatenate([_both_ways(each, held) for each, held in zip(way, _folds(cases), strict=True)])


def _leader(reached: Sequence[Doubles]) -> int:
    """Return which is best, the one before unless the lead is more than its standard error.

    Breiman et al., Classification and Regression Trees (1984), choose so among trees.
    """
    leader = 0
    for at, one in enumerate(reached[1:], start=1):
        lead = one - reached[leader]
        if lead.mean() > lead.std() / max(len(lead), 1) ** 0.5:
            leader = at
    return leader


def _both_ways(model: Model, cases: Sequence[Case]) -> Doubles:
    """Return NDCG@10 of each cart, the mean of with and without its shopper known."""
    known, unknown = (ndcg_of(model, asked) for asked in (cases, anonymous(cases)))
    return np.asarray((known + unknown) / 2)


def _new_weights(model: Model, cases: Sequence[Case], seed: int) -> Doubles:
    """Return weights and shifts among products never sold; the prior's where carts say too little."""
    prior = np.vstack([NEW_PRIOR.row(), np.zeros_like(model.shifts)])
    new = frozenset(model.product_ids[model.orders == 0].tolist())
    wanted = [case for case in cases if case.wanted & new]
    if len(wanted) < FEWEST_NEW_CASES:
        return prior
    return learn_weights(model, wanted, prior, among_new, seed)
