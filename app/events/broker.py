"""What a message broker does for the event log, where EVENT_LOG_URL names one.

Its module, and the packages it needs, are loaded only then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from app.broker_address import broker_address

NOBODYS = "0-0"  # an entry that is none of ours: somebody else wrote it there
_PATIENCE_S = 1.0  # with one server, before the next is tried
_MODULES = {"amqp": "app.events.rabbitmq", "kafka": "app.events.kafka"}


class BrokerAway(ConnectionError):
    """The broker does not answer, or not as it should: an outage, and no event's fault."""


@dataclass(frozen=True, slots=True)
class Copy:
    """An entry of the log as a broker has it. body: sealed. place: where the broker has it."""

    entry_id: str
    body: bytes
    place: object = None


class Broker(Protocol):
    """A queue on disk: what one took is given out, in that order, until it is acknowledged.

    Whatever goes wrong raises BrokerAway.
    """

    async def welcomes(self) -> None:
        """Return if it would take copies, as far as that can be found out without leaving one there."""

    async def publish(self, copies: Sequence[Copy]) -> Mapping[str, str]:
        """Return once all are on disk but those it never takes: these by their entry, with the reason."""

    async def subscribe(self) -> None:
        """Let what is there be given out to this connection too."""

    async def receive(self, count: int, wait_s: float) -> list[Copy]:
        """Return the next copies; waits so long for the first."""

    async def acknowledge(self, copies: Sequence[Copy]) -> Sequence[Copy]:
        """Return those of the copies that it gives out to nobody else again, once it knows."""


def open_broker(url: str) -> AbstractAsyncContextManager[Broker]:
    """Return a connection to the broker. Closed on leaving: what it holds is given out again."""
    address = broker_address(url)
    module = import_module(_MODULES[address.engine])
    return cast(AbstractAsyncContextManager[Broker], module.opened(url, address))


async def check_reachable(url: str) -> None:
    """Return when one of the broker's servers takes a connection. Raises BrokerAway."""
    for host, port in broker_address(url).servers:
        with suppress(OSError):
            async with asyncio.timeout(_PATIENCE_S):
                _reader, writer = await asyncio.open_connection(host, port)
            writer.close()
            return
    raise BrokerAway("no server takes a connection")
