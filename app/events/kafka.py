"""The event log's entries in Kafka: in a topic that all workers read as one group.

librdkafka waits in threads of its own; what may wait for it is called in a thread of ours.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from app.broker_address import BrokerAddress
from app.events.broker import NOBODYS, BrokerAway, Copy

TOPIC = "tillwise-events"
_PATIENCE_S = 15.0
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Place:
    partition: int
    offset: int


@dataclass(slots=True)
class _Given:
    """What of a partition was given out. after: the offset that follows it."""

    after: int = 0
    in_hand: set[int] = field(default_factory=set)

    def handled(self) -> int:
        """Return up to where everything is acknowledged."""
        return min(self.in_hand, default=self.after)


class Kafka:
    """A producer, and a member of the group once it takes part in it."""

    def __init__(self, options: dict[str, Any], topic: str) -> None:
        self._options = options
        self._topic = topic
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kafka")
        self._given: dict[int, _Given] = {}
        self._producer: Any = None
        self._reader: Any = None
        self._heard = ""

    async def open(self) -> None:
        """Ask for the topic: without an answer nothing else is to be tried."""
        sending = {"acks": "all", "enable.idempotence": True, "delivery.timeout.ms": int(_PATIENCE_S * 1_000)}
        with _named():
            self._producer = Producer(self._options | sending | {"error_cb": self._hear}, logger=_log)
        try:
            known = await self._call(lambda: self._producer.list_topics(self._topic, _PATIENCE_S))
        except BrokerAway as error:
            await self._call(lambda: self._producer.poll(0))
            raise BrokerAway(f"Kafka: {self._heard or 'no server answers: perhaps it wants TLS'}") from error
        if refused := known.topics[self._topic].error:
            raise BrokerAway(f"Kafka: the topic {self._topic} can't be used: {refused.name()}")

    def _hear(self, error: KafkaError) -> None:
        """Keep the first error of a server: of a failed attempt the client says only that none answered."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._heard = self._heard or error.str()

    async def close(self) -> None:
        """Leave the group, so that others need not wait until this member is missed."""
        try:
            if self._reader is not None:
                await self._call(self._reader.close)
        finally:
            self._thread.shutdown(wait=False)

    async def welcomes(self) -> None:
        """Do nothing: only by sending something, which would be kept, could one tell whether we may write."""

    async def publish(self, copies: Sequence[Copy]) -> Mapping[str, str]:
        """Return once all are with every replica in step, but what is larger than Kafka takes."""
        return await self._call(lambda: _published(self._producer, self._topic, copies))

    async def subscribe(self) -> None:
        """Take part in the group; what it has not read yet is read from the topic's start."""
        reading = {"group.id": self._topic, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
        self._reader = Consumer(self._options | reading, logger=_log)

        def lose(_reader: object, partitions: Sequence[TopicPartition]) -> None:
            for each in partitions:
                self._given.pop(each.partition, None)

        await self._call(lambda: self._reader.subscribe([self._topic], on_revoke=lose, on_lost=lose))

    async def receive(self, count: int, wait_s: float) -> list[Copy]:
        """Return the next copies; waits so long for the first."""
        messages = await self._call(lambda: _received(self._reader, count, wait_s))
        for message in messages:
            given = self._given.setdefault(message.partition(), _Given())
            given.after = message.offset() + 1
            given.in_hand.add(message.offset())
        return [_copy(message) for message in messages]

    async def acknowledge(self, copies: Sequence[Copy]) -> Sequence[Copy]:
        """Return those of partitions that still are this member's, once Kafka knows how far those are."""
        ours = [copy for copy in copies if _place(copy).partition in self._given]
        for copy in ours:
            self._given[_place(copy).partition].in_hand.discard(_place(copy).offset)
        partitions = {_place(copy).partition for copy in ours}
        told = [TopicPartition(self._topic, each, self._given[each].handled()) for each in partitions]
        if told:
            answer = await self._call(lambda: self._reader.commit(offsets=told, asynchronous=False))
            _raise_first([each.error for each in answer])
        return ours

    async def _call(self, work: Callable[[], _T]) -> _T:
        with _named():
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)


@asynccontextmanager
async def opened(_url: str, address: BrokerAddress) -> AsyncIterator[Kafka]:
    """Yield a connection to a Kafka that has the topic."""
    trusted = os.environ.get("SSL_CERT_FILE")  # librdkafka has an OpenSSL of its own
    kafka = Kafka(options_of(address, trusted), address.path or TOPIC)
    try:
        await kafka.open()
        yield kafka
    finally:
        await kafka.close()


def options_of(address: BrokerAddress, trusted: str | None = None) -> dict[str, Any]:
    """Return librdkafka's settings for the address. trusted: a file of whom TLS trusts. Pure."""
    options: dict[str, Any] = {
        "bootstrap.servers": ",".join(f"{host}:{port}" for host, port in address.servers),
        "socket.timeout.ms": 10_000,
        "socket.keepalive.enable": True,
    }
    protocol = "SSL" if address.tls else "PLAINTEXT"
    if address.user:
        protocol = f"SASL_{protocol}"
        options |= {"sasl.username": address.user, "sasl.password": address.password}
        options |= {"sasl.mechanism": "SCRAM-SHA-512"}
    if address.tls and trusted:
        options["ssl.ca.location"] = trusted
    return options | {"security.protocol": protocol} | dict(address.options)


def _published(producer: Any, topic: str, copies: Sequence[Copy]) -> dict[str, str]:
    errors: dict[str, KafkaError] = {}
    for copy in copies:

        def note(error: KafkaError | None, _message: Message, entry_id: str = copy.entry_id) -> None:
            if error is not None:
                errors[entry_id] = error

        try:  # an echo has to follow what it echoes: the same key is the same partition
            producer.produce(topic, copy.body, copy.entry_id, on_delivery=note)
        except KafkaException as error:
            errors[copy.entry_id] = error.args[0]
    if producer.flush(_PATIENCE_S + 1):
        producer.purge()
        raise BrokerAway("Kafka: not told in time that all is on disk")
    refused = {each for each, error in errors.items() if error.code() == KafkaError.MSG_SIZE_TOO_LARGE}
    _raise_first([error for each, error in errors.items() if each not in refused])
    return dict.fromkeys(refused, "larger than Kafka takes")


def _received(reader: Any, count: int, wait_s: float) -> list[Any]:
    """Return messages: the client would wait until it had as many as are asked for."""
    if (first := reader.poll(wait_s)) is None:
        return []
    messages = [first, *(reader.consume(count - 1, 0) if count > 1 else [])]
    _raise_first([message.error() for message in messages])
    return messages


def _copy(message: Any) -> Copy:
    entry_id = (message.key() or NOBODYS.encode()).decode(errors="replace")
    return Copy(entry_id, message.value() or b"", _Place(message.partition(), message.offset()))


def _place(copy: Copy) -> _Place:
    assert isinstance(copy.place, _Place)
    return copy.place


def _raise_first(errors: Sequence[KafkaError | None]) -> None:
    for error in filter(None, errors):
        raise KafkaException(error)


@contextmanager
def _named() -> Iterator[None]:
    """Raise BrokerAway, with the client's words, for whatever goes wrong inside."""
    try:
        yield
    except KafkaException as error:
        raise BrokerAway(f"Kafka: {error.args[0].str() or error.args[0].name()}") from error
    except RuntimeError as error:  # what is closed already
        raise BrokerAway(f"Kafka: {type(error).__name__}") from error
