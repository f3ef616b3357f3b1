"""What offers earned, from orders that carry the decision which put a line there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise

from app.tables import OF_NO_LINE


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


def stayed_of(charged: Mapping[int, int], back: Mapping[int, int]) -> dict[int, int]:
    """Return what stayed of each line of an order. charged: after discounts, by line; back: given back of it.

    What was given back of no particular line goes off all lines, in proportion to what stayed of them. Below
    zero it is what was kept of goods that came back, and stays of theirs. No line loses more than it brought,
    and all together lose what was given back, to the last minor unit.
    """
    returned = {line: min(back.get(line, 0), minor) for line, minor in charged.items()}
    stayed = {line: minor - returned[line] for line, minor in charged.items()}
    of_none = back.get(OF_NO_LINE, 0)
    over = stayed if of_none > 0 else returned
    whole = sum(over.values())
    if not whole:
        return stayed
    of_none = min(max(of_none, -whole), whole)
    in_order = sorted(over)  # whoever reads the lines in another order shares out alike
    parts = [of_none * so_far // whole for so_far in accumulate(map(over.__getitem__, in_order), initial=0)]
    taken = {line: end - begin for line, (begin, end) in zip(in_order, pairwise(parts), strict=True)}
    return {line: minor - taken[line] for line, minor in stayed.items()}


def revenue_of(lines: Iterable[OfferedLine], currency: str) -> Revenue:
    """Return what the lines earned. A refund never takes more than its line brought in."""
    lines = list(lines)
    return Revenue(
        orders=len({line.order_id for line in lines}),
        gross_minor=sum(line.gross_minor for line in lines),
        refunded_minor=sum(min(line.refunded_minor, line.gross_minor) for line in lines),
        currency=currency,
    )
