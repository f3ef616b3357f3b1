"""Hands out codes to decisions: batched, and skipping pools that were just found empty."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic

from redis.exceptions import RedisError

from app.coupons.grants import CodeRequest, GrantedCode

DRY_S = 5.0  # a pool that was empty is not asked again for so long; it is filled by a schedule

Ask = Callable[[CodeRequest], Awaitable[GrantedCode | None]]


class CodeDispenser:
    """Gives out codes, and remembers which pools had none."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._dry: dict[str, dict[str, float]] = {}  # by shop and pool, until when

    async def give(self, wanted: CodeRequest) -> GrantedCode | None:
        """Return the code, None when there is none left or it could not be had in time."""
        try:
            granted = await self._ask(wanted)
        except (RedisError, OSError, TimeoutError):
            return None
        if granted is None:
            self._dry.setdefault(wanted.shop, {})[wanted.pool_id] = monotonic() + DRY_S
        return granted

    def dry(self, shop: str) -> list[str]:
        """Return the shop's pools that were found empty a moment ago, in the order of their names."""
        if shop not in self._dry:
            return []
        now = monotonic()
        left = {pool_id: until for pool_id, until in self._dry.pop(shop).items() if now < until}
        if left:
            self._dry[shop] = left
        return sorted(left)
