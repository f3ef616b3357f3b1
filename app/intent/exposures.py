"""A campaign's exposures as columns. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from app.intent.fitting import Flags, Floats


@dataclass(frozen=True, slots=True)
class Exposures:
    """One campaign's exposures by chance, oldest first; those whose time is not over are not among them.

    features: float64 of shape (exposures, FEATURES). shown: whether the coupon was. propensity: how likely
    it was to be. bought: whether an order followed in time.
    """

    features: Floats
    shown: Flags
    propensity: Floats
    bought: Flags

    def __len__(self) -> int:
        return len(self.shown)

    def where(self, kept: Flags) -> Exposures:
        """Return the exposures that are kept."""
        return Exposures(self.features[kept], self.shown[kept], self.propensity[kept], self.bought[kept])
