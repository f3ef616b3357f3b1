"""From a data set and what was learnt to the model that serves."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from app.recommend.dataset import SECONDS_A_DAY, Baskets, Dataset, Items
from app.recommend.fit import Embeddings
from app.recommend.model import Basis, Model
from app.recommend.neighbours import (
    CosineParameters,
    cosine,
    decay,
    likeness,
    neighbour_rows,
    popularity,
    with_cold_items,
)
from app.recommend.repurchase import consecutive_orders, repurchase_lift, with_repurchase_lift
from app.recommend.terms import TERMS, Weights, no_shifts
from app.recommend.trees import Trees, no_trees

POPULARITY_HALF_LIFE_DAYS = 60.0
RECENT_HALF_LIFE_DAYS = 14.0
FRESH_HALF_LIFE_DAYS = 30.0
KIND = "product_type:"
MOST_KINDS = 1_000
KIND_POPULARITY = 0.2
DRAWN_TO_MEAN = 5.0
SMALLEST = 1e-9

# Orders of two items or more that a basis needs, most demanding first.
LADDER: tuple[tuple[Basis, int], ...] = (
    ("blend", 500),
    ("neighbours", 50),
)
# The neighbours' lie between plain ones and what many small shops of a grocer's households taught.
DEFAULT_WEIGHTS: dict[Basis, Weights] = {
    "blend": Weights(together=0.8, learned=0.4, repeats=0.6, popular=0.2),
    "neighbours": Weights(
        together=0.4,
        repeats=0.25,
        popular=0.25,
        with_history=0.05,
        bought=0.6,
        twice=0.3,
        rate_lately=0.4,
        same_kind=0.5,
        kind_history=0.3,
        kind_popular=0.45,
    ),
    "popularity": Weights(together=0.25, repeats=0.5, popular=1.0, fresh=0.25),
    "content": Weights(together=1.0, fresh=0.5),
}


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """What the validation period chose, or the defaults when there was none."""

    basis: Basis
    weights: Weights
    cosine: CosineParameters
    shifts: NDArray[np.float64] = field(default_factory=no_shifts)
    new_weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, len(TERMS))))
    trees: Trees = field(default_factory=no_trees)
    strangers_trees: Trees = field(default_factory=no_trees)
    variety: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


def recipe_of(model: Model, cosine: CosineParameters) -> Recipe:
    """Return how the model was made, the co-occurrences counted so."""
    return Recipe(
        model.basis,
        model.weights,
        cosine,
        model.shifts,
        model.new_weights,
        model.trees,
        model.strangers_trees,
        model.variety,
    )


def basis_for(baskets: Baskets) -> Basis:
    """Return the best basis that so many orders can carry."""
    usable = int((baskets.sizes >= 2).sum())
    sold: Basis = "popularity" if len(baskets) else "content"  # orders of one product tell that as well
    return next((basis for basis, fewest in LADDER if usable >= fewest), sold)


def default_recipe(baskets: Baskets) -> Recipe:
    """Return the recipe for a shop whose later orders are too few to choose with."""
    basis = basis_for(baskets)
    return Recipe(
        basis, with_repurchase_lift(DEFAULT_WEIGHTS[basis], repurchase_lift(baskets)), CosineParameters()
    )


def assemble(dataset: Dataset, baskets: Baskets, recipe: Recipe, embeddings: Embeddings) -> Model:
    """Return the model of these baskets, its version still to be given by `publish`."""
    items = dataset.items
    now = int(baskets.times[-1]) if len(baskets) else int(items.created.max(initial=0))
    orders = np.bincount(baskets.items, minlength=len(items)).astype(np.int32)
    neighbours, weights = neighbour_rows(_similar(items, baskets, orders > 0, recipe, now))
    of_kind = kinds(items)
    seen = np.isin(np.arange(len(embeddings.customers)), baskets.customers)
    return Model(
        version="",
        basis=recipe.basis,
        weights=recipe.weights,
        product_ids=items.product_ids,
        orders=orders,
        popularity=popularity(baskets, len(items), now, POPULARITY_HALF_LIFE_DAYS),
        freshness=_freshness(items, now),
        neighbours=neighbours,
        neighbour_weights=weights,
        item_embeddings=embeddings.items,
        item_biases=embeddings.item_biases,
        cart_embeddings=embeddings.carts,
        customer_ids=dataset.customer_ids[: len(seen)][seen],
        customer_embeddings=embeddings.customers[seen],
        recent=popularity(baskets, len(items), now, RECENT_HALF_LIFE_DAYS),
        kinds=of_kind,
        bought_twice=bought_twice(baskets, of_kind),
        shifts=recipe.shifts,
        new_weights=recipe.new_weights,
        rebought=rebought(baskets, len(items)),
        kind_links=kind_links(baskets, of_kind),
        tree_asks=recipe.trees.asks,
        tree_edges=recipe.trees.edges,
        tree_leaves=recipe.trees.leaves,
        stranger_asks=recipe.strangers_trees.asks,
        stranger_edges=recipe.strangers_trees.edges,
        stranger_leaves=recipe.strangers_trees.leaves,
        variety=recipe.variety,
    )


def kinds(items: Items) -> NDArray[np.int32]:
    """Return a number for each product's type, (n,); one without a shared type is a kind of its own."""
    columns = [at for at, name in enumerate(items.feature_names) if name.startswith(KIND)]
    typed = items.features.tocsc()[:, columns].tocoo()
    own = np.arange(len(columns), len(columns) + len(items), dtype=np.int32)
    own[typed.row] = typed.col
    return np.unique(own, return_inverse=True)[1].astype(np.int32)


