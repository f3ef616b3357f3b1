"""Keeps each version of a shop once it first serves a decision, behind the decisions' backs."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from time import monotonic

from app.archive.store import keep
from app.connections import Connections
from app.offers.snapshot import ShopSnapshot
from app.values import ShopDomain

# What still serves is told so that often, so that it does not age.
AGAIN_S = 6 * 3_600.0
TRY_AGAIN_S = 60.0
_CLOSING_S = 5.0

_log = logging.getLogger(__name__)


class Keeper:
    """Which versions this process has kept."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._due: dict[tuple[ShopDomain, str], float] = {}
        self._there: dict[ShopDomain, tuple[float, frozenset[str]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def served(self, snapshot: ShopSnapshot) -> None:
        """Note that the snapshot made a decision; the first time, keep it soon. Costs one look-up."""
        if self._due.get((snapshot.shop, snapshot.version), 0.0) > monotonic():
            return
        self._due[snapshot.shop, snapshot.version] = monotonic() + AGAIN_S
        task = asyncio.create_task(self._keep(snapshot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Return once what was noted is kept, or could not be in time."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSING_S)

    async def _keep(self, snapshot: ShopSnapshot) -> None:
        shop = snapshot.shop
        try:
            names = await keep(self._connections, snapshot, datetime.now(UTC), self._known(shop))
            self._there[shop] = monotonic(), names
        except Exception:  # decisions go on; those of this version can't be made again until it is kept
            self._due[shop, snapshot.version] = monotonic() + TRY_AGAIN_S
            _log.exception("a snapshot could not be kept", extra={"shop": shop})
        self._forget_old()

    def _known(self, shop: ShopDomain) -> frozenset[str]:
        """Return parts that are surely kept still: those of a version that served a moment ago."""
        kept_at, names = self._there.get(shop, (0.0, frozenset[str]()))
        return names if kept_at > monotonic() - AGAIN_S else frozenset()

    def _forget_old(self) -> None:
        """Forget versions that have not served for long; one of them would merely be kept again."""
        now = monotonic()
        self._due = {key: due for key, due in self._due.items() if due > now}
