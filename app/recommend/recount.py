"""Brings a model up to the latest orders and products without training. Pure.

Neighbours, best sellers and what is new are counted again; weights and embeddings stay as they were
learnt. A product that came since is placed where the ten most like it are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from app.recommend.appeal import appeal_of
from app.recommend.assemble import Recipe, assemble, basis_for, default_recipe, recipe_of
from app.recommend.card import Card
from app.recommend.dataset import Dataset
from app.recommend.fit import Embeddings, no_embeddings
from app.recommend.model import Model
from app.recommend.neighbours import CosineParameters, stand_ins

Floats = NDArray[np.float32]


def recounted(model: Model, card: Card, dataset: Dataset) -> Model:
    """Return the model as of the data set's last order; `publish_successor` gives it its version."""
    recipe = _recipe(model, card, dataset)
    fresh = assemble(dataset, dataset.baskets, recipe, _embeddings(model, dataset))
    return replace(fresh, appeal=appeal_of(model, fresh.product_ids))


def _recipe(model: Model, card: Card, dataset: Dataset) -> Recipe:
    """Return how the model was made; the default for a shop that outgrew a basis which learns nothing."""
    basis = basis_for(dataset.baskets)
    if model.basis in ("content", "popularity") and basis != "blend":
        return default_recipe(dataset.baskets)
    return recipe_of(model, _cosine(card))


def _cosine(card: Card) -> CosineParameters:
    usual = CosineParameters()
    said = card.parameters
    half_life = said.get("half_life_days", usual.half_life_days)
    return CosineParameters(
        float(said.get("size_power") or usual.size_power),
        float(said.get("popularity_power") or usual.popularity_power),
        None if half_life is None else float(half_life),
    )


def _embeddings(model: Model, dataset: Dataset) -> Embeddings:
    items = dataset.items
    if not model.item_embeddings.shape[1]:
        return no_embeddings(len(items))
    at, known = aligned(model.product_ids, items.product_ids)
    learnt = np.column_stack([model.item_embeddings, model.item_biases])[at]
    vectors = _placed(learnt, known, stand_ins(items, known))
    carts = np.where(known[:, None], model.cart_embeddings[at], 0).astype(np.float32)
    who, there = aligned(model.customer_ids, dataset.customer_ids)
    tastes = (
        model.customer_embeddings[who]
        if len(model.customer_ids)
        else np.zeros((len(who), vectors.shape[1] - 1))
    )
    customers = np.where(there[:, None], tastes, 0).astype(np.float32)
    return Embeddings(vectors[:, :-1].copy(), vectors[:, -1].copy(), carts, customers)


def aligned(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the position of each wanted id among ascending ids, and whether it is one of them."""
    if not len(ids):
        return np.zeros(len(wanted), dtype=np.intp), np.zeros(len(wanted), dtype=np.bool_)
    at = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return at, ids[at] == wanted


def _placed(vectors: Floats, known: NDArray[np.bool_], alike: csr_matrix) -> Floats:
    """Return the vectors, those of new products the mean of the known ones like them."""
    present = np.where(known[:, None], vectors, 0)
    return np.where(known[:, None], vectors, alike @ present).astype(np.float32)
