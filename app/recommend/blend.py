"""What the validation period chooses: how co-occurrence is counted and how much each term weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from app.recommend.baselines import cosine_tops
from app.recommend.cases import Case
from app.recommend.dataset import Baskets, Items
from app.recommend.metrics import ndcg_at_k
from app.recommend.model import Model, Weights
from app.recommend.neighbours import CosineParameters, cosine

K = 10
COSINES = tuple(
    CosineParameters(size_power, popularity_power, half_life_days)
    for size_power, popularity_power, half_life_days in product((0.5, 1.0), (0.2, 0.35), (None, 120.0))
)
LEARNED = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
REPEATS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
POPULAR = (0.0, 0.1, 0.25, 0.5)


def choose_cosine(items: Items, train: Baskets, cases: Sequence[Case]) -> CosineParameters:
    """Return the way of counting co-occurrences that ranks the validation carts best."""
    now = int(train.times[-1])
    scores = [
        _mean_ndcg(cases, cosine_tops(items.product_ids, cosine(train, len(items), now, one), cases, K))
        for one in COSINES
    ]
    return COSINES[int(np.argmax(scores))]


def choose_weights(model: Model, cases: Sequence[Case]) -> Weights:
    """Return the weights of the terms, from a small grid, that rank the validation carts best.

    The first and simplest of equals wins: a term has to earn its weight.
    """
    learned = LEARNED if model.item_embeddings.shape[1] else (0.0,)
    grid = np.array(list(product(learned, (1.0,), REPEATS, POPULAR)))
    unit = replace(model, weights=Weights(1, 1, 1, 1))
    gains = np.zeros(len(grid))
    for case in cases:
        gains += _gains(unit, case, grid)
    best, together, repeats, popular = grid[int(np.argmax(gains))].tolist()
    return Weights(together, best, repeats, popular)


def _gains(unit: Model, case: Case, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the NDCG@10 of one case under each row of the grid: learned, together, repeats, popular."""
    visit = unit.visit(case.cart, case.customer_id, case.history)
    candidates = unit.candidates(visit, None, K)
    scores = grid @ unit.parts(visit, candidates)[:4]
    wanted = np.isin(unit.product_ids[candidates], list(case.wanted))
    if scores.shape[1] > K:
        kept = np.argpartition(-scores, K - 1, axis=1)[:, :K]
        scores, wanted = np.take_along_axis(scores, kept, axis=1), wanted[kept]
    else:
        wanted = np.broadcast_to(wanted, scores.shape)
    best = np.argsort(-scores, axis=1, kind="stable")
    discounts = 1 / np.log2(np.arange(2, K + 2))
    found = np.take_along_axis(wanted, best, axis=1) @ discounts[: best.shape[1]]
    return np.asarray(found / discounts[: len(case.wanted)].sum())


def _mean_ndcg(cases: Sequence[Case], tops: Sequence[Sequence[int]]) -> float:
    return float(np.mean([ndcg_at_k(top, case.wanted, K) for case, top in zip(cases, tops, strict=True)]))
