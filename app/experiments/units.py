"""What each unit of an experiment did within its window, as aligned arrays. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The units as aligned arrays, one entry each, float64 but for `arm`.

    arm: int64, the place of its arm in the experiment. orders: of goods, that stand. bought: 1 with any order
    that stands, of gift cards alone too. revenue: minor units of goods, after discounts, refunds and
    cancellations. profit: revenue less what the goods cost, NaN where a cost is not known. given_back: orders
    that were cancelled or refunded in any part. placed: orders that stand or not. accepted: 1 with any offer
    accepted. before: revenue of the time before the first exposure.
    """

    arm: NDArray[np.int64]
    bought: Floats
    orders: Floats
    revenue: Floats
    profit: Floats
    placed: Floats
    given_back: Floats
    accepted: Floats
    before: Floats

    def __len__(self) -> int:
        return len(self.arm)

    def counts(self, arms: int) -> list[int]:
        """Return how many units each of the arms has."""
        return [int(n) for n in np.bincount(self.arm, minlength=arms)]


def winsorise(values: Floats, quantile: float) -> tuple[Floats, float]:
    """Return the values winsorised and the cap: none is further from zero than the cap.

    quantile: of the sizes of all values that are not zero, of all arms together, so that the cap can't
    favour an arm; 1 caps nothing. Values are NaN or finite.
    """
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    if quantile >= 1 or not len(sizes):
        return values, float(sizes.max(initial=0))
    cap = float(np.quantile(sizes, quantile, method="lower"))
    return np.clip(values, -cap, cap), cap


def winsorised(units: Units, quantile: float) -> Units:
    """Return the units with revenue, profit and the spend before capped, each at its own quantile."""
    return replace(
        units,
        revenue=winsorise(units.revenue, quantile)[0],
        profit=winsorise(units.profit, quantile)[0],
        before=winsorise(units.before, quantile)[0],
    )
