"""Whose exposures they are: names that met in one decision belong to one person. Pure.

A visitor who signs in halfway is first assigned by their browser and then as a customer, perhaps to another
arm. They are one person, analysed in the arm of their first exposure: that one was drawn by chance, and
what followed, the second arm too, is what came of it. It makes an effect smaller, and none out of nothing
as long as no arm changes who is recognised, which is tested (`Reading.recognised`).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_NAMES = ("unit", "customer_id", "checkout_token")


def persons(exposures: pl.DataFrame) -> NDArray[np.int64]:
    """Return each exposure's person, shape (n,), numbered from 0 by their first exposure.

    exposures: of the columns `records.EXPOSURES`, the first one first.
    """
    if exposures.is_empty():
        return np.zeros(0, dtype=np.int64)
    codes, nodes = _numbered(exposures)
    units = codes["unit"]
    met = [(units[known], codes[name][known]) for name in _NAMES[1:] for known in [codes[name] >= 0]]
    one, other = (np.concatenate(side) for side in zip(*met, strict=True))
    graph = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    return _by_first(component[units])


def _numbered(exposures: pl.DataFrame) -> tuple[dict[str, NDArray[np.int64]], int]:
    """Return a number for each name, -1 for none, no two of different kinds alike; and how many."""
    codes, so_far = {}, 0
    for name in _NAMES:
        ranks = exposures[name].rank("dense").cast(pl.Int64)
        codes[name] = (ranks + (so_far - 1)).fill_null(-1).to_numpy()
        most = ranks.max()
        so_far += most if isinstance(most, int) else 0
    return codes, so_far


def _by_first(of: NDArray[np.int32]) -> NDArray[np.int64]:
    _, first, which = np.unique(of, return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    return number[which]
