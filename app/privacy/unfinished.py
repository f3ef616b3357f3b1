"""What keeps a request from being done yet: what a worker has in hand, a broker has, or a job is writing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from app.connections import Connections
from app.consent.barred import writing
from app.errors import TillwiseError
from app.events.broker_ledger import BrokerLedger
from app.events.hands import in_hand
from app.wording import wording

_PATIENCE_S = 5.0
_LOOK_EVERY_S = 0.05


class RequestIncomplete(TillwiseError):
    """Something of the person is still there, or may be: the next attempt goes on."""

    status = 503


async def wait_for_hands(connections: Connections) -> None:
    """Return once nothing that was told until now is with a broker or in a worker's hands.

    What is given out later is asked about first. Raises RequestIncomplete.
    """
    await _outlast(lambda: in_hand(connections.redis))
    await wait_for_broker(connections)


async def wait_for_broker(connections: Connections) -> None:
    """Return once nothing that was told until now is with a broker. Raises RequestIncomplete."""
    moved = BrokerLedger(connections.redis)
    if not await moved.passes(await moved.now(), _PATIENCE_S):
        raise _waits()


async def wait_for_writing(connections: Connections, shop: str) -> None:
    """Return once no job of the shop writes by a look it took until now. Raises RequestIncomplete."""
    await _outlast(lambda: writing(connections, shop))


async def empty_broker(connections: Connections) -> None:
    """Return once nothing told until now is with a broker, or can be read there. Raises RequestIncomplete."""
    if not await BrokerLedger(connections.redis).is_emptied(_PATIENCE_S):
        raise _waits()


async def _outlast(look: Callable[[], Awaitable[set[Any]]]) -> None:
    """Return once nothing of what is found now is found any more. Raises RequestIncomplete."""
    until = monotonic() + _PATIENCE_S
    found = await look()
    while found:
        if monotonic() >= until:
            raise _waits()
        await asyncio.sleep(_LOOK_EVERY_S)
        found &= await look()


def _waits() -> RequestIncomplete:
    return RequestIncomplete(
        wording(
            "Events from before are still being handled, and one may be theirs. Try again in some minutes."
        )
    )
