"""What visitors allowed, week by week, from the decisions made under it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.consent.policy import PURPOSES, Rung

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Decisions of one week that reached one rung under the same purposes. week: counted from 0."""

    week: int
    rung: str
    permitted: tuple[str, ...]
    decisions: int


@dataclass(frozen=True, slots=True)
class Week:
    """One week's decisions, by the rung they reached and by each purpose that was allowed."""

    starts_at: datetime
    decisions: int
    rungs: dict[str, int]
    purposes: dict[str, int]


def weeks(allowed: Iterable[Allowed], starts: Iterable[datetime]) -> list[Week]:
    """Return the weeks that begin at these moments, those without a decision too."""
    rows = list(allowed)
    return [_week(starts_at, [row for row in rows if row.week == n]) for n, starts_at in enumerate(starts)]


def whole(several: Iterable[Week]) -> Week | None:
    """Return all the weeks as one, None for none."""
    found = list(several)
    if not found:
        return None
    return Week(
        starts_at=found[0].starts_at,
        decisions=sum(each.decisions for each in found),
        rungs={rung: sum(each.rungs[rung] for each in found) for rung in Rung},
        purposes={name: sum(each.purposes[name] for each in found) for name in PURPOSES},
    )


def week_starts(until: datetime, count: int) -> list[datetime]:
    """Return when the last so many weeks began, oldest first; the last one ends at `until`."""
    return [until - WEEK * (count - n) for n in range(count)]


def _week(starts_at: datetime, rows: list[Allowed]) -> Week:
    return Week(
        starts_at=starts_at,
        decisions=sum(row.decisions for row in rows),
        rungs={rung: sum(row.decisions for row in rows if row.rung == rung) for rung in Rung},
        purposes={name: sum(row.decisions for row in rows if name in row.permitted) for name in PURPOSES},
    )
