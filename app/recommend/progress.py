"""How long work tells what it is doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """A stage of the work and how much of it is done."""

    stage: str
    done: int
    total: int


OnProgress = Callable[[Progress], None]


def quiet(_: Progress) -> None:
    """Listen to nobody."""
