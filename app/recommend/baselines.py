"""The plain ways to recommend that ours has to beat, each ranking the whole catalogue.

Each returns, for every case, the k best product ids that are not in its cart, best first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from app.recommend.cases import Case
from app.recommend.model import Model, top

CASES_AT_ONCE = 500
Ids = NDArray[np.int64]
Tops = list[list[int]]


def popularity_tops(product_ids: Ids, popularity: NDArray[np.float32], cases: Sequence[Case], k: int) -> Tops:
    """Return the best sellers."""
    return [_top_ids(product_ids, popularity.astype(np.float64), case, k) for case in cases]


def repeats_tops(product_ids: Ids, popularity: NDArray[np.float32], cases: Sequence[Case], k: int) -> Tops:
    """Return what the shopper bought most often, then the best sellers."""
    behind = popularity / (1 + popularity.max(initial=0))  # below one purchase, in the best sellers' order
    tops = []
    for case in cases:
        scores = behind.astype(np.float64)
        scores[np.searchsorted(product_ids, list(case.history))] += list(case.history.values())
        tops.append(_top_ids(product_ids, scores, case, k))
    return tops


def cosine_tops(product_ids: Ids, similar: csr_matrix, cases: Sequence[Case], k: int) -> Tops:
    """Return what co-occurs with the cart."""
    tops: Tops = []
    for start in range(0, len(cases), CASES_AT_ONCE):
        batch = cases[start : start + CASES_AT_ONCE]
        scores = (_carts(product_ids, batch) @ similar).toarray()
        tops += [_top_ids(product_ids, row, case, k) for row, case in zip(scores, batch, strict=True)]
    return tops


def learned_tops(model: Model, cases: Sequence[Case], k: int) -> Tops:
    """Return what LightFM alone recommends to the cart and the customer."""
    tops = []
    for case in cases:
        taste = model.visit(case.cart, case.customer_id, {}).tastes.sum(axis=0)
        scores = (model.item_embeddings @ taste + model.item_biases).astype(np.float64)
        tops.append(_top_ids(model.product_ids, scores, case, k))
    return tops


def _carts(product_ids: Ids, cases: Sequence[Case]) -> csr_matrix:
    indptr = np.concatenate([[0], np.cumsum([len(case.cart) for case in cases])])
    columns = np.searchsorted(product_ids, [product_id for case in cases for product_id in case.cart])
    return csr_matrix((np.ones(len(columns)), columns, indptr), shape=(len(cases), len(product_ids)))


def _top_ids(product_ids: Ids, scores: NDArray[np.float64], case: Case, k: int) -> list[int]:
    scores = scores.copy()
    scores[np.searchsorted(product_ids, case.cart)] = -np.inf
    best: list[int] = product_ids[top(scores, min(k, len(scores) - len(case.cart)))].tolist()
    return best
