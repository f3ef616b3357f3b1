"""Moments as columns, split by time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.intent.features import FEATURES
from app.intent.fitting import Flags, Floats
from app.intent.moments import LEAKY, Moment

Ints = NDArray[np.int64]

# What a shop's own model needs.
FEWEST_VISITS = 300
FEWEST_PURCHASES = 30  # by as many visits, in what is learnt from and in what is tested


@dataclass(frozen=True, slots=True)
class Table:
    """Moments as columns, by when their visit began. visit: which visit, from 0 on in that order.

    features: float64 of shape (moments, FEATURES). leaky: of shape (moments, LEAKY).
    """

    features: Floats
    leaky: Floats
    now: Flags
    ever: Flags
    visit: Ints
    cart_alone: Flags

    def __len__(self) -> int:
        return len(self.visit)

    @property
    def visits(self) -> int:
        """Return how many visits there are."""
        return int(self.visit[-1] - self.visit[0]) + 1 if len(self) else 0

    @property
    def purchases(self) -> int:
        """Return how many visits bought."""
        return len(np.unique(self.visit[self.ever]))

    def label(self, name: str) -> Flags:
        """Return whether an order followed: `now` within five minutes, `visit` within the visit."""
        return self.now if name == "now" else self.ever

    def where(self, kept: Flags) -> Table:
        """Return the moments that are kept."""
        return Table(
            self.features[kept], self.leaky[kept], self.now[kept],
            self.ever[kept], self.visit[kept], self.cart_alone[kept],
        )  # fmt: skip


def table_of(moments: Sequence[tuple[int, Moment]]) -> Table:
    """Return the moments as a table. Each comes with its browser's number."""
    ordered = sorted(moments, key=lambda each: (each[1].began, each[0]))
    names = [(moment.began, browser) for browser, moment in ordered]
    place = {name: at for at, name in enumerate(dict.fromkeys(names))}
    found = [moment for _, moment in ordered]
    return Table(
        features=np.array([each.features for each in found]).reshape(len(found), len(FEATURES)),
        leaky=np.array([each.leaky for each in found]).reshape(len(found), len(LEAKY)),
        now=np.array([each.soon for each in found], dtype=np.bool_),
        ever=np.array([each.ever for each in found], dtype=np.bool_),
        visit=np.array([place[name] for name in names], dtype=np.int64),
        cart_alone=np.array([each.cart_alone for each in found], dtype=np.bool_),
    )


def halves(table: Table, share: float) -> tuple[Flags, Flags]:
    """Return which moments are of earlier visits, and which of the latest share of visits."""
    cut = table.visit[0] + round(table.visits * (1 - share))
    return table.visit < cut, table.visit >= cut
