"""How a sale is shared among the offers before it: four models, whose weights always sum to 1. Pure.

No model of these says what an offer caused: a shopper who would have bought anyway is credited like any
other. What was caused is told by the holdout alone, which is why both stand side by side wherever they are
shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

Model = Literal["last_touch", "linear", "time_decay", "position"]

HALF_LIFE_DAYS = 2.0  # an offer this much older counts for half
ENDS = 0.4  # what the first and the last offer have each, where there are others between them

Ages = Sequence[float]


def last_touch(ages: Ages) -> list[float]:
    """Return all for the latest; where several are, all for the one that stands last."""
    return [0.0] * (len(ages) - 1) + [1.0]


def linear(ages: Ages) -> list[float]:
    """Return the same for each."""
    return [1 / len(ages)] * len(ages)


def time_decay(ages: Ages) -> list[float]:
    """Return half as much for each HALF_LIFE_DAYS of age."""
    youngest = min(ages)  # from the youngest on, so that old offers do not all round to nothing
    weights = [0.5 ** ((age - youngest) / HALF_LIFE_DAYS) for age in ages]
    total = sum(weights)
    return [weight / total for weight in weights]


def position(ages: Ages) -> list[float]:
    """Return ENDS for the first and the last, the rest for those between; halves where there are two."""
    if len(ages) < 3:
        return linear(ages)
    between = (1 - 2 * ENDS) / (len(ages) - 2)
    return [ENDS, *[between] * (len(ages) - 2), ENDS]


MODELS: Mapping[Model, Callable[[Ages], list[float]]] = {
    "last_touch": last_touch,
    "linear": linear,
    "time_decay": time_decay,
    "position": position,
}


def weights(model: Model, ages: Ages) -> list[float]:
    """Return each touch's share of a sale. ages: days before the order, the oldest first; at least one."""
    if not ages:
        raise ValueError("a sale without a touch has nobody to share it among")
    return MODELS[model](ages)
