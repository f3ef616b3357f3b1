"""What a look at an installation or a shop found, and how it is said."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from app.errors import TillwiseError
from app.events.broker import BrokerAway
from app.unreachable import why


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    says: str


class Fault(TillwiseError):
    """What a look found wrong, and what to do."""


async def looked(name: str, look: Awaitable[str]) -> Finding:
    try:
        return Finding(name, True, await look)
    except (TillwiseError, BrokerAway) as error:
        return Finding(name, False, str(error))
    except Exception as error:  # whatever it says is the finding
        said, _, _ = str(error).partition("\n")
        return Finding(name, False, why(error) or f"{type(error).__name__}: {said}")
