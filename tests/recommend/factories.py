"""Small models for the tests of this area; each test varies only what matters to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.recommend.model import Model, Weights


def a_model(items: int = 4, dimensions: int = 0, **changes: Any) -> Model:
    """Return a model of products 10, 20, 30 … in which nothing goes with anything yet."""
    fields: dict[str, Any] = {
        "version": "v1",
        "basis": "neighbours",
        "weights": Weights(),
        "product_ids": np.arange(1, items + 1, dtype=np.int64) * 10,
        "orders": np.ones(items, dtype=np.int32),
        "popularity": np.ones(items, dtype=np.float32),
        "freshness": np.zeros(items, dtype=np.float32),
        "neighbours": np.arange(items, dtype=np.int32)[:, None],
        "neighbour_weights": np.zeros((items, 1), dtype=np.float32),
        "item_embeddings": np.zeros((items, dimensions), dtype=np.float32),
        "item_biases": np.zeros(items, dtype=np.float32),
        "cart_embeddings": np.zeros((items, dimensions), dtype=np.float32),
        "customer_ids": np.zeros(0, dtype=np.int64),
        "customer_embeddings": np.zeros((0, dimensions), dtype=np.float32),
    }
    return Model(**(fields | changes))


def linked(items: int, links: dict[tuple[int, int], float]) -> dict[str, Any]:
    """Return the neighbour arrays of {(row, item): weight}, positions counted from 0."""
    neighbours = np.repeat(np.arange(items, dtype=np.int32)[:, None], items, axis=1)
    weights = np.zeros((items, items), dtype=np.float32)
    for (row, item), weight in links.items():
        neighbours[row, item] = item
        weights[row, item] = weight
    return {"neighbours": neighbours, "neighbour_weights": weights}
