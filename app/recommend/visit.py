"""A shopper with a cart, as the arrays of a model see them."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.recommend.pull import Doubles, Positions, Pull


class Visit(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A shopper as the arrays see them.

    cart, history: positions in the catalogue. bought: (7, history) terms of what was bought before.
    together, with_history: the pull of the cart and of the history. repeats: how often each product was
    bought, lately more so. tastes: (2, d) float32, what the cart and what the customer id say.
    kinds: (2, kinds) of each kind, how many the cart holds, 2 at most, and the root of its share of the past.
    learned_mean, learned_scale: of the learned scores over the whole catalogue, and 1 / their deviation.
    circumstances: (3,) what shifts the weights.
    """

    cart: Positions
    history: Positions
    bought: Doubles
    together: Pull
    with_history: Pull
    repeats: Pull
    tastes: NDArray[np.float32]
    kinds: Doubles
    learned_mean: float
    learned_scale: float
    circumstances: Doubles
