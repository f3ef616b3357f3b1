"""Intervals and p-values that hold however often one looks. Pure.

Asymptotic confidence sequences with Robbins' normal mixture: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas,
Time-uniform central limit theory and asymptotic confidence sequences, Annals of Statistics 2024; for a mean
the same as the mixture sequential probability ratio test (Johari, Koomen, Pekelis, Walsh: Always Valid
Inference, Operations Research 2022). They need no end fixed in advance and no list of looks.
"""

from __future__ import annotations

from math import exp, log, sqrt

from app.experiments.estimates import Effect


def optimal_rho(planned_units: int, alpha: float) -> float:
    """Return rho, which makes the interval narrowest at the planned number of units (their eq. 161).

    It must not depend on the data. A wrong plan costs width, never coverage.
    """
    return sqrt((-2 * log(alpha) + log(1 - 2 * log(alpha))) / planned_units)


def half_width(effect: Effect, rho: float, alpha: float) -> float:
    """Return half the width of the (1 - alpha) interval that holds at all times at once."""
    spread = effect.n * rho**2 + 1
    return sqrt(effect.variance * 2 * spread * log(sqrt(spread) / alpha) / (effect.n * rho**2))


def p_value(effect: Effect, rho: float, against: float = 0.0) -> float:
    """Return a p-value against the true effect being `against`, valid at any time it is looked at.

    effect: with a positive variance.
    """
    spread = effect.n * rho**2 + 1
    z2 = (effect.value - against) ** 2 / effect.variance
    return min(1.0, sqrt(spread) * exp(-z2 * effect.n * rho**2 / (2 * spread)))
