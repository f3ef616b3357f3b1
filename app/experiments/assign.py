"""Who sees which arm: by a hash, so that the same unit is in the same arm on every server. Pure.

extensions/checkout-offers/src/bucket.ts does the same in a browser; both are held to the same cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

HOLDOUT = "holdout"
PERSONALISED = "personalised"
STATIC = "static"
HOLDOUT_SHARE = 0.05
STATIC_SHARE = 0.05
STANDING = "standing"


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm and the share of the experiment's units that see it, in [0, 1].

    changes: a merge patch over the shop's settings, see `app.experiments.patch`.
    """

    name: str
    share: float
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Experiment:
    """Arms whose shares sum to one. salt: a new one shuffles all units anew.

    ramp: the share of units that are in it at all, drawn by another hash than the arms: a larger one only
    adds units. id, version: what a decision is counted under; the standing one's version is its shares.
    """

    salt: str
    arms: tuple[Arm, ...]
    ramp: float = 1.0
    id: str = STANDING
    version: str = ""

    def share(self, arm: str) -> float:
        """Return the arm's share, which is the propensity of a unit of the experiment to be in it."""
        return sum(each.share for each in self.arms if each.name == arm)


class Assignment(NamedTuple):
    """A unit's place in one experiment. share: how likely it was to be there."""

    experiment_id: str
    version: str
    arm: str
    share: float


def experiment(salt: str, weights: Mapping[str, float]) -> Experiment:
    """Return the experiment with these relative weights. Raises ValueError unless some is positive.

    Arms stand in the order of their names, so that the order of a setting moves nobody.
    """
    arms = with_normalised_shares(weights)
    return Experiment(salt, arms, version=" ".join(f"{arm.name}={arm.share:.4g}" for arm in arms))


def with_normalised_shares(weights: Mapping[str, float]) -> tuple[Arm, ...]:
    """Return the arms with shares that sum to one. Raises ValueError unless some weight is positive."""
    total = sum(weights.values())
    if not weights or min(weights.values()) < 0 or not 0 < total < float("inf"):
        raise ValueError(f"weights must be positive numbers: {dict(weights)}")
    return tuple(Arm(name, weight / total) for name, weight in sorted(weights.items()) if weight)


def default_experiment(salt: str, holdout: float = HOLDOUT_SHARE, static: float = STATIC_SHARE) -> Experiment:
    """Return the standing experiment: personalised, the defaults for a few, nothing for the holdout."""
    return experiment(salt, {HOLDOUT: holdout, PERSONALISED: 1 - holdout - static, STATIC: static})


def standing_experiment(shop: str, settings: Mapping[str, Any]) -> Experiment:
    """Return the merchant's split; the default one where the setting is absent or unusable."""
    try:
        return experiment(shop, msgspec.convert(settings["arms"], dict[str, float]))
    except (KeyError, ValueError):
        return default_experiment(shop)


def holdout_share(of: Experiment) -> float:
    """Return the share of units that are shown nothing, 0 where everybody is."""
    return sum(arm.share for arm in of.arms if arm.name == HOLDOUT)


def bucket(salt: str, unit: str) -> float:
    """Return where the unit falls in [0, 1): uniform over units, unrelated between salts."""
    digest = blake2b(f"{salt}\0{unit}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def pseudonym(shop: str, unit: str) -> str:
    """Return what the unit is called where its exposures are kept: tells units apart, and no more."""
    return blake2b(f"{shop}\0{unit}".encode(), digest_size=8).hexdigest()


def assign(of: Experiment, unit: str) -> str:
    """Return the unit's arm, whether or not the ramp has reached it."""
    return _arm_at(of.arms, bucket(of.salt, unit)).name


def in_ramp(of: Experiment, unit: str) -> bool:
    """Return whether the ramp has reached the unit."""
    return of.ramp >= 1 or bucket(f"{of.salt} ramp", unit) < of.ramp


def assignments_of(standing: Experiment, others: Iterable[Experiment], unit: str) -> tuple[Assignment, ...]:
    """Return the unit's place in the standing experiment, then in each other that it takes part in.

    Only who is served personally takes part: the standing holdout is left alone by every experiment.
    """
    first = _placed(standing, unit)
    if first.arm != PERSONALISED:
        return (first,)
    entered = [each for each in others if in_ramp(each, unit)]
    return (first, *(_placed(each, unit) for each in entered))


def _placed(of: Experiment, unit: str) -> Assignment:
    arm = _arm_at(of.arms, bucket(of.salt, unit))
    return Assignment(of.id, of.version, arm.name, arm.share)


def _arm_at(arms: Sequence[Arm], point: float) -> Arm:
    for arm in arms:
        if point < arm.share:
            return arm
        point -= arm.share
    return arms[-1]  # rounding left a sliver above the last share
