"""Stronger third-party models that an evaluation compares with ours; too slow to run in every training."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from app.recommend.baselines import Scorer, Scores, carts
from app.recommend.cases import Case
from app.recommend.dataset import Baskets, Items
from app.recommend.fit import Embeddings

EASE_REGULARISATION = 100.0
EASE_MOST_ITEMS = 15_000  # the inverse of a dense matrix of this size takes 0.9 GB
ALS_FACTORS = 128
ALS_ITERATIONS = 15
TFIDF_NEIGHBOURS = 200
Ids = NDArray[np.int64]
_log = logging.getLogger(__name__)


def ease(items: Items, train: Baskets) -> Scorer | None:
    """Return EASE's scorer (Steck, Embarrassingly Shallow Autoencoders, 2019), None beyond 15,000 items."""
    if len(items) > EASE_MOST_ITEMS:
        return None
    matrix = train.matrix(len(items)).astype(np.float32)
    gram = (matrix.T @ matrix).toarray()
    gram[np.diag_indices_from(gram)] += EASE_REGULARISATION
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return lambda cases: np.asarray(carts(items.product_ids, cases).astype(np.float32) @ weights, np.float64)


def plain_lightfm(customer_ids: Ids, embeddings: Embeddings) -> Scorer:
    """Return the scorer of LightFM on customers and items; strangers get the items' biases."""
    places = {int(customer_id): at for at, customer_id in enumerate(customer_ids)}
    strangers = np.zeros((1, embeddings.customers.shape[1]), np.float32)
    tastes = np.concatenate([embeddings.customers, strangers])

    def score(cases: Sequence[Case]) -> Scores:
        rows = [places.get(case.customer_id, -1) if case.customer_id is not None else -1 for case in cases]
        return (tastes[rows] @ embeddings.items.T + embeddings.item_biases).astype(np.float64)

    return score


def implicit_installed() -> bool:
    """Return whether the package `implicit` can be used; it comes with the extra `evaluate`.

    One that is there and can't be loaded, for want of a library of the system's, is told of.
    """
    if find_spec("implicit") is None:
        return False
    try:
        import_module("implicit.cpu.als")
    except ImportError as error:
        _log.warning("implicit is left out: it can't be loaded", extra={"reason": str(error)})
        return False
    return True


def implicit_tfidf(items: Items, train: Baskets) -> Scorer:
    """Return the scorer of implicit's item-item TF-IDF, orders as users."""
    model = import_module("implicit.nearest_neighbours").TFIDFRecommender(K=TFIDF_NEIGHBOURS, num_threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what its own weighting hands it
        model.fit(train.matrix(len(items)).astype(np.float32), show_progress=False)
    similarity = model.similarity.tocsr()
    return lambda cases: np.asarray((carts(items.product_ids, cases) @ similarity).toarray())


def implicit_als(items: Items, train: Baskets, seed: int) -> Scorer:
    """Return the scorer of implicit's alternating least squares, orders as users, carts folded in."""
    with threadpool_limits(1, "blas"):
        model = import_module("implicit.cpu.als").AlternatingLeastSquares(
            factors=ALS_FACTORS, iterations=ALS_ITERATIONS, random_state=seed, num_threads=1
        )
        model.fit(train.matrix(len(items)).astype(np.float32), show_progress=False)

    def score(cases: Sequence[Case]) -> Scores:
        asked = carts(items.product_ids, cases).astype(np.float32)
        tastes = model.recalculate_user(np.arange(len(cases)), asked)
        return np.asarray(tastes @ model.item_factors.T, dtype=np.float64)

    return score
