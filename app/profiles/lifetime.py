"""Customer lifetime value: BG/NBD for how often they buy, Gamma-Gamma for how much. Pure.

Fader, Hardie and Lee, "Counting your customers the easy way", Marketing Science 24(2), 2005; Fader and
Hardie, "The Gamma-Gamma model of monetary value", note 025, 2013. Times are days, money minor units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import hyp2f1

from app.profiles.purchases import DAY_S, Purchase

Floats = NDArray[np.float64]
_CLOSE = 1e-6


class BgNbd(msgspec.Struct, frozen=True):
    """BG/NBD: how often a shop's customers buy and how they drop out. All > 0; alpha in days."""

    r: float
    alpha: float
    a: float
    b: float


class GammaGamma(msgspec.Struct, frozen=True):
    """Gamma-Gamma: what their orders are worth. p, v > 0; q > 1; v in minor units."""

    p: float
    q: float
    v: float


class Lifetime(msgspec.Struct, frozen=True):
    """A shop's model of both."""

    pace: BgNbd
    worth: GammaGamma


def expected_orders(pace: BgNbd, repeats: Floats, last: Floats, known: Floats, days: float) -> Floats:
    """Return on how many of the next days a purchase is expected, float64, one a customer.

    repeats: days with a purchase after the first. last: days from the first to the last. known: days
    from the first to now. The paper's formula after Euler's transformation of its hypergeometric
    function, which keeps it from overflowing for a customer with hundreds of orders.
    """
    r, alpha, b = pace.r, pace.alpha, pace.b
    # The formula has a removable pole at a = 1.
    a = pace.a if abs(pace.a - 1) > _CLOSE else 1 + _CLOSE
    z = days / (alpha + known + days)
    still = (1 - z) ** (a - 1) * _hyp2f1(a + b - 1 - r, a - 1, a + b + repeats - 1, z)
    orders = (a + b + repeats - 1) / (a - 1) * (1 - still)
    expected: Floats = orders * probability_alive(pace, repeats, last, known)
    return expected


def probability_alive(pace: BgNbd, repeats: Floats, last: Floats, known: Floats) -> Floats:
    """Return the probability that a customer has not left for good, float64 from 0 to 1.

    Who never came back can't have left by the model, which lets them leave after a repeat only.
    """
    gone = pace.a / np.maximum(pace.b + repeats - 1, _CLOSE)
    log_odds = np.log(gone) + (pace.r + repeats) * np.log((pace.alpha + known) / (pace.alpha + last))
    alive: Floats = np.where(repeats > 0, 1 / (1 + np.exp(np.minimum(log_odds, 700))), 1.0)
    return alive


def expected_value(worth: GammaGamma, orders: Floats, mean_minor: Floats) -> Floats:
    """Return what a customer's next purchase is expected to be worth, minor units.

    orders: days on which something was paid; mean_minor: what, on average. Between the customer's
    own mean and the shop's, the nearer to their own the more orders there are.
    """
    value: Floats = worth.p * (worth.v + orders * mean_minor) / (worth.p * orders + worth.q - 1)
    return value


def expected_spend(lifetime: Lifetime, history: Sequence[Purchase], now: int, days: float) -> int:
    """Return what one customer is expected to spend in the next days, minor units; 0 for a stranger."""
    bought = [each for each in history if each.counts]
    if not bought:
        return 0
    paid = Counter[int]()
    for each in bought:
        paid[min(each.placed_at, now) // DAY_S] += each.net_minor
    worth = [amount for amount in paid.values() if amount > 0]
    seen = sorted(paid)
    repeats, last, known = (
        np.array([float(each)]) for each in (len(seen) - 1, seen[-1] - seen[0], now // DAY_S - seen[0])
    )
    orders = expected_orders(lifetime.pace, repeats, last, known, days)
    mean = sum(worth) / max(len(worth), 1)
    value = expected_value(lifetime.worth, np.array([float(len(worth))]), np.array([mean]))
    return round(float(orders[0] * value[0]))


def _hyp2f1(a: float, b: float, c: Floats, z: Floats) -> Floats:
    """Return Gauss's function for 0 <= z < 1.

    scipy's is not finite where a, b and c are whole and c is large: there the series itself is summed.
    """
    values: Floats = hyp2f1(a, b, c, z)
    for at in np.flatnonzero(~np.isfinite(values)):
        values[at] = _series(a, b, float(c[at]), float(z[at]))
    return values


def _series(a: float, b: float, c: float, z: float) -> float:
    total, term, n = 1.0, 1.0, 0
    while abs(term) > 1e-15 * abs(total) and n < 100_000:
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total += term
        n += 1
    return total