def rebought(baskets: Baskets, items: int) -> NDArray[np.float32]:
    """Return, of the orders that hold a product, the share whose shopper buys it again the next time, (n,).

    Drawn to the shop's mean as if five orders more had said that.
    """
    _, now, then = consecutive_orders(baskets, items)
    times = np.bincount(now.indices, minlength=items)
    again = np.bincount(now.multiply(then).tocsr().indices, minlength=items)
    usual = again.sum() / max(int(times.sum()), 1)
    return np.asarray((again + DRAWN_TO_MEAN * usual) / (times + DRAWN_TO_MEAN), dtype=np.float32)


def kind_links(baskets: Baskets, of_kind: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return how much kinds go with one another, (kinds, kinds), as `cosine` tells it of products.

    With itself a kind goes as often as orders with one hold a second. None when there are more than 1,000.
    """
    items, count = len(of_kind), int(of_kind.max(initial=-1)) + 1
    if not 1 < count <= MOST_KINDS:
        return np.zeros((0, 0), dtype=np.float32)
    belongs = csr_matrix((np.ones(items), (np.arange(items), of_kind)), shape=(items, count))
    held = (baskets.matrix(items) @ belongs).tocsr()
    one, two = (np.bincount(held.indices, held.data >= least, minlength=count) for least in (1, 2))
    held.data[:] = 1
    weighted = diags(1 / np.sqrt(np.maximum(baskets.sizes, 1))) @ held
    links = (weighted.T @ held).toarray()
    own = np.maximum(links.diagonal().copy(), SMALLEST)
    links /= own[:, None] ** (1 - KIND_POPULARITY) * own**KIND_POPULARITY
    np.fill_diagonal(links, two / np.maximum(one, 1))
    return np.asarray(links, dtype=np.float32)


def bought_twice(baskets: Baskets, of_kind: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return, of the orders that hold one of a product's kind, the share that hold two or more, (n,)."""
    items, count = len(of_kind), int(of_kind.max(initial=-1)) + 1
    belongs = csr_matrix((np.ones(items), (np.arange(items), of_kind)), shape=(items, count))
    held = baskets.matrix(items) @ belongs
    one, two = (np.bincount(held.indices, held.data >= least, minlength=count) for least in (1, 2))
    return np.asarray((two / np.maximum(one, 1))[of_kind], dtype=np.float32)


def _similar(items: Items, baskets: Baskets, sold: NDArray[np.bool_], recipe: Recipe, now: int) -> csr_matrix:
    if recipe.basis in ("content", "popularity"):
        return likeness(items)
    return with_cold_items(cosine(baskets, len(items), now, recipe.cosine), items, sold)


def _freshness(items: Items, now: int) -> NDArray[np.float32]:
    """Return 2^(-age / 30 days) of each product, 0 when nobody knows when it came."""
    ages = np.maximum(now - items.created, 0) / SECONDS_A_DAY
    return np.where(items.created > 0, decay(ages, FRESH_HALF_LIFE_DAYS), 0).astype(np.float32)
