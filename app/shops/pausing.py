"""The merchant's switch that hides the whole app from shoppers, and a log of its use.

Paused, nothing is shown or written to anybody and no code is given out. What is measured and learnt goes on,
but for decisions, of which none are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.connections import Connections
from app.shops.changes import announce_kept
from app.shops.settings import change_setting
from app.shops.store import get_shop

SETTING = "pauses"
MOST = 100  # that are remembered, the latest


class Pause(msgspec.Struct, frozen=True, omit_defaults=True):
    """A pause. began_by, ended_by: a staff member's number or COMMAND_LINE. ended_at: None while it lasts."""

    began_at: datetime
    began_by: str
    ended_at: datetime | None = None
    ended_by: str = ""

    def lasted_within(self, since: datetime, until: datetime) -> timedelta:
        """Return how much of it lies between the two."""
        ended_at = until if self.ended_at is None else min(self.ended_at, until)
        return max(ended_at - max(self.began_at, since), timedelta())


COMMAND_LINE = "command line"


def pauses_of(settings: Mapping[str, Any]) -> tuple[Pause, ...]:
    """Return the shop's pauses, the earliest first; none where the setting is unusable."""
    return _read(settings.get(SETTING))


def is_paused(settings: Mapping[str, Any]) -> bool:
    """Return whether the shop is paused now."""
    return _lasts(pauses_of(settings))


async def is_paused_now(connections: Connections, shop: str) -> bool:
    """Return whether the shop is paused as it is kept: what was read of it a while ago may be old."""
    known = await get_shop(connections, shop)
    return known is not None and is_paused(known.settings)


def paused_within(settings: Mapping[str, Any], since: datetime, until: datetime) -> timedelta:
    """Return for how long the shop was paused between the two."""
    return sum((each.lasted_within(since, until) for each in pauses_of(settings)), timedelta())


async def pause(connections: Connections, shop: str, by: str, now: datetime) -> None:
    """Show nothing from now on; a shop that is paused stays so. Raises NotFound."""
    await _change(connections, shop, lambda known: (*known, *(() if _lasts(known) else (Pause(now, by),))))


async def go_on(connections: Connections, shop: str, by: str, now: datetime) -> None:
    """End the shop's pause, if it is paused. Raises NotFound."""

    def ended(known: Sequence[Pause]) -> Sequence[Pause]:
        if not _lasts(known):
            return known
        *others, last = known
        # A clock may have been put back meanwhile.
        return *others, msgspec.structs.replace(last, ended_at=max(now, last.began_at), ended_by=by)

    await _change(connections, shop, ended)


async def _change(
    connections: Connections, shop: str, change: Callable[[Sequence[Pause]], Sequence[Pause]]
) -> None:
    await change_setting(
        connections, shop, SETTING, lambda kept: msgspec.to_builtins(change(_read(kept)))[-MOST:]
    )
    await announce_kept(connections.redis, shop)


def _lasts(known: Sequence[Pause]) -> bool:
    return bool(known) and known[-1].ended_at is None


def _read(kept: Any) -> tuple[Pause, ...]:
    try:
        return msgspec.convert(kept or (), tuple[Pause, ...])
    except msgspec.ValidationError:
        return ()
