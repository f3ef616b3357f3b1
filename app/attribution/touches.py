"""Which offers a sold line is owed to, and how much of it each. Pure.

A line is owed to the offers of its product, and to those of a discount that its order used, by a code or
without, made to the same person within the window before the order. One that was added from an offer is owed
to that one too, however old it is. What a person is: their customer number, their checkout or the browser
that was in, as far as they allowed it to be kept. An offer that was made again and again in one place counts
once, when it was made last: a theme asks with every page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.attribution.models import Model, weights
from app.coupons.terms import off_by
from app.events.surfaces import AFTER_THE_ORDER

WINDOW_DAYS = 7
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Touch:
    """An offer that was made to somebody. product_id, code: what it offered, None where it was neither.

    campaign: whose it is, None for a recommendation. people: `customer:7`, `checkout:token` or `unit:…`, as
    arms are assigned. reason: the first that it was made for, None where it gave none.
    applies_to: what its discount is for, `order`, `product` or `shipping`.
    """

    decision_id: str
    offer_id: str
    at: datetime
    people: frozenset[str]
    kind: str
    campaign: str | None = None
    product_id: int | None = None
    code: str | None = None
    reason: str | None = None
    surface: str = ""
    applies_to: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A campaign's discount without a code. called: what an order may call it, empty where nobody knows."""

    campaign: str
    called: Sequence[str] = ()

    def may_be_among(self, titles: Collection[str]) -> bool:
        """Return whether it is one of the discounts that are called so, as far as that was told."""
        names = {_plain(each) for each in self.called if each}
        return not names or not titles or not names.isdisjoint(map(_plain, titles))


def _plain(title: str) -> str:
    """Return the title, however its words are spaced."""
    return " ".join(title.split())


@dataclass(frozen=True, slots=True)
class SoldOrder:
    """An order that stands. codes: those it used. granted: campaigns whose grant it may have used.

    off: what became cheaper without a code, `line_item` or `shipping_line`; nothing where that is not known.
    """

    order_id: int
    at: datetime
    people: frozenset[str]
    codes: frozenset[str] = frozenset()
    granted: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of an order. net_minor: after discounts and what was given back.

    decision_id, offer_id: the offer it was added from, if it was.
    """

    order: SoldOrder
    line_id: int
    net_minor: int
    product_id: int | None = None
    decision_id: str | None = None
    offer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Credit:
    """What a touch has of a line. minor: not rounded, so that a line's credits sum to what it brought."""

    touch: Touch
    order_id: int
    line_id: int
    minor: float


@dataclass(frozen=True, slots=True)
class OwedLine:
    """A line and the touches that it is owed to, at least one, the oldest first."""

    line: SoldLine
    touches: Sequence[Touch]

    def shared(self, model: Model) -> Iterator[Credit]:
        """Yield what each of the touches has of the line."""
        line = self.line
        ages = [max(0.0, (line.order.at - touch.at) / DAY) for touch in self.touches]
        for touch, weight in zip(self.touches, weights(model, ages), strict=True):
            yield Credit(touch, line.order.order_id, line.line_id, line.net_minor * weight)


def owed_lines(
    lines: Iterable[SoldLine], touches: Iterable[Touch], window_days: float = WINDOW_DAYS
) -> list[OwedLine]:
    """Return the lines that touches came before, whatever each has of them; the others are nobody's."""
    made = _Made(touches)
    found = (OwedLine(line, made.before(line, window_days)) for line in lines)
    return [each for each in found if each.touches]


def credits_of(
    lines: Iterable[SoldLine], touches: Iterable[Touch], model: Model, window_days: float = WINDOW_DAYS
) -> list[Credit]:
    """Return what each touch has of each line."""
    owed = owed_lines(lines, touches, window_days)
    return [credit for each in owed for credit in each.shared(model)]


class _Made:
    """The touches, found by whom they were made to and by the offer that they are."""

    def __init__(self, touches: Iterable[Touch]) -> None:
        self._of_person: dict[str, list[Touch]] = defaultdict(list)
        self._by_offer: dict[tuple[str, str], Touch] = {}
        for touch in {(each.decision_id, each.offer_id): each for each in touches}.values():
            self._by_offer[touch.decision_id, touch.offer_id] = touch
            for person in touch.people:
                self._of_person[person].append(touch)

    def before(self, line: SoldLine, window_days: float) -> list[Touch]:
        """Return the touches that the line is owed to, the oldest first, each offer once on a surface."""
        order, earliest = line.order, line.order.at - window_days * DAY
        found = {
            (touch.decision_id, touch.offer_id): touch
            for person in order.people
            for touch in self._of_person[person]
            if earliest <= touch.at <= order.at and _is_for(touch, line)
        }
        if line.decision_id and line.offer_id:
            taken = self._by_offer.get((line.decision_id, line.offer_id))
            if taken is not None:
                found[taken.decision_id, taken.offer_id] = taken
        latest = {_offer_of(touch): touch for touch in sorted(found.values(), key=_when)}
        return sorted(latest.values(), key=_when)


def _when(touch: Touch) -> tuple[datetime, str, str]:
    return touch.at, touch.decision_id, touch.offer_id


def _offer_of(touch: Touch) -> tuple[object, ...]:
    """Return which offer it is, and where it was made."""
    return touch.kind, touch.campaign, touch.product_id, touch.code, touch.surface


def _is_for(touch: Touch, line: SoldLine) -> bool:
    if touch.surface in AFTER_THE_ORDER and _of_one_checkout(touch, line.order):
        return False  # Shopify shows the page after an order before it has made the order
    if touch.code is not None:
        return touch.code.upper() in line.order.codes
    if touch.kind == "coupon":
        return touch.campaign in line.order.granted and _may_have_taken(touch, line.order.off)
    return touch.product_id is not None and touch.product_id == line.product_id


def _may_have_taken(touch: Touch, off: Collection[str]) -> bool:
    """Return whether something became cheaper that the discount is for: else another one did it alone."""
    return not off or off_by(touch.applies_to) in off


def _of_one_checkout(touch: Touch, order: SoldOrder) -> bool:
    return any(name.startswith("checkout:") for name in touch.people & order.people)
