"""Where a shop sells, in which currency, and at which prices."""

from __future__ import annotations

from dataclasses import dataclass

from devstore.wire import digits


@dataclass(frozen=True, slots=True)
class Market:
    """Countries with prices of their own. The shop's home names none: it is all that no other has.

    rate: what one unit of the shop's currency is in the market's. adjustment_percent: on top of each price,
    though of no discount. left_out: products that are not sold there. home: the shop's currency, which
    the shop tells. Amounts are in minor units: of the shop's currency at home, of the market's there.
    """

    countries: frozenset[str]
    currency: str
    rate: float = 1.0
    adjustment_percent: float = 0.0
    left_out: frozenset[int] = frozenset()
    home: str = ""

    @property
    def _minor_rate(self) -> float:
        return self.rate * float(10 ** (digits(self.currency) - digits(self.home or self.currency)))

    def price(self, minor: int) -> int:
        """Return what the market asks for what costs this at home."""
        return round(minor * self._minor_rate * (1 + self.adjustment_percent / 100))

    def converted(self, minor: int) -> int:
        """Return an amount of the shop's currency in the market's."""
        return round(minor * self._minor_rate)

    def at_home(self, minor: int) -> int:
        """Return an amount of the market's currency in the shop's."""
        return round(minor / self._minor_rate)
