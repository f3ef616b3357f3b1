"""Names of segments that are worked out, which a merchant's own segment may not have. Pure."""

from __future__ import annotations

import re

from app.errors import InputError
from app.profiles.clusters import LABELS
from app.profiles.rfm_segments import SEGMENTS

FORESEEN = ("foreseen_at_risk", "foreseen_loyal")
# What a customer is called before a shop's first segments are trained.
_UNTRAINED = ("returning",)
_TAKEN = frozenset({*SEGMENTS, *LABELS, *FORESEEN, *_UNTRAINED})
_A_CLUSTERS = re.compile(r"group_[0-9]+", re.ASCII)


def foreseen_name(label: str) -> str:
    """Return the segment of who is foreseen to earn a classifier's label; RFM has some of the same names."""
    return f"foreseen_{label}"


def check_free(name: str, field: str) -> None:
    """Do nothing when the name can be a merchant's. Raises InputError naming the field otherwise."""
    if name in _TAKEN or _A_CLUSTERS.fullmatch(name):
        raise InputError(
            f"{name} is the name of a segment that Tillwise works out: choose another, such as my_{name}",
            field,
        )
