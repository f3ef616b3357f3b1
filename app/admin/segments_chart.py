"""Sizes over time as points of a line, drawn by the server. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.admin.figures import NOTHING, day, number
from app.admin.language import _

WIDTH, HEIGHT, MARGIN = 160, 32, 3


@dataclass(frozen=True, slots=True)
class Line:
    """A segment's size day by day. points: of an SVG polyline. last: where it ends. says: in words."""

    points: str
    last: tuple[float, float]
    says: str


def line(days: Mapping[str, Mapping[str, int]], segment: str) -> Line | None:
    """Return the line of a segment, None before there are two days to draw it through.

    days: sizes by segment, by day as `2026-11-25`, oldest first; a segment that a day does not name
    was empty.
    """
    if len(days) < 2:
        return None
    counts = {date.fromisoformat(each): sizes.get(segment, 0) for each, sizes in days.items()}
    first, most = min(counts), max(counts.values())
    span = max((max(counts) - first).days, 1)
    placed = [
        (
            round(MARGIN + (WIDTH - 2 * MARGIN) * (each - first).days / span, 1),
            round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * count / max(most, 1), 1),
        )
        for each, count in counts.items()
    ]
    return Line(" ".join(f"{x},{y}" for x, y in placed), placed[-1], _says(counts))


def change(days: Mapping[str, Mapping[str, int]], segment: str, now: int) -> str:
    """Return by how much a segment grew since the first day, a dash before there are two."""
    if len(days) < 2:
        return NOTHING
    grown = now - next(iter(days.values())).get(segment, 0)
    return f"{'+' if grown > 0 else ''}{number(grown)}"


def _says(counts: Mapping[date, int]) -> str:
    (first, begun), (last, ended) = next(iter(counts.items())), list(counts.items())[-1]
    return _(
        "%(begun)s on %(first)s, %(ended)s on %(last)s, between %(least)s and %(most)s",
        begun=begun, first=day(first), ended=ended, last=day(last),
        least=min(counts.values()), most=max(counts.values()),
    )  # fmt: skip
