"""Training rows for intent: moments of past visits at which a decision could be made, with labels. Pure.

A moment is right after an event, and after 20 seconds, one, three and ten minutes of silence, so that
silence means in training what it means when it is asked about. What is known at a moment is worked out
from the events before it by the same functions that serve; what came after is an order of this visit.
No moment is later than the payment's submission.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, NamedTuple

from app.intent.features import BOUGHT, NOTHING, Features, InCart, PageSignals, features_of
from app.profiles.signals import COMPLETED
from app.profiles.visit import NO_VISIT, PAUSE_S, BrowsedEvent, Visit, parted, visit_of

SOON_S = 5 * 60
SILENCES_S = (20, 60, 180, 600)
LOOKED_BACK_S = 24 * 3600  # as far as a visit is kept for decisions
MOST_EVENTS = 40  # of one visit, after which moments are taken
LEAKY = ("step_reached", "events_in_all", "seconds_in_all")
_CARTS = frozenset({"cart_viewed"})
_AMOUNTS = frozenset({"price", "subtotal", "total"})


class BrowserHistory(NamedTuple):
    """What one browser did, and when orders of it were placed (epoch seconds). currency: the shop's.

    Where that is not known, all amounts are taken to be in it.
    """

    seen: Sequence[BrowsedEvent]
    ordered: Sequence[int] = ()
    currency: str = ""


class Moment(NamedTuple):
    """One moment. began: when its visit began, which is the visit's name too; at: when it is itself.

    soon: an order within five minutes followed, ever: one within the visit. cart_alone: with nothing known
    of the visit. leaky: what only the end of the visit tells, as LEAKY names it.
    """

    began: int
    at: int
    features: Features
    soon: bool
    ever: bool
    cart_alone: bool
    leaky: tuple[float, ...]


def moments_of(browsed: BrowserHistory, now: int) -> list[Moment]:
    """Return the moments of a browser's visits that were over before now (epoch seconds)."""
    events = sorted({each.event_id: each for each in browsed.seen}.values(), key=lambda e: (e[1], e[0]))
    if not events:
        return []
    told = [_at(each) for each in events if each.name == COMPLETED]
    ordered = sorted([*browsed.ordered, *told])
    found: list[Moment] = []
    done = 0
    for visit in parted(events):
        done += len(visit)
        if _at(visit[-1]) + PAUSE_S < now:
            earlier = events[: done - len(visit)]
            found += _of_visit(earlier, visit, ordered, browsed.currency)
    return found


def cart_after(cart: InCart, event: BrowsedEvent, currency: str = "") -> InCart:
    """Return the cart as it stands after an event; what can't be read changes nothing.

    currency: see `BrowserHistory`. An amount in another one is not known, as when it is decided.
    """
    data = event.data
    if currency and data.get("currency", currency) != currency:
        data = {name: value for name, value in data.items() if name not in _AMOUNTS}
    if event.name == COMPLETED:
        return InCart()
    if event.name == "product_added_to_cart":
        return _changed(cart, data, 1)
    if event.name == "product_removed_from_cart":
        return _changed(cart, data, -1)
    if (event.name in _CARTS or event.name.startswith("checkout_")) and isinstance(data.get("lines"), list):
        units = sum(_count(line.get("quantity")) for line in data["lines"] if isinstance(line, dict))
        return InCart(units, _amount(data.get("subtotal", data.get("total"))))
    return cart


def _of_visit(
    earlier: Sequence[BrowsedEvent], visit: Sequence[BrowsedEvent], ordered: Sequence[int], currency: str
) -> list[Moment]:
    began, last = _at(visit[0]), _at(visit[-1])
    order = next((at for at in ordered if began <= at <= last + PAUSE_S), None)
    paid = next((_at(each) for each in visit if each.name == "payment_info_submitted"), None)
    ends = min((at for at in (order, paid) if at is not None), default=last + PAUSE_S)
    leaky = (float(BOUGHT if order else visit_of(visit).step), float(len(visit)), float(last - began))
    known = [each for each in earlier if _at(each) > began - LOOKED_BACK_S]
    cart = InCart()
    for each in known:
        cart = cart_after(cart, each, currency)
    # Of a visit of hundreds of events every so many-th is taken: none outweighs dozens of others.
    stride = ceil(len(visit) / MOST_EVENTS)
    found: list[Moment] = []
    for place, event in enumerate(visit):
        cart = cart_after(cart, event, currency)
        until = min(_at(visit[place + 1]) if place + 1 < len(visit) else ends, ends)
        times = [at for at in (_at(event), *(_at(event) + each for each in SILENCES_S)) if at < until]
        if place % stride or not times:
            continue
        so_far = visit_of([*known, *visit[: place + 1]])
        for at in times:
            after = (order is not None and order - at <= SOON_S, order is not None)
            found += [Moment(began, at, *row, leaky) for row in _rows(so_far, cart, at, after)]
    return found


def _rows(
    visit: Visit, cart: InCart, at: int, after: tuple[bool, bool]
) -> list[tuple[Features, bool, bool, bool]]:
    """Return the moment, and in a checkout once more as it is for a visitor who allows nothing."""
    rows = [(features_of(visit, cart, NOTHING, at), *after, False)]
    if 0 < visit.step < BOUGHT:
        rows.append((features_of(NO_VISIT, cart, PageSignals(step=1), at), *after, True))
    return rows


def _changed(cart: InCart, data: dict[str, Any], sign: int) -> InCart:
    units = _count(data.get("quantity", 1))
    value = cart.value + sign * units * _amount(data.get("price"))
    return InCart(max(cart.units + sign * units, 0), max(round(value, 2), 0.0))


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 10**6 else 0


def _amount(value: object) -> float:
    """Return a decimal string as a number, 0 for anything else."""
    try:
        amount = float(value) if isinstance(value, str) else 0.0
    except ValueError:
        return 0.0
    return amount if 0 <= amount < 10**12 else 0.0


def _at(event: BrowsedEvent) -> int:
    return int(event.happened_at.timestamp())
