"""Who sees which arm: by a hash, so that the same unit is in the same arm on every server. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

HOLDOUT = "holdout"
PERSONALISED = "personalised"
STATIC = "static"
HOLDOUT_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm and the share of units that see it, in [0, 1]."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Experiment:
    """Arms whose shares sum to one. salt: a new one shuffles all units anew."""

    salt: str
    arms: tuple[Arm, ...]

    def share(self, arm: str) -> float:
        """Return the arm's share, which is the propensity of a unit to be in it."""
        return sum(each.share for each in self.arms if each.name == arm)


def experiment(salt: str, weights: Mapping[str, float]) -> Experiment:
    """Return the experiment with these relative weights. Raises ValueError unless some is positive.

    Arms stand in the order of their names, so that the order of a setting moves nobody.
    """
    total = sum(weights.values())
    if not weights or min(weights.values()) < 0 or total <= 0:
        raise ValueError(f"weights must be positive numbers: {dict(weights)}")
    arms = (Arm(name, weight / total) for name, weight in sorted(weights.items()) if weight)
    return Experiment(salt, tuple(arms))


def default_experiment(salt: str, holdout: float = HOLDOUT_SHARE) -> Experiment:
    """Return the personalised arm for all but the holdout."""
    return experiment(salt, {HOLDOUT: holdout, PERSONALISED: 1 - holdout})


def bucket(salt: str, unit: str) -> float:
    """Return where the unit falls in [0, 1): uniform over units, unrelated between salts."""
    digest = blake2b(f"{salt}\0{unit}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def assign(of: Experiment, unit: str) -> str:
    """Return the unit's arm."""
    return _arm_at(of.arms, bucket(of.salt, unit))


def _arm_at(arms: Sequence[Arm], point: float) -> str:
    for arm in arms:
        if point < arm.share:
            return arm.name
        point -= arm.share
    return arms[-1].name  # rounding left a sliver above the last share
