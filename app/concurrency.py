"""How many decisions of this process are under way at once: what comes beyond that waits for nothing."""

from __future__ import annotations

# What a process answers in about a tenth of a second; who came behind them would wait too long.
MOST_UNDER_WAY = 256


class ConcurrencyLimit:
    """Those who are being answered. To be entered with `with`."""

    def __init__(self, most: int = MOST_UNDER_WAY) -> None:
        self._most = most
        self.under_way = 0

    @property
    def is_full(self) -> bool:
        """Return whether the next one had better be answered in haste."""
        return self.under_way >= self._most

    def __enter__(self) -> None:
        self.under_way += 1

    def __exit__(self, *_error: object) -> None:
        self.under_way -= 1
