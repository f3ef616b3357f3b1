"""Why a metric is not reported: returned in its place, so that no number is made up. Pure."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Cause(StrEnum):
    """What stands in the way."""

    NOBODY = "nobody_was_exposed"
    EMPTY_ARM = "an_arm_is_empty"
    NOT_SERVED = "nobody_is_served_personally"
    ALIKE = "everybody_is_served_alike"
    TOO_EARLY = "too_early"
    MISMATCH = "sample_ratio_mismatch"
    NOTHING_VARIES = "nothing_varies"
    NO_BASE = "nothing_to_divide_by"
    COSTS_UNKNOWN = "costs_unknown"
    CURRENCIES = "several_currencies"
    NO_SUPPORT = "never_done"


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """Why there is no figure. says: one sentence, for the merchant."""

    cause: Cause
    says: str
