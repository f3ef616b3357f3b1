"""LightFM on baskets: the cart (and its customer) is the user, the rest of the basket what they like.

Kula, Metadata Embeddings for User and Item Cold-start Recommendations (2015), with WARP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from lightfm import LightFM
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags, hstack, identity

from app.recommend.dataset import ANONYMOUS, Baskets, Items

MOST_IN_CART = 8
CUSTOMER_SHARE = 0.5
SETTLED = 1.0  # squared gradients that an order leaves behind
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FitParameters:
    """What is learnt and for how long. One seed, one thread: the same data give the same model."""

    dimensions: int = 64
    epochs: int = 12
    learning_rate: float = 0.05
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """float32 arrays: items (n, d), item_biases (n,), carts (n, d), customers (c, d)."""

    items: Floats
    item_biases: Floats
    carts: Floats
    customers: Floats


def no_embeddings(items: int) -> Embeddings:
    """Return embeddings of no dimension: the learned term is silent."""
    nothing = np.zeros((items, 0), dtype=np.float32)
    return Embeddings(nothing, np.zeros(items, np.float32), nothing, np.zeros((0, 0), np.float32))


def fit(
    items: Items,
    customers: int,
    baskets: Baskets,
    parameters: FitParameters,
    on_epoch: Callable[[int], None] = lambda _: None,
) -> Embeddings:
    """Return what LightFM learns from the baskets; on_epoch hears how many epochs are done."""
    lightfm = _lightfm(parameters)
    random = np.random.default_rng(parameters.seed)
    features = item_features(items)
    for epoch in range(parameters.epochs):
        carts, positives = split_baskets(baskets, len(items), customers, random)
        lightfm.fit_partial(positives, user_features=carts, item_features=features, epochs=1, num_threads=1)
        on_epoch(epoch + 1)
    return _embeddings(lightfm, items, baskets, features)


def fit_on(
    start: Embeddings,
    sold: NDArray[np.int32],
    baskets: Baskets,
    parameters: FitParameters,
    on_epoch: Callable[[int], None] = lambda _: None,
) -> Embeddings:
    """Return what LightFM makes of the embeddings when it goes on with these baskets.

    start: of every item and customer there is now; sold: (n,) how many orders held each item before. LightFM
    can't grow, so a new one is given copies of the arrays. An item's metadata are in its vector already.
    What was learnt from many orders moves little: the gradients of Adagrad begin where they would be.
    """
    items, customers = len(start.items), len(start.customers)
    lightfm = _lightfm(parameters)
    lightfm._initialize(start.items.shape[1], items, items + customers)
    lightfm.item_embeddings, lightfm.item_biases = start.items.copy(), start.item_biases.copy()
    lightfm.user_embeddings = np.vstack([start.carts, start.customers]).astype(np.float32)
    steps = (1 + SETTLED * sold).astype(np.float32)
    lightfm.item_embedding_gradients *= steps[:, None]
    lightfm.item_bias_gradients *= steps
    lightfm.user_embedding_gradients[:items] *= steps[:, None]
    random = np.random.default_rng(parameters.seed)
    for epoch in range(parameters.epochs):
        carts, positives = split_baskets(baskets, items, customers, random)
        lightfm.fit_partial(positives, user_features=carts, epochs=1, num_threads=1)
        on_epoch(epoch + 1)
    users = lightfm.user_embeddings
    return Embeddings(lightfm.item_embeddings, lightfm.item_biases, users[:items], users[items:])


def fit_customers(
    items: Items,
    customers: int,
    baskets: Baskets,
    parameters: FitParameters,
    on_epoch: Callable[[int], None] = lambda _: None,
) -> Embeddings:
    """Return what LightFM learns in its plain form: customers are the users, what they bought they like."""
    known = np.repeat(baskets.customers, baskets.sizes)
    pairs = csr_matrix(
        (
            np.ones(int((known != ANONYMOUS).sum()), np.float32),
            (known[known != ANONYMOUS], baskets.items[known != ANONYMOUS]),
        ),
        shape=(customers, len(items)),
    )
    pairs.data[:] = 1
    lightfm = _lightfm(parameters)
    features = item_features(items)
    for epoch in range(parameters.epochs):
        lightfm.fit_partial(pairs.tocoo(), item_features=features, epochs=1, num_threads=1)
        on_epoch(epoch + 1)
    vectors, biases = features @ lightfm.item_embeddings, features @ lightfm.item_biases
    return Embeddings(vectors, biases, np.zeros((len(items), 0), np.float32), lightfm.user_embeddings)


def item_features(items: Items) -> csr_matrix:
    """Return (n, n + f): each item's own column at 1, its metadata at 1 / sqrt(how many it has)."""
    counts = np.diff(items.features.indptr)
    scaled = diags(1 / np.sqrt(np.maximum(counts, 1))) @ items.features
    return hstack([identity(len(items)), scaled], format="csr", dtype=np.float32)


