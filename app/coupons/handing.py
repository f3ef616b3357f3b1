"""Codes as decisions ask for them: many in one round trip, and no pool that was just found empty."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic

from redis.exceptions import RedisError

from app.coupons.grants import Granted, Wanted

DRY_S = 5.0  # a pool that was empty is not asked again for so long; it is filled by a schedule

Ask = Callable[[Wanted], Awaitable[Granted | None]]


class Codes:
    """Gives out codes, and remembers which pools had none."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._dry: dict[tuple[str, str], float] = {}

    async def give(self, wanted: Wanted) -> Granted | None:
        """Return the code, None when there is none left or it could not be had in time."""
        if self.is_dry(wanted.shop, wanted.pool_id):
            return None
        try:
            granted = await self._ask(wanted)
        except (RedisError, OSError, TimeoutError):
            return None
        if granted is None:
            self._dry[wanted.shop, wanted.pool_id] = monotonic() + DRY_S
        return granted

    def is_dry(self, shop: str, pool_id: str) -> bool:
        """Return whether the pool was found empty a moment ago."""
        until = self._dry.get((shop, pool_id))
        if until is None:
            return False
        if monotonic() < until:
            return True
        del self._dry[shop, pool_id]
        return False
