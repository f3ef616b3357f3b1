"""What each person did within their window, one by one: what the fast version must come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from app.events.surfaces import AFTER_THE_ORDER
from app.experiments.outcomes import CLOCKS_DIFFER, AnalysisScope, DataQuality, Observations
from app.experiments.units import Units
from tests.experiments.told import Exposure, Order


@dataclass(frozen=True, slots=True)
class Person:
    """All exposures of one person, the first one first; of those at the same moment, by their id."""

    exposures: tuple[Exposure, ...]

    @property
    def first(self) -> Exposure:
        """Return the exposure whose arm they are analysed in."""
        return self.exposures[0]

    @property
    def crossed(self) -> bool:
        """Return whether they came into another arm as well."""
        return any(each.arm != self.first.arm for each in self.exposures)


def persons(exposures: Iterable[Exposure]) -> list[Person]:
    """Return the persons, in the order of their first exposure. A decision told twice counts once."""
    told = {each.decision_id: each for each in exposures}
    ordered = sorted(told.values(), key=lambda each: (each.at, each.decision_id))
    parents: dict[str, str] = {}
    for each in ordered:
        first, *others = _names(each)
        for other in others:
            _join(parents, first, other)
    groups: dict[str, list[Exposure]] = {}
    for each in ordered:
        groups.setdefault(_root(parents, each.unit), []).append(each)
    return [Person(tuple(group)) for group in groups.values()]


def _names(exposure: Exposure) -> Iterator[str]:
    yield exposure.unit
    if exposure.customer_id is not None:
        yield f"customer:{exposure.customer_id}"
    if exposure.checkout_token:
        yield f"checkout:{exposure.checkout_token}"


def _root(parents: dict[str, str], name: str) -> str:
    while (above := parents.setdefault(name, name)) != name:
        parents[name] = parents[above]
        name = above
    return name


def _join(parents: dict[str, str], one: str, other: str) -> None:
    parents[_root(parents, other)] = _root(parents, one)


def observe(
    exposures: Iterable[Exposure], orders: Iterable[Order], accepted: Set[str], scope: AnalysisScope
) -> Observations:
    """Return what the persons whose window is over did in it. accepted: decisions with an accepted offer."""
    late = scope.now + CLOCKS_DIFFER
    seen, known = list(exposures), list(orders)
    timely = [each for each in seen if each.at <= late and each.arm in scope.arms]
    ours = [each for each in known if each.at <= late]
    everybody = persons(timely)
    theirs = _orders_of(everybody, ours)
    people = [each for each in everybody if scope.begin is None or each.first.at >= scope.begin]
    done = [each for each in people if each.first.at + scope.window <= scope.now]
    rows = [_row(person, theirs.get(person.first.decision_id, []), accepted, scope) for person in done]
    places = [scope.arms.index(person.first.arm) for person in people]
    columns = np.array([row.figures for row in rows], dtype=np.float64).reshape(len(rows), 8).T
    arm = np.array([scope.arms.index(person.first.arm) for person in done], dtype=np.int64)
    aside = DataQuality(
        open=len(people) - len(done),
        crossed=sum(person.crossed for person in people),
        from_ahead=sum(each.at > late for each in seen) + len(known) - len(ours),
        foreign=sum(row.foreign for row in rows),
        late_minor=sum(row.late_minor for row in rows),
        cut_short=sum(
            scope.ended is not None and each.first.at + scope.window > scope.ended for each in done
        ),
        unserved=sum(any(each.unserved for each in person.exposures) for person in people),
    )
    counts = np.bincount(places, minlength=len(scope.arms)) if places else [0] * len(scope.arms)
    recognised = [0] * len(scope.arms)
    for person in people:
        names = _names_before(person, theirs.get(person.first.decision_id, []))
        recognised[scope.arms.index(person.first.arm)] += len(names) > 1
    return Observations(Units(arm, *columns), tuple(map(int, counts)), aside, tuple(recognised))


@dataclass(frozen=True, slots=True)
class _Row:
    """A person's figures in the order of Units' columns."""

    figures: tuple[float, ...]
    foreign: int
    late_minor: int


def _orders_of(people: Sequence[Person], orders: Iterable[Order]) -> Mapping[str, list[Order]]:
    """Return each person's orders by their first decision: of their checkouts, else of their accounts.

    Every order is of one person only.
    """
    whose: dict[str | int | None, str] = {}
    for person in people:
        for each in person.exposures:
            whose |= dict.fromkeys((each.checkout_token, each.customer_id), person.first.decision_id)
    whose.pop(None, None)
    theirs: dict[str, list[Order]] = {}
    for order in {each.order_id: each for each in orders}.values():
        of = whose.get(order.checkout_token) or whose.get(order.customer_id)
        if of is not None:
            theirs.setdefault(of, []).append(order)
    return theirs


def _names_before(person: Person, orders: Iterable[Order]) -> set[str]:
    """Return the names that they came under before they ordered."""
    since = [order.at for order in orders if order.at >= person.first.at - CLOCKS_DIFFER]
    return {
        each.unit
        for each in person.exposures
        if each.surface not in AFTER_THE_ORDER and all(each.at <= at for at in since)
    }


def _row(person: Person, orders: Sequence[Order], accepted: Set[str], scope: AnalysisScope) -> _Row:
    end = person.first.at + scope.window
    placed = [order for order in orders if _began(person, order) and order.at < end]
    standing = [order for order in placed if order.cancelled_at is None or order.cancelled_at >= end]
    kept = sum(order.kept_minor(end) for order in placed)
    costs = [order.kept_cost_minor(end) for order in standing]
    cost = float("nan") if None in costs else float(sum(each or 0 for each in costs))
    given_back = sum(order not in standing or any(at < end for at, *_ in order.refunds) for order in placed)
    took = any(each.decision_id in accepted for each in person.exposures if each.at < end)
    figures = (
        bool(standing), len(standing), kept, kept - cost, len(placed), given_back, took,
        _spent_before(person.first, orders, scope),
    )  # fmt: skip
    late = sum(order.kept_minor(end) - order.kept_minor(scope.now) for order in placed)
    return _Row(tuple(map(float, figures)), sum(order.foreign for order in placed), late)


def _began(person: Person, order: Order) -> bool:
    """Return whether the order came after the first exposure."""
    first = person.first
    if order.checkout_token is not None and order.checkout_token == first.checkout_token:
        return first.surface not in AFTER_THE_ORDER and order.at >= first.at - CLOCKS_DIFFER
    return order.at >= first.at


def _spent_before(first: Exposure, orders: Iterable[Order], scope: AnalysisScope) -> int:
    """Return what the customer spent before, as it stood then.

    Of the customer who was known at the first exposure: who becomes known later became so by what they did
    in their arm, and an adjustment for that would take a part of the effect away. And of the time before any
    arm could move it.
    """
    if first.customer_id is None:
        return 0
    until = min(first.at - CLOCKS_DIFFER, scope.untouched or first.at)
    return sum(
        order.kept_minor(first.at)
        for order in orders
        if order.customer_id == first.customer_id and first.at - scope.before <= order.at < until
        if not order.foreign
    )
