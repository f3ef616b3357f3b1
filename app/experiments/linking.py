"""Whose exposures they are: names that met in one decision belong to one person. Pure.

A visitor who signs in halfway is first assigned by their browser and then as a customer, perhaps to another
arm. They are one person, analysed in the arm of their first exposure: that one was drawn by chance, and
what followed, the second arm too, is what came of it. It can make an effect smaller, never out of nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Exposure:
    """A decision that put a unit into an arm."""

    decision_id: str
    at: datetime
    arm: str
    unit: str
    surface: str = "checkout"
    customer_id: int | None = None
    checkout_token: str | None = None


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
