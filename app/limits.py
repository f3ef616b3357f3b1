"""Rate limits by caller: GCRA buckets in this process's memory.

Each web process counts for itself, so that counting costs no round trip: four of them allow four times as
much. Callers are held as hashes that only this process can make.
"""

from __future__ import annotations

from collections.abc import Hashable
from math import ceil
from time import monotonic
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Rates
from app.connections import Connections
from app.errors import TooOften
from app.metrics import TURNED_AWAY

BURST_S = 10  # what a bucket holds, in seconds of its rate
# New codes for guests, whose names nobody proves: of one checkout's token, and of a shop's whole storefront.
CHECKOUT_CODES, CHECKOUT_CODES_S = 10, 600
STOREFRONT_CODES_A_SECOND = 5
MOST = 20_000  # callers a generation of a limiter's memory holds; it keeps two


class Buckets:
    """A bucket for each caller. Of each it keeps one number: when it will be full again (GCRA, ITU-T I.371).

    a_second: how fast they fill. most: when so many were seen, those that did not come again are forgotten.
    burst_s: what one holds, in seconds of its rate.
    """

    def __init__(self, a_second: float, most: int = MOST, burst_s: float = BURST_S) -> None:
        self._one_s = 1 / a_second
        self._most = most
        self._burst_s = burst_s
        self._late: dict[int, float] = {}
        self._early: dict[int, float] = {}

    def wait_s(self, caller: int, now: float, calls: int = 1) -> int:
        """Return 0 and take the calls, or none and return after how many seconds there will be as many."""
        if len(self._late) >= self._most:
            self._early, self._late = self._late, {}
        full_at = max(now, self._late.get(caller) or self._early.get(caller, now))
        taken_at = full_at + calls * self._one_s
        missing_s = taken_at - now - self._burst_s
        self._late[caller] = taken_at if missing_s <= 0 else full_at
        return max(0, ceil(missing_s))

    def __len__(self) -> int:
        return len(self._late) + len(self._early)


class RateLimiter:
    """The limits of one route: by shop, by visitor of a shop, and by address for forged deliveries."""

    def __init__(self, name: str, rates: Rates) -> None:
        self._name = name
        self._buckets = {whose: Buckets(rate) for whose, rate in rates.each().items()}
        self._buckets["checkout_codes"] = Buckets(CHECKOUT_CODES / CHECKOUT_CODES_S, burst_s=CHECKOUT_CODES_S)
        self._buckets["storefront_codes"] = Buckets(STOREFRONT_CODES_A_SECOND)

    def wait_s(self, whose: str, caller: Hashable, calls: int = 1) -> int:
        """Take the calls and return 0, or return in how many seconds to retry. whose: `Rates`, or codes."""
        wait_s = self._buckets[whose].wait_s(hash(caller), monotonic(), calls)
        if wait_s:
            TURNED_AWAY.labels(self._name, whose).inc()
        return wait_s

    def check(self, whose: str, caller: Hashable, calls: int = 1) -> None:
        """Take the calls. Raises TooOften above the limit."""
        if wait_s := self.wait_s(whose, caller, calls):
            raise TooOften(f"too many calls of this {whose}: try again in {wait_s} s", wait_s)


_limiters: WeakKeyDictionary[AsyncEngine, dict[str, RateLimiter]] = WeakKeyDictionary()


def rate_limiter(connections: Connections, name: str) -> RateLimiter:
    """Return the limiter of that name, the same for all that share the connections."""
    limiters = _limiters.setdefault(connections.engine, {})
    if name not in limiters:
        limiters[name] = RateLimiter(name, connections.settings.rates)
    return limiters[name]
