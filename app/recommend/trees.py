"""What weights alone can't say: small trees over the terms of a score, added to it. Pure.

Each tree asks the same few questions of every product ("bought before?", "does its kind go with the cart?"),
one a level (Prokhorenkova et al., CatBoost, 2018): so all trees answer for all products in few passes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DEPTH = 4
_POWERS = (1 << np.arange(DEPTH - 1, -1, -1)).astype(np.int8)[:, None]


class Trees(NamedTuple):
    """T trees of DEPTH questions. asks: (T, DEPTH) int32, which row of what is told a level looks at.

    edges: (T, DEPTH) float32, above which the answer is yes. leaves: (T, 2^DEPTH) float32 log odds.
    """

    asks: NDArray[np.int32]
    edges: NDArray[np.float32]
    leaves: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.asks)


def no_trees() -> Trees:
    """Return trees that say nothing."""
    nothing = np.zeros((0, DEPTH), dtype=np.float32)
    return Trees(nothing.astype(np.int32), nothing, np.zeros((0, 1 << DEPTH), dtype=np.float32))


def corrections(trees: Trees, told: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what the trees add to each product's score, (r,). told: (f, r), see `place.told`."""
    beyond = told[trees.asks] > trees.edges[:, :, None]
    leaf = (beyond * _POWERS).sum(axis=1, dtype=np.intp)
    return np.asarray(np.take_along_axis(trees.leaves, leaf, axis=1).sum(axis=0, dtype=np.float64))
