"""How strongly products are pulled by what a shopper has, as z-scores over the whole catalogue. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Positions = NDArray[np.intp]

NOTHING = 1e-9


class Pull(NamedTuple):
    """How strongly each product is pulled, (n,), and what makes it a z-score. scale: 0 when all are equal."""

    values: Doubles
    mean: float
    scale: float

    def at(self, positions: Positions) -> Doubles:
        """Return the z-scores there."""
        return (self.values.take(positions) - self.mean) * self.scale

    def of(self, position: int) -> float:
        """Return the z-score there."""
        value: float = self.values.item(position)
        return (value - self.mean) * self.scale


def pull(values: Doubles) -> Pull:
    """Return the values with their mean and 1 / their deviation."""
    mean = float(values.sum()) / max(len(values), 1)
    variance = float(values @ values) / max(len(values), 1) - mean * mean
    return Pull(values, mean, variance**-0.5 if variance > NOTHING else 0.0)
