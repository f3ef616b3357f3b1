"""Who is offered what: how often, at what discount, how often taken, and how unevenly. Pure.

A disparity ratio is a group's figure over the best group's; under four fifths it is worth a look, as
the US Uniform Guidelines on Employee Selection Procedures (29 CFR 1607.4 D) put it. It is only said
where the two intervals do not touch, and never of a group of which too little is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

LEAST = 30  # of what a figure is out of
FOUR_FIFTHS = 0.8
_Z = 1.959963984540054  # 95 %, two-sided


class Finding(StrEnum):
    """What can be said of a group's figure beside the best group's."""

    BEST = "best"
    EVEN = "even"
    LOWER = "lower"
    UNCLEAR = "unclear"
    TOO_FEW = "too_few"
    ALONE = "nothing_to_compare"


@dataclass(frozen=True, slots=True)
class AuditCell:
    """Decisions of one segment in one region, holdouts not among them.

    offered: those that held an offer; of these, accepted: added in the checkout or ordered.
    discount: sum of each decision's deepest discount in percent, 0 where it had none; discount_squares:
    the sum of their squares. None for a segment or a region that was not written down.
    """

    segment: str | None
    region: str | None
    decisions: int
    offered: int = 0
    accepted: int = 0
    discount: float = 0.0
    discount_squares: float = 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A share, or a mean, with its 95 % interval; all None where the denominator is 0.

    of: the denominator. to_best, to_all: over the best group's and over everybody's.
    """

    of: int
    value: float | None
    low: float | None
    high: float | None
    to_best: float | None = None
    to_all: float | None = None
    finding: Finding = Finding.ALONE


@dataclass(frozen=True, slots=True)
class Group:
    """What one group was offered. discount: mean depth in percent of the decisions that offered something."""

    name: str | None
    decisions: int
    exposure: Figure
    discount: Figure
    acceptance: Figure


@dataclass(frozen=True, slots=True)
class Audit:
    """What everybody was offered, and each segment and region, most decisions first."""

    everybody: Group
    by_segment: tuple[Group, ...]
    by_region: tuple[Group, ...]


def audit(served: Iterable[AuditCell]) -> Audit:
    """Return the figures of the decisions, beside each other."""
    rows = list(served)
    everybody = _figures(None, rows)
    return Audit(
        everybody=everybody,
        by_segment=_compared(_grouped(rows, lambda row: row.segment), everybody),
        by_region=_compared(_grouped(rows, lambda row: row.region), everybody),
    )


def share(hits: int, of: int) -> Figure:
    """Return the share with its Wilson score interval (Wilson, 1927)."""
    if not of:
        return Figure(0, None, None, None)
    p, z2 = hits / of, _Z * _Z
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    return Figure(of, p, max(0.0, middle - half), min(1.0, middle + half))


def mean(total: float, squares: float, of: int) -> Figure:
    """Return the mean of values that are never negative, with its normal interval.

    total, squares: the sums of the values and of their squares.
    """
    if not of:
        return Figure(0, None, None, None)
    middle = total / of
    variance = max(0.0, squares - of * middle * middle) / (of - 1) if of > 1 else 0.0
    half = _Z * sqrt(variance / of)
    return Figure(of, middle, max(0.0, middle - half), middle + half)


def compared(figures: Sequence[Figure], everybody: Figure) -> list[Figure]:
    """Return the figures with their ratios to the best of them and to everybody's, and what that says."""
    known = [each for each in figures if each.of >= LEAST]
    best = max(known, key=lambda each: each.value or 0.0) if len(known) > 1 else None
    return [_beside(each, best, everybody) for each in figures]


def _beside(figure: Figure, best: Figure | None, everybody: Figure) -> Figure:
    if figure.of < LEAST:
        return Figure(figure.of, figure.value, figure.low, figure.high, finding=Finding.TOO_FEW)
    return Figure(
        figure.of,
        figure.value,
        figure.low,
        figure.high,
        to_best=_ratio(figure, best) if best else None,
        to_all=_ratio(figure, everybody),
        finding=_finding(figure, best) if best else Finding.ALONE,
    )


def _finding(figure: Figure, best: Figure) -> Finding:
    ratio = _ratio(figure, best)
    if ratio is None:  # nobody had any
        return Finding.EVEN
    if figure is best:
        return Finding.BEST
    if ratio >= FOUR_FIFTHS:
        return Finding.EVEN
    assert figure.high is not None
    assert best.low is not None
    return Finding.LOWER if figure.high < best.low else Finding.UNCLEAR


def _ratio(figure: Figure, to: Figure) -> float | None:
    return figure.value / to.value if figure.value is not None and to.value else None


def _grouped(rows: Iterable[AuditCell], name: Callable[[AuditCell], str | None]) -> list[Group]:
    """Return the groups, most decisions first."""
    groups: dict[str | None, list[AuditCell]] = {}
    for row in rows:
        groups.setdefault(name(row), []).append(row)
    found = [_figures(each, members) for each, members in groups.items()]
    return sorted(found, key=lambda group: (-group.decisions, group.name or ""))


def _figures(name: str | None, rows: Sequence[AuditCell]) -> Group:
    decisions = sum(row.decisions for row in rows)
    offered = sum(row.offered for row in rows)
    depth, squares = sum(row.discount for row in rows), sum(row.discount_squares for row in rows)
    return Group(
        name=name,
        decisions=decisions,
        exposure=share(offered, decisions),
        discount=mean(depth, squares, offered),
        acceptance=share(sum(row.accepted for row in rows), offered),
    )


def _compared(groups: Sequence[Group], everybody: Group) -> tuple[Group, ...]:
    exposures = compared([group.exposure for group in groups], everybody.exposure)
    discounts = compared([group.discount for group in groups], everybody.discount)
    acceptances = compared([group.acceptance for group in groups], everybody.acceptance)
    return tuple(
        Group(group.name, group.decisions, exposure, discount, acceptance)
        for group, exposure, discount, acceptance in zip(
            groups, exposures, discounts, acceptances, strict=True
        )
    )
