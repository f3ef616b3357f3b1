"""What weights alone can't say: small trees over the terms of a score, added to it. Pure.

Each tree asks the same few questions of every product ("bought before?", "does its kind go with the cart?"),
one a level (Prokhorenkova et al., CatBoost, 2018): so all trees answer for all products in few passes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DEPTH = 4
TWO = np.uint8(2)  # of the same width, so that no array is widened


class Trees(NamedTuple):
    """T trees of DEPTH questions. asks: (T, DEPTH) int32, which feature a level asks about.

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


def corrections(trees: Trees, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what the trees add to each product's score, (r,). features: (f, r), see `tree_features`."""
    # Level by level, so that each is read in one piece.
    yes = (features.take(trees.asks.T, axis=0) > trees.edges.T[:, :, None]).view(np.uint8)
    leaf = yes[0]
    for level in range(1, DEPTH):
        leaf = leaf * TWO + yes[level]
    first = np.arange(0, trees.leaves.size, 1 << DEPTH)[:, None]
    return np.asarray(trees.leaves.ravel().take(leaf + first).sum(axis=0, dtype=np.float64))
