"""How long-running work reports its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the work and how much of it is done."""

    stage: str
    done: int
    total: int


OnProgress = Callable[[Step], None]


def quiet(_: Step) -> None:
    """Ignore progress."""
