"""Load shedding: how many decisions of this process are in flight; those beyond the limit are degraded."""

from __future__ import annotations

# What a process answers in about a tenth of a second; whoever queued behind them would wait too long.
MOST_UNDER_WAY = 256


class ConcurrencyLimit:
    """Counts the decisions in flight; each is wrapped in `with`."""

    def __init__(self, most: int = MOST_UNDER_WAY) -> None:
        self._most = most
        self.under_way = 0

    @property
    def is_full(self) -> bool:
        """Return whether the limit is reached, so that the next decision is degraded."""
        return self.under_way >= self._most

    def __enter__(self) -> None:
        self.under_way += 1

    def __exit__(self, *_error: object) -> None:
        self.under_way -= 1
