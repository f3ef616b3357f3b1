"""Promised against accepted as points of a picture, drawn by the server. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.admin.figures import percent
from app.admin.language import _
from app.recommend.drift import Bin

SIZE, MARGIN = 220, 12


@dataclass(frozen=True, slots=True)
class Curve:
    """A reliability diagram. points: of an SVG polyline; dots: of each bin; ideal: where they would lie.

    most: the share in percent that the axes end at. says: the picture in words.
    """

    points: str
    dots: tuple[tuple[float, float], ...]
    ideal: tuple[float, float, float, float]
    most: str
    says: str


def curve(bins: Sequence[Bin]) -> Curve:
    """Return what was accepted (upwards) of what was promised (to the right), bin by bin."""
    most = max((max(each.promised, each.accepted) for each in bins), default=0.0) or 1.0
    dots = tuple((_at(each.promised / most), _at(1 - each.accepted / most)) for each in bins)
    said = "; ".join(_point(each) for each in bins)
    return Curve(
        " ".join(f"{x},{y}" for x, y in dots), dots, (_at(0), _at(1), _at(1), _at(0)), percent(most, 1), said
    )


def _point(each: Bin) -> str:
    told = {"promised": percent(each.promised, 1), "accepted": percent(each.accepted, 1)}
    return _("expected %(promised)s, accepted %(accepted)s", **told)


def _at(share: float) -> float:
    return round(MARGIN + (SIZE - 2 * MARGIN) * share, 1)
