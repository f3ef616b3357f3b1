"""The plain ways to recommend that ours has to beat, each scoring the whole catalogue.

A scorer takes b cases and returns scores (b, n), the higher the better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from app.recommend.cases import Case
from app.recommend.model import Model, top

ENTRIES_AT_ONCE = 4_000_000  # 32 MB
Ids = NDArray[np.int64]
Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]
Tops = list[list[int]]
Scorer = Callable[[Sequence[Case]], Scores]
Hidden = Callable[[Case], Mask | None]


def by_popularity(popularity: NDArray[np.float32]) -> Scorer:
    """Return the scorer of best sellers."""
    return lambda cases: np.tile(popularity.astype(np.float64), (len(cases), 1))


def by_repeats(product_ids: Ids, popularity: NDArray[np.float32]) -> Scorer:
    """Return the scorer of what the shopper bought most often, then the best sellers."""
    behind = popularity.astype(np.float64) / (1 + popularity.max(initial=0))  # below one purchase

    def score(cases: Sequence[Case]) -> Scores:
        scores = np.tile(behind, (len(cases), 1))
        for row, case in zip(scores, cases, strict=True):
            at = np.searchsorted(product_ids, list(case.history))
            row[at] += [past.times for past in case.history.values()]
        return scores

    return score


def by_similarity(product_ids: Ids, similar: csr_matrix) -> Scorer:
    """Return the scorer of what goes with the cart: the sum of its rows."""
    return lambda cases: np.asarray((carts(product_ids, cases) @ similar).toarray())


def by_embeddings(model: Model) -> Scorer:
    """Return the scorer of what LightFM alone recommends to the cart and the customer."""

    def score(cases: Sequence[Case]) -> Scores:
        tastes = [model.visit(case.cart, case.customer_id, {}).tastes.sum(axis=0) for case in cases]
        return (np.stack(tastes) @ model.item_embeddings.T + model.item_biases).astype(np.float64)

    return score


def tops_of(
    scorer: Scorer, product_ids: Ids, cases: Sequence[Case], k: int, hidden: Hidden = lambda _: None
) -> Tops:
    """Return each case's k best product ids, none of its cart and none that is hidden from it."""
    at_once = max(1, ENTRIES_AT_ONCE // max(len(product_ids), 1))
    tops: Tops = []
    for start in range(0, len(cases), at_once):
        batch = cases[start : start + at_once]
        for scores, case in zip(scorer(batch), batch, strict=True):
            tops.append(_top_ids(product_ids, scores, case, k, hidden(case)))
    return tops


def carts(product_ids: Ids, cases: Sequence[Case]) -> csr_matrix:
    """Return the (cases, n) matrix of ones where a cart holds a product."""
    indptr = np.concatenate([[0], np.cumsum([len(case.cart) for case in cases])])
    columns = np.searchsorted(product_ids, [product_id for case in cases for product_id in case.cart])
    return csr_matrix((np.ones(len(columns)), columns, indptr), shape=(len(cases), len(product_ids)))


def _top_ids(product_ids: Ids, scores: Scores, case: Case, k: int, hidden: Mask | None) -> list[int]:
    scores = scores.copy()
    scores[np.searchsorted(product_ids, case.cart)] = -np.inf
    if hidden is not None:
        scores[hidden] = -np.inf
    best: list[int] = product_ids[top(scores, min(k, int((scores > -np.inf).sum())))].tolist()
    return best
