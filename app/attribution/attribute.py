"""What offers earned, from orders that carry the decision which put a line there. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OfferedLine:
    """An order line that one of our logged decisions put there.

    discount_minor: the line's share of all discounts. refunded_minor: what was given back of it.
    """

    order_id: int
    quantity: int
    price_minor: int
    discount_minor: int = 0
    refunded_minor: int = 0

    @property
    def gross_minor(self) -> int:
        """Return what was charged for the line, never less than nothing."""
        return max(0, self.price_minor * self.quantity - self.discount_minor)


@dataclass(frozen=True, slots=True)
class Revenue:
    """What offered lines brought in, in the shop's currency.

    gross_minor: net of discounts, before refunds. refunded_minor: at most gross_minor.
    """

    orders: int
    gross_minor: int
    refunded_minor: int
    currency: str

    @property
    def net_minor(self) -> int:
        """Return what stayed after refunds."""
        return self.gross_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class OfferCounts:
    """How many decisions got how far: each counts once, however many offers it held.

    held_out: decisions that showed nothing on purpose; they are not among `decisions`.
    """

    decisions: int
    held_out: int
    shown: int
    accepted: int
    ordered: int


def revenue_of(lines: Iterable[OfferedLine], currency: str) -> Revenue:
    """Return what the lines earned. A refund never takes more than its line brought in."""
    lines = list(lines)
    return Revenue(
        orders=len({line.order_id for line in lines}),
        gross_minor=sum(line.gross_minor for line in lines),
        refunded_minor=sum(min(line.refunded_minor, line.gross_minor) for line in lines),
        currency=currency,
    )
