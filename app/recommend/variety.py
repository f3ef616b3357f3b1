"""How much a second product of a kind is held back: of one in the cart, and of one already on the list. Pure.

A ranking by probability alone shows more of the cart's own kinds than people buy with it: these few are each
likelier than any of the many complements. Steck, Calibrated Recommendations (2018), sees it so.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.recommend.pull import Doubles, Positions

Kinds = NDArray[np.int32]


class Variety(NamedTuple):
    """What is taken off a score, in log odds. in_cart: off a product whose kind is in the cart.

    again: off each further product of a kind, for every one of it that stands before.
    """

    in_cart: float
    again: float


def held_back(scores: Doubles, kinds: Kinds, in_cart: NDArray[np.bool_], variety: Variety) -> Doubles:
    """Return the scores less what is taken off, so that the highest is always the next best choice.

    in_cart: whether a product's kind is in the cart.
    """
    less = scores - variety.in_cart * in_cart
    return np.asarray(less - variety.again * _before(less, kinds)) if variety.again else less


def _before(scores: Doubles, kinds: Kinds) -> Positions:
    """Return how many of each product's kind score higher, equal ones by position.

    Within a kind products are chosen from the highest score down, so that this is how many were chosen.
    """
    order = np.lexsort((-scores, kinds))
    of_kind, places = kinds.take(order), np.arange(len(order))
    starts = places.copy()
    starts[1:][of_kind[1:] == of_kind[:-1]] = 0
    before = np.empty(len(order), dtype=np.intp)
    before[order] = places - np.maximum.accumulate(starts)
    return before
