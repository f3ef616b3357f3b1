"""An interval as a line beside zero, drawn by the server. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from app.experiments.analysis import Interval

WIDTH, MARGIN = 160, 6


@dataclass(frozen=True, slots=True)
class Drawn:
    """Where the interval begins and ends, where its middle and where nothing lies. says: in words."""

    low: float
    value: float
    high: float
    zero: float
    tone: str
    says: str


def drawn(interval: Interval, says: str, *, better: int) -> Drawn:
    """Return the interval as it is drawn, with zero in view. better: 1 where more is, -1 where less."""
    left, right = min(interval.low, 0.0), max(interval.high, 0.0)
    span = right - left or 1.0

    def at(value: float) -> float:
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (value - left) / span, 1)

    ends = at(interval.low), at(interval.value), at(interval.high), at(0.0)
    return Drawn(*ends, _tone(interval, better), says)


def _tone(interval: Interval, better: int) -> str:
    if interval.low <= 0 <= interval.high:
        return "open"
    return "good" if interval.low * better > 0 else "bad"
