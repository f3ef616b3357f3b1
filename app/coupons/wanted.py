"""What is asked of whoever gives out codes, and what comes back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """A code wanted for one shopper: `customer:7`. The same shopper gets the same one again.

    expires_s: how long it is good for them, from when it is first given.
    """

    shop: str
    campaign_id: str
    unit: str
    expires_s: int
    now: datetime


class Granted(msgspec.Struct, frozen=True, gc=False):
    """A shopper's own code. expires_at: epoch seconds."""

    code: str
    expires_at: int


class Grant(Protocol):
    """Gives out codes: one answer for each that is wanted, in order, None where there is none left."""

    async def __call__(self, wanted: Sequence[Wanted], /) -> list[Granted | None]: ...
