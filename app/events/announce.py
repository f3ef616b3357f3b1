"""Announces stale snapshots to every process, at most once a second a shop."""

from __future__ import annotations

from app.connections import Connections
from app.events.kinds import Event
from app.shops.changes import CATALOG_CHANGED, announce_change


class Announcements:
    """The shops that changed since the last announcement.

    What a killed process had noted is noticed by the servers' own look every fifteen seconds.
    """

    def __init__(self) -> None:
        self._shops: set[str] = set()

    async def note(self, _connections: Connections, event: Event) -> None:
        """Remember that the event's shop changed: a handler."""
        self._shops.add(event.shop)

    async def announce(self, connections: Connections) -> None:
        """Tell of every shop noted; those that could not be told stay noted."""
        for shop in list(self._shops):
            await announce_change(connections.redis, shop, CATALOG_CHANGED)
            self._shops.discard(shop)
