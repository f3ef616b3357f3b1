"""Sample ratio mismatch: whether the arms have the planned share of units. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log

import msgspec
from scipy.special import chdtrc

# An alarm stops every figure, so it must be rarer than one in a thousand experiments.
MISMATCH_BELOW = 0.001
# How near the planned shares the alternative is thought to be: worth so many units of evidence.
_CONCENTRATION = 1_000.0


class Mismatch(msgspec.Struct, frozen=True, tag="mismatch"):
    """The split as planned and as seen. p_value: for one look. always_valid_p: for any number of looks."""

    counts: tuple[int, ...]
    shares: tuple[float, ...]
    p_value: float
    always_valid_p: float

    @property
    def found(self) -> bool:
        """Return whether the split can't be chance, however often it was looked at."""
        return self.always_valid_p < MISMATCH_BELOW


def mismatch(counts: Sequence[int], shares: Sequence[float]) -> Mismatch:
    """Return the split beside the plan. Raises ValueError without units or with a share of nothing."""
    if not sum(counts) or len(counts) != len(shares) or min(shares) <= 0:
        raise ValueError("a split needs units, and a positive share for each arm")
    planned = tuple(share / sum(shares) for share in shares)
    return Mismatch(tuple(counts), planned, check_srm(counts, planned), sequential_srm(counts, planned))


def check_srm(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the chi-squared p-value that units split as planned, for one look.

    counts: units per arm. shares: planned, all > 0, of the same length, summing to one.
    """
    total = sum(counts)
    distance = sum((n - total * p) ** 2 / (total * p) for n, p in zip(counts, shares, strict=True))
    return float(chdtrc(len(counts) - 1, distance))


def sequential_srm(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return a p-value that units split as planned, valid at any time it is looked at.

    Lindon, Malek: Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022: one over the Bayes
    factor against a Dirichlet prior whose mean is the plan.
    """
    prior = [_CONCENTRATION * share for share in shares]
    evidence = lgamma(sum(prior)) - lgamma(sum(prior) + sum(counts))
    for n, share, a in zip(counts, shares, prior, strict=True):
        evidence += lgamma(a + n) - lgamma(a) - n * log(share)
    return exp(min(0.0, -evidence))
