"""Which of the chosen offers comes first, as the shop wants to speak to this shopper. Pure.

Only the order among what is offered anyway: an approach never brings in an offer the ranking left out.
A shop that has set no approaches keeps the ranking's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import InputError
from app.offers.static import Pick
from app.profiles.policy import Approach, Policy, read_policy, steps

SETTING = "approach"
# The reasons an approach speaks through, as an offer's first reason names them.
SPEAKS: Mapping[Approach, frozenset[str]] = {
    "introduction": frozenset({"popular"}),
    "generic_offer": frozenset({"popular"}),
    "education": frozenset({"new_in"}),
    "history": frozenset({"goes_with_history"}),
    "loyalty": frozenset({"goes_with_history"}),
    "complements": frozenset({"bought_together", "similar"}),
}


def approach_of(settings: Mapping[str, Any]) -> Policy | None:
    """Return the merchant's approaches; None where the setting is absent or unusable."""
    try:
        return read_policy(settings[SETTING])
    except (KeyError, InputError):
        return None


def in_order(
    policy: Policy | None, picks: Sequence[Pick], orders: int, views: int, segments: Sequence[str]
) -> list[Pick]:
    """Return the picks, those of the leading approach first; equal ones stay as they were ranked."""
    if policy is None:
        return list(picks)
    led_by = [SPEAKS[step.approach] for step in steps(policy, orders, views, segments)]

    def place(pick: Pick) -> int:
        reason = pick.why[0].reason if pick.why else ""
        return next((at for at, reasons in enumerate(led_by) if reason in reasons), len(led_by))

    return sorted(picks, key=place)
