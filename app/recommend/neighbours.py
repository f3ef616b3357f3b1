"""What goes with what: co-occurrence in orders, likeness of product data, popularity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, vstack

from app.recommend.dataset import Baskets, Items

MOST_NEIGHBOURS = 200
ALIKE = 10
ENTRIES_AT_ONCE = 8_000_000  # 64 MB


@dataclass(frozen=True, slots=True)
class CosineParameters:
    """How co-occurrences are weighted.

    size_power: a basket of n items counts 1 / n^size_power. popularity_power: how much an item's own
    frequency holds it back as a recommendation, in [0, 1]. half_life_days: None = age does not count.
    """

    size_power: float = 0.5
    popularity_power: float = 0.2
    half_life_days: float | None = None


def decay(ages_days: NDArray[np.float64], half_life_days: float | None) -> NDArray[np.float64]:
    """Return 2^(-age / half-life), 1 when age does not count."""
    if half_life_days is None:
        return np.ones(len(ages_days))
    return np.exp2(-ages_days / half_life_days)


def popularity(baskets: Baskets, items: int, now: int, half_life_days: float | None) -> NDArray[np.float32]:
    """Return the time-decayed number of orders that hold each item, shape (items,)."""
    weights = np.repeat(decay(baskets.ages_days(now), half_life_days), baskets.sizes)
    return np.bincount(baskets.items, weights, minlength=items).astype(np.float32)


def cosine(baskets: Baskets, items: int, now: int, parameters: CosineParameters) -> csr_matrix:
    """Return S (items, items), S_ij = sum of w / (d_i^(1-a) * d_j^a), the best 200 a row, no diagonal.

    w is the weight of an order that holds i (in the cart) and j (recommended), d the summed weight of
    an item's orders, a the popularity power.
    """
    sizes = np.maximum(baskets.sizes, 1).astype(np.float64)
    age_weights = decay(baskets.ages_days(now), parameters.half_life_days)
    root = np.sqrt(age_weights / sizes**parameters.size_power)
    weighted = baskets.matrix(items, root)
    degrees = np.asarray(weighted.power(2).sum(axis=0)).ravel()
    inverse = np.where(degrees > 0, 1 / np.maximum(degrees, 1e-12), 0.0)
    left = diags(inverse ** (1 - parameters.popularity_power)) @ weighted.T
    right = (weighted @ diags(inverse**parameters.popularity_power)).tocsr()
    return best_a_row(left.tocsr(), right, np.arange(items))


def likeness(items: Items) -> csr_matrix:
    """Return the cosine of the items' metadata, rarer features counting more, the best 200 a row."""
    unit = _described(items)
    return best_a_row(unit, unit.T.tocsr(), np.arange(len(items)))


def stand_ins(items: Items, known: NDArray[np.bool_]) -> csr_matrix:
    """Return for each item that is not known the 10 known ones most like it, weights summing to one a row.

    Rows of known items are empty, and those of items like none.
    """
    unit, others = _described(items), np.flatnonzero(~known)
    right = (diags(known.astype(np.float64)) @ unit).T.tocsr()
    alike = best_a_row(unit[others], right, others, ALIKE)
    sizes = np.diff(alike.indptr)
    weights = np.repeat(1 / np.maximum(sizes, 1), sizes)
    return csr_matrix((weights, (np.repeat(others, sizes), alike.indices)), shape=(len(items), len(items)))


def _described(items: Items) -> csr_matrix:
    """Return the items' features, rarer ones weighing more, each row of length one, (n, f)."""
    frequency = np.asarray(items.features.sum(axis=0)).ravel()
    rarity = np.log1p(len(items) / np.maximum(frequency, 1))
    weighted = (items.features @ diags(rarity)).tocsr().astype(np.float64)
    lengths = np.sqrt(np.asarray(weighted.power(2).sum(axis=1)).ravel())
    return (diags(np.where(lengths > 0, 1 / np.maximum(lengths, 1e-12), 0.0)) @ weighted).tocsr()


def with_cold_items(similar: csr_matrix, items: Items, sold: NDArray[np.bool_]) -> csr_matrix:
    """Return the neighbours with never sold items among them, the best 200 a row.

    A never sold item stands for the mean of the 10 sold items most like it, as row and as column.
    """
    if sold.all() or not sold.any() or not items.features.nnz:
        return similar
    stand_in = (diags(sold.astype(np.float64)) + stand_ins(items, sold)).tocsr()
    return best_a_row((stand_in @ similar).tocsr(), stand_in.T.tocsr(), np.arange(len(items)))


def best_a_row(
    left: csr_matrix, right: csr_matrix, own: NDArray[np.intp], most: int = MOST_NEIGHBOURS
) -> csr_matrix:
    """Return left @ right, only the highest positive values of each row and never its own column."""
    rows = max(1, ENTRIES_AT_ONCE // max(right.shape[1], 1))
    blocks = [
        _best(left[start : start + rows] @ right, own[start : start + rows], most)
        for start in range(0, left.shape[0], rows)
    ]
    return vstack(blocks, format="csr") if blocks else csr_matrix((0, right.shape[1]))


def neighbour_rows(similar: csr_matrix) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return positions and weights, (n, m) each, best first; short rows end in themselves at weight 0."""
    sizes = np.diff(similar.indptr)
    count, width = similar.shape[0], max(int(sizes.max(initial=0)), 1)
    rows = np.repeat(np.arange(count), sizes)
    order = np.lexsort((similar.indices, -similar.data, rows))
    place = np.arange(len(order)) - np.repeat(similar.indptr[:-1], sizes)
    neighbours = np.repeat(np.arange(count, dtype=np.int32)[:, None], width, axis=1)
    weights = np.zeros((count, width), dtype=np.float32)
    neighbours[rows, place] = similar.indices[order]
    weights[rows, place] = similar.data[order]
    return neighbours, weights


def _best(block: csr_matrix, own: NDArray[np.intp], most: int) -> csr_matrix:
    values = block.toarray()
    values[np.arange(len(values)), own] = 0
    if values.shape[1] > most:
        columns = np.argpartition(-values, most - 1, axis=1)[:, :most]
    else:
        columns = np.tile(np.arange(values.shape[1]), (len(values), 1))
    values = np.take_along_axis(values, columns, axis=1)
    rows, places = np.nonzero(values > 0)
    return csr_matrix((values[rows, places], (rows, columns[rows, places])), shape=block.shape)
