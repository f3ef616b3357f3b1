"""What is past a shop's limits, cleared from every store: the tables, and the events that were put aside."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from app.archive.store import drop_unused_parts
from app.connections import Connections
from app.consent.clearing import ClearingResult, ClearingRun, clear_shop
from app.consent.retention import limits_of
from app.events.log import DEAD, Entry, EventLog
from app.recommend.retired import delete_retired
from app.values import ShopDomain

LETTERS, SNAPSHOTS = "dead letters", "snapshots"
_NOBODYS = timedelta(days=limits_of({}).days[LETTERS])  # no shop's limit is theirs

# A version that is being kept just now may need a part that none needed a moment ago.
_UNUSED_STAYS = timedelta(days=1)


async def clear_aged(connections: Connections, shop: ShopDomain) -> list[ClearingRun]:
    """Delete what is past the shop's limits and return what each store lost and has left."""
    cleared = await clear_shop(connections, shop, {LETTERS: _clear_letters})
    now, kept = datetime.now(UTC), next(each for each in cleared if each.store == SNAPSHOTS)
    await drop_unused_parts(connections, shop, now - _UNUSED_STAYS)
    before = now - timedelta(days=kept.limit_days)
    await asyncio.to_thread(delete_retired, connections.settings.data_dir, shop, before)
    return cleared


async def _clear_letters(
    connections: Connections, shop: ShopDomain, now: datetime, before: datetime
) -> ClearingResult:
    """Delete the shop's old letters, and old ones that nobody can read any more."""
    log, deleted = EventLog(connections.redis), 0
    stay: list[datetime] = []
    async for entry in log.entries(DEAD):
        unreadable = entry.event() is None
        if not (unreadable or entry.is_of(shop)):
            continue
        buried_at = _added_at(entry)
        if buried_at < (now - _NOBODYS if unreadable else before):
            await log.replace(DEAD, entry, None)
            deleted += not unreadable
        elif not unreadable:
            stay.append(buried_at)
    return ClearingResult(deleted, len(stay), min(stay, default=None))


def _added_at(entry: Entry) -> datetime:
    """Return when the entry was put there, as its id says."""
    return datetime.fromtimestamp(int(entry.entry_id.partition("-")[0]) / 1000, UTC)
