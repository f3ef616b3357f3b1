"""Which campaign is looked at before which, changed one place at a time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.errors import InputError, NotFound

HIGHEST = 1000


class Ranked(NamedTuple):
    """A campaign and its priority: higher is looked at first, equal ones by their ids."""

    campaign_id: str
    priority: int


def moved(ranked: Sequence[Ranked], campaign_id: str, *, up: bool) -> dict[str, int]:
    """Return the priorities that change so that the campaign changes places with its neighbour.

    ranked: all of the shop's, the first to be looked at first. At the end of the list nothing changes.
    Raises NotFound for a campaign that is not there, InputError where priorities can't go higher.
    """
    at = next((at for at, each in enumerate(ranked) if each.campaign_id == campaign_id), None)
    if at is None:
        raise NotFound(f"there is no campaign {campaign_id!r}")
    neighbour = at - 1 if up else at + 1
    if not 0 <= neighbour < len(ranked):
        return {}
    wanted = list(ranked)
    wanted[at], wanted[neighbour] = wanted[neighbour], wanted[at]
    return _raised(wanted)


def _raised(wanted: Sequence[Ranked]) -> dict[str, int]:
    """Return the priorities to raise, as few and as little as give this order."""
    changed: dict[str, int] = {}
    below: tuple[int, str] | None = None
    for campaign_id, priority in reversed(wanted):
        place = (-priority, campaign_id)
        if below is not None and place >= below:
            least = -below[0] if campaign_id < below[1] else -below[0] + 1
            if least > HIGHEST:
                raise InputError(f"the priority of {campaign_id} is as high as can be", "priority")
            changed[campaign_id] = least
            place = (-least, campaign_id)
        below = place
    return changed