def split_baskets(
    baskets: Baskets, items: int, customers: int, random: np.random.Generator
) -> tuple[csr_matrix, coo_matrix]:
    """Return user features (b, items + customers) and positives (b, items) of one random split.

    A random part of each basket, at most 8 items, weighted 1 / sqrt(size), is its cart; the rest are the
    positives. Half of the known customers are named beside their cart, so that both kinds are served.
    """
    rows, sizes = baskets.rows, baskets.sizes
    cart_sizes = np.minimum(random.integers(0, np.maximum(sizes, 1)), MOST_IN_CART)
    cart_sizes = np.where(sizes > 1, np.maximum(cart_sizes, 1), 0)
    shuffled = np.lexsort((random.random(len(rows)), rows))
    in_cart = np.arange(len(rows)) - baskets.indptr[:-1][rows] < cart_sizes[rows]
    held = baskets.items[shuffled]
    named = np.flatnonzero((baskets.customers != ANONYMOUS) & (random.random(len(baskets)) < CUSTOMER_SHARE))
    feature_rows = np.concatenate([rows[in_cart], named])
    columns = np.concatenate([held[in_cart], items + baskets.customers[named]])
    values = np.concatenate([1 / np.sqrt(cart_sizes[rows[in_cart]]), np.ones(len(named))])
    carts = csr_matrix(
        (values.astype(np.float32), (feature_rows, columns)), shape=(len(baskets), items + customers)
    )
    ones = np.ones(int((~in_cart).sum()), dtype=np.float32)
    return carts, coo_matrix((ones, (rows[~in_cart], held[~in_cart])), shape=(len(baskets), items))


def _lightfm(parameters: FitParameters) -> LightFM:
    return LightFM(
        no_components=parameters.dimensions,
        loss="warp",
        learning_rate=parameters.learning_rate,
        random_state=parameters.seed,
    )


def _embeddings(lightfm: LightFM, items: Items, baskets: Baskets, features: csr_matrix) -> Embeddings:
    """Return the embeddings folded to one vector an item; what was never trained is zero, not noise."""
    count = len(items)
    sold = np.bincount(baskets.items, minlength=count) > 0
    trained = np.concatenate([sold, np.asarray(features[sold].sum(axis=0)).ravel()[count:] > 0])
    vectors = np.where(trained[:, None], lightfm.item_embeddings, 0).astype(np.float32)
    biases = np.where(trained, lightfm.item_biases, 0).astype(np.float32)
    carts = np.where(sold[:, None], lightfm.user_embeddings[:count], 0).astype(np.float32)
    seen = np.isin(np.arange(len(lightfm.user_embeddings) - count), baskets.customers)
    customers = np.where(seen[:, None], lightfm.user_embeddings[count:], 0).astype(np.float32)
    return Embeddings(features @ vectors, features @ biases, carts, customers)
