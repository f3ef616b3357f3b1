"""A per-process cache of values read again and again of a shop, for fifteen seconds by default."""

from __future__ import annotations

from asyncio import Lock
from collections import defaultdict
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncEngine

from app.connections import Connections

REMEMBERED_S = 15.0

Value = TypeVar("Value")


class TtlCache(Generic[Value]):
    """One value a shop, read at most every `for_s` seconds: for what every event needs and may be stale.

    Concurrent callers wait for the same reading.
    """

    def __init__(
        self, read: Callable[[Connections, str], Awaitable[Value]], for_s: float = REMEMBERED_S
    ) -> None:
        self._read, self._for_s = read, for_s
        self._known: WeakKeyDictionary[AsyncEngine, dict[str, tuple[float, Value]]] = WeakKeyDictionary()
        self._turns: WeakKeyDictionary[AsyncEngine, dict[str, Lock]] = WeakKeyDictionary()

    async def of(self, connections: Connections, shop: str) -> Value:
        """Return the shop's value, read again once the cached one has expired."""
        known = self._known.setdefault(connections.engine, {})
        if shop in known and monotonic() < known[shop][0]:
            return known[shop][1]
        turns = self._turns.setdefault(connections.engine, defaultdict(Lock))
        async with (turn := turns[shop]):
            if shop in known and monotonic() < known[shop][0]:
                return known[shop][1]
            until, value = monotonic() + self._for_s, await self._read(connections, shop)
            if turns.get(shop) is turn:  # else it was to be forgotten while it was read
                known[shop] = until, value
            return value

    def forget(self, connections: Connections, shop: str) -> None:
        """Invalidate the shop's value; the result of a reading under way is not cached either."""
        self._known.get(connections.engine, {}).pop(shop, None)
        self._turns.get(connections.engine, {}).pop(shop, None)
