"""What keeps a request from being done yet: what a worker has in hand, a broker has, or a job is writing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, get_args

from app.connections import Connections
from app.consent.barred import TURNS
from app.errors import TillwiseError
from app.events.broker_ledger import BrokerLedger
from app.events.pending import in_hand
from app.jobs import Job, turns_of
from app.outbound.marking import MARKING
from app.outbound.offer_metafield_writing import WRITING
from app.wording import wording

# In these it is written what customers are to hold in Shopify.
_OF_PEOPLE = (*TURNS, MARKING, WRITING)
# Who publishes a model waits for the shop's erasure, and then does not.
_OF_SHOP = (*_OF_PEOPLE, *sorted({*get_args(Job)} - {"train", "resume", "freshen"}))
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
    """Return once nobody writes of the shop's people by a look taken until now. Raises RequestIncomplete."""
    await _outlast(lambda: turns_of(connections, _OF_PEOPLE, shop))


async def wait_for_jobs(connections: Connections, shop: str) -> None:
    """Return once nobody writes anything of the shop by a look taken until now. Raises RequestIncomplete."""
    await _outlast(lambda: turns_of(connections, _OF_SHOP, shop))


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
