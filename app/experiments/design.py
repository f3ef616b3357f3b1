"""An experiment as a merchant writes it down before it starts, and as it assigns. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

import msgspec

from app.errors import InputError
from app.experiments.analysis import AnalysisPlan
from app.experiments.assign import STANDING, Arm, Experiment
from app.experiments.metrics import METRICS
from app.experiments.patch import check_changes
from app.refused_field import refused_field

MOST_ARMS = 6
LONGEST_WINDOW_DAYS = 90
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)


class ArmDesign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An arm. weight: relative to the others'. changes: a merge patch over the shop's settings."""

    name: str
    weight: float = 1.0
    changes: dict[str, Any] = {}


class Design(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is tried and how it is judged, fixed before it starts.

    control: the arm that the others are compared with. metric: the one that decides. window_days: how long
    after its first exposure what a unit does counts. before_days: how far back its earlier spend is read.
    """

    id: str
    arms: tuple[ArmDesign, ...]
    control: str
    says: str = ""
    metric: str = "revenue"
    window_days: int = 14
    before_days: int = 180
    alpha: float = 0.05
    planned_units: int = 10_000
    winsor: float = 0.99

    @property
    def shares(self) -> dict[str, float]:
        """Return each arm's share, in the order of their names."""
        total = sum(arm.weight for arm in self.arms)
        return {arm.name: arm.weight / total for arm in sorted(self.arms, key=lambda each: each.name)}

    @property
    def plan(self) -> AnalysisPlan:
        """Return how it is analysed."""
        return AnalysisPlan(
            arms=tuple(self.shares),
            shares=tuple(self.shares.values()),
            control=self.control,
            primary=self.metric,
            alpha=self.alpha,
            planned_units=self.planned_units,
            winsor=self.winsor,
        )


# How the standing experiment is judged: by what nothing at all would have earned.
STANDING_CONTROLS = ("holdout", "static", "none")


def read_design(given: object) -> Design:
    """Return the design. Raises InputError naming the field and what to do."""
    try:
        design = msgspec.convert(given, Design)
    except msgspec.ValidationError as error:
        raise InputError(str(error), refused_field(error)) from None
    _check_arms(design)
    _check_terms(design)
    return design


def experiment_of(shop: str, design: Design, version: int, ramp: float) -> Experiment:
    """Return how the version assigns: with its own salt, so that what one did is spread over the next."""
    changes = {arm.name: arm.changes for arm in design.arms}
    arms = tuple(Arm(name, share, changes[name]) for name, share in design.shares.items())
    return Experiment(f"{shop} {design.id} {version}", arms, ramp, design.id, str(version))


def standing_design(version: str) -> Design:
    """Return how the standing experiment of these shares (`holdout=0.05 …`) is analysed.

    Raises InputError for shares that leave nobody to compare with.
    """
    try:
        weights = {name: float(share) for name, share in (each.split("=") for each in version.split())}
    except ValueError:
        raise InputError(f"{version!r} are no shares of the standing experiment", "version") from None
    control = next((name for name in STANDING_CONTROLS if name in weights), "")
    if len(weights) < 2 or not control:
        raise InputError("everybody is served alike, so there is nobody to compare with", "arms")
    arms = tuple(ArmDesign(name, weight) for name, weight in weights.items())
    return Design(id=STANDING, arms=arms, control=control)


def _check_arms(design: Design) -> None:
    if not _WORD.fullmatch(design.id) or design.id == STANDING:
        raise InputError("id takes a to z, 0 to 9, _ and -, at most 40, and not `standing`", "id")
    names = [arm.name for arm in design.arms]
    if not 2 <= len(names) <= MOST_ARMS or len(set(names)) < len(names):
        raise InputError(f"arms: 2 to {MOST_ARMS} with names of their own", "arms")
    if design.control not in names:
        raise InputError(f"control {design.control!r} is none of the arms", "control")
    for place, arm in enumerate(design.arms):
        if not _WORD.fullmatch(arm.name):
            raise InputError(f"arms[{place}].name takes a to z, 0 to 9, _ and -", f"arms[{place}].name")
        if not (isfinite(arm.weight) and arm.weight > 0):
            raise InputError(f"arms[{place}].weight must be a positive number", f"arms[{place}].weight")
        check_changes(arm.changes, f"arms[{place}].changes")


def _check_terms(design: Design) -> None:
    limits: Mapping[str, tuple[float, float]] = {
        "window_days": (1, LONGEST_WINDOW_DAYS),
        "before_days": (0, 730),
        "alpha": (0.001, 0.2),
        "planned_units": (100, 10**9),
        "winsor": (0.9, 1.0),
    }
    for name, (low, high) in limits.items():
        if not low <= getattr(design, name) <= high:
            raise InputError(f"{name} lies between {low:g} and {high:g}", name)
    if design.metric not in METRICS:
        raise InputError(f"metric is one of {', '.join(METRICS)}", "metric")
