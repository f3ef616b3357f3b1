"""Products that were shown, and what their shoppers made of them: taken, sent away, or left. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Showing:
    """A product that a decision's ranking offered and a browser drew. place: 0 is the first offer's.

    shopper: tells people apart and no more. taken: accepted, or in an order that stands.
    """

    at: datetime
    shopper: str
    surface: str
    place: int
    product_id: int
    taken: bool = False
    sent_away: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Showings:
    """Showings as aligned arrays, one entry each, the oldest first.

    product_id: int64. spot: int64, which surface and place, as small numbers. shopper: int64, the same.
    taken, sent_away: bool.
    """

    product_id: NDArray[np.int64]
    spot: NDArray[np.int64]
    shopper: NDArray[np.int64]
    taken: NDArray[np.bool_]
    sent_away: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.product_id)

    def these(self, rows: Any) -> Self:
        """Return these of the showings."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def showings_of(told: Iterable[Showing]) -> Showings:
    """Return the showings as arrays, by time."""
    rows = sorted(told, key=lambda each: (each.at, each.shopper, each.place))
    return Showings(
        product_id=np.array([each.product_id for each in rows], dtype=np.int64),
        spot=_numbered((each.surface, each.place) for each in rows),
        shopper=_numbered(each.shopper for each in rows),
        taken=np.array([each.taken for each in rows], dtype=np.bool_),
        sent_away=np.array([each.sent_away for each in rows], dtype=np.bool_),
    )


def _numbered(names: Iterable[object]) -> NDArray[np.int64]:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
