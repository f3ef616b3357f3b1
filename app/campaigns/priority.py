"""Which campaign is looked at before which, changed one campaign at a time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.errors import InputError, NotFound

HIGHEST = 1000


class Ranked(NamedTuple):
    """A campaign and its priority: higher is looked at first, equal ones by their ids."""

    campaign_id: str
    priority: int


def placed(ranked: Sequence[Ranked], campaign_id: str, before: str | None) -> dict[str, int]:
    """Return the priorities that change so that the campaign comes right before another one, or last.

    ranked: all of the shop's, the first to be looked at first. Raises NotFound for a campaign that is not
    there, InputError where priorities can't go higher.
    """
    known = {each.campaign_id: each for each in ranked}
    for name in (campaign_id, before):
        if name is not None and name not in known:
            raise NotFound(f"there is no campaign {name!r}")
    if before == campaign_id:
        return {}
    wanted = [each for each in ranked if each.campaign_id != campaign_id]
    at = len(wanted) if before is None else wanted.index(known[before])
    return _raised([*wanted[:at], known[campaign_id], *wanted[at:]])


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
