"""What keeps a request from being done yet: above all events that a broker has, in which nobody is found."""

from __future__ import annotations

from app.connections import Connections
from app.errors import TillwiseError
from app.events.broker_ledger import BrokerLedger
from app.wording import wording

_PATIENCE_S = 5.0


class RequestIncomplete(TillwiseError):
    """Something of the person is still there, or may be: the next attempt goes on."""

    status = 503


async def wait_for_broker(connections: Connections) -> None:
    """Return once nothing that was told until now is with a broker. Raises RequestIncomplete."""
    moved = BrokerLedger(connections.redis)
    if not await moved.passes(await moved.now(), _PATIENCE_S):
        raise _waits()


async def empty_broker(connections: Connections) -> None:
    """Return once nothing told until now is with a broker, or can be read there. Raises RequestIncomplete."""
    if not await BrokerLedger(connections.redis).is_emptied(_PATIENCE_S):
        raise _waits()


def _waits() -> RequestIncomplete:
    return RequestIncomplete(
        wording(
            "Events from before are still being handled, and one may be theirs. Try again in some minutes."
        )
    )
