"""The event log's entries in RabbitMQ: in one queue that is kept on most of its nodes' disks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aiormq.abc import FieldTable
from aiormq.exceptions import (
    AMQPError,
    ChannelAccessRefused,
    ChannelInvalidStateError,
    InvalidFrameError,
    ProbableAuthenticationError,
)

from app.broker_address import BrokerAddress
from app.events.broker import NOBODYS, BrokerAway, Copy
from app.unreachable import why

QUEUE = "tillwise.events"
_IN_HAND = 500
_PATIENCE_S = 15.0
_HEARD_OF_EVERY_S = 10
# A version from 4.0 on throws away what was given out twenty times, and every worker that stops gives back
# what it held. How often an entry was tried is counted in Redis.
_KEPT: FieldTable = {"x-queue-type": "quorum", "x-delivery-limit": 2**31 - 1}


class RabbitMQ:
    """One connection, with a channel that tells what is on disk."""

    def __init__(self, channel: AbstractChannel, queue: AbstractQueue) -> None:
        self._channel = channel
        self._queue = queue
        self._given: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()

    async def welcomes(self) -> None:
        """Return where it would take copies: two are sent that lead nowhere, and are not kept.

        While its memory or disk is full, a connection's first is taken all the same.
        """
        async with _in_time():
            for _ in range(2):
                nothing = aio_pika.Message(b"")
                await self._channel.default_exchange.publish(nothing, f"{QUEUE}.nowhere", mandatory=False)

    async def publish(self, copies: Sequence[Copy]) -> Mapping[str, str]:
        """Return once all are on disk; it takes whatever is sent."""
        async with _in_time():
            exchange = self._channel.default_exchange
            messages = [_message(copy) for copy in copies]
            await asyncio.gather(*(exchange.publish(message, QUEUE) for message in messages))
        return {}

    async def subscribe(self) -> None:
        """Let what is there be given out to this connection too, some of it ahead."""
        async with _in_time():
            await self._channel.set_qos(prefetch_count=_IN_HAND)
            self._channel.close_callbacks.add(lambda *_: self._given.put_nowait(None))
            await self._queue.consume(self._given.put)

    async def receive(self, count: int, wait_s: float) -> list[Copy]:
        """Return the next copies; waits so long for the first."""
        given: list[AbstractIncomingMessage | None] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                given.append(await self._given.get())
        while given and len(given) < count and not self._given.empty():
            given.append(self._given.get_nowait())
        if self._channel.is_closed or None in given:
            raise BrokerAway("RabbitMQ: the connection was lost")
        return [_copy(message) for message in given if message]

    async def acknowledge(self, copies: Sequence[Copy]) -> Sequence[Copy]:
        """Return the copies, once the broker knows that they are not to be given out again."""
        if not copies:
            return copies
        async with _in_time():
            for copy in copies:
                assert isinstance(copy.place, AbstractIncomingMessage)
                await copy.place.ack()
            await self._queue.declare()  # nothing answers an acknowledgement; this is answered after it
        return copies


@asynccontextmanager
async def opened(url: str, address: BrokerAddress) -> AsyncIterator[RabbitMQ]:
    """Yield a connection, with the queue there."""
    with _named():
        connection = await aio_pika.connect(_with_heartbeat(url), timeout=_PATIENCE_S)
    try:
        async with _in_time():
            channel = await connection.channel(publisher_confirms=True)
            queue = await channel.declare_queue(QUEUE, durable=True, arguments=_KEPT)
        yield RabbitMQ(channel, queue)
    finally:
        with suppress(AMQPError, OSError, RuntimeError):
            await connection.close()


def _with_heartbeat(url: str) -> str:
    """Return the address with how often either end is heard of, unless it says so itself. Pure.

    Three times so long a silence ends the connection; what the server would have is a minute.
    """
    if "heartbeat=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}heartbeat={_HEARD_OF_EVERY_S}"


def _message(copy: Copy) -> aio_pika.Message:
    return aio_pika.Message(
        copy.body, message_id=copy.entry_id, delivery_mode=aio_pika.DeliveryMode.PERSISTENT
    )


def _copy(message: AbstractIncomingMessage) -> Copy:
    return Copy(message.message_id or NOBODYS, message.body, message)


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    with _named():
        async with asyncio.timeout(_PATIENCE_S):
            yield


@contextmanager
def _named() -> Iterator[None]:
    """Raise BrokerAway for whatever goes wrong inside. What errors of the library say may hold a password."""
    try:
        yield
    except BrokerAway:
        raise
    except (AMQPError, ChannelInvalidStateError, OSError, TimeoutError, RuntimeError) as error:
        raise BrokerAway(f"RabbitMQ: {_why(error) or why(error) or type(error).__name__}") from error


def _why(error: BaseException) -> str | None:
    match error:
        case ProbableAuthenticationError():
            return "the user or the password is refused"
        case InvalidFrameError():  # it was closed instead of opened
            return "there is no such virtual host, or the user may not use it"
        case ChannelAccessRefused():
            return f"the user may not do all of it: configure and read {QUEUE}, write to amq.default"
    return None
