"""Shares with their uncertainty. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054  # 95 %, two-sided


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of how many. low, high: Wilson's 95 % interval (JASA 1927), all of [0, 1] for none."""

    happened: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """Return the share, None of none."""
        return self.happened / self.of if self.of else None


def rate(happened: int, of: int) -> Rate:
    """Return the rate with its interval. Raises ValueError unless 0 <= happened <= of."""
    if not 0 <= happened <= of:
        raise ValueError(f"{happened} of {of}")
    if not of:
        return Rate(0, 0, 0.0, 1.0)
    share, z2 = happened / of, Z * Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    reach = Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    # At the ends rounding must not leave the truth outside.
    low = 0.0 if happened == 0 else max(middle - reach, 0.0)
    return Rate(happened, of, low, 1.0 if happened == of else min(middle + reach, 1.0))
