"""Brokers to put behind the event log: RabbitMQ where the machine has it, Kafka as its client imitates it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from confluent_kafka import Producer

from app.connections import Connections
from app.events.broker import Broker, open_broker
from app.events.broker_consumer import BrokerConsumer, Consumer
from app.events.broker_ledger import BrokerLedger
from app.events.log import Delivery, EventConsumer, EventLog, entry_order
from app.events.move import move_batch
from app.events.rabbitmq import QUEUE
from tests.cluster import free_ports

RABBITMQ = next(
    (
        path
        for path in ("/usr/lib/rabbitmq/bin/rabbitmq-server", shutil.which("rabbitmq-server"))
        if path and Path(path).exists()
    ),
    None,
)
_PATIENCE_S = 120.0
_topics = count(1)


@contextmanager
def kafka() -> Iterator[str]:
    """Yield the address of librdkafka's own imitation of a cluster: it lives in this process."""
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 3})
    servers = [f"{each.host}:{each.port}" for each in producer.list_topics(timeout=10).brokers.values()]
    yield f"kafka://{','.join(servers)}"


def new_topic(url: str) -> str:
    """Return the address with a topic that nobody has used. Its group forms without a pause."""
    return f"{url}/t{os.getpid()}-{next(_topics)}?group.protocol=consumer"


@dataclass
class RabbitServer:
    """A RabbitMQ of one node, with a directory of its own, to be killed and started again."""

    directory: Path
    port: int
    to_nodes: int
    to_names: int
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Return once it answers."""
        assert RABBITMQ is not None
        (self.directory / "plugins").write_text("[].")
        with (self.directory / "server.log").open("ab") as log:
            for command in (["epmd", "-address", "127.0.0.1"], [RABBITMQ]):
                self.running.append(
                    subprocess.Popen(
                        command, env=self._environment(), stdout=log, stderr=log, start_new_session=True
                    )
                )
        until = time.monotonic() + _PATIENCE_S
        while not self._answers():
            assert self.running[-1].poll() is None, (self.directory / "server.log").read_text()[-2_000:]
            assert time.monotonic() < until, "RabbitMQ does not answer"
            time.sleep(0.1)

    def kill(self) -> None:
        """End it without warning."""
        while self.running:
            process = self.running.pop()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as asked:
                asked.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(asked.recv(1))
        except OSError:
            return False

    def _environment(self) -> dict[str, str]:
        places = ("MNESIA_BASE", "LOG_BASE", "PLUGINS_EXPAND_DIR")
        return {
            **os.environ,
            **{f"RABBITMQ_{name}": str(self.directory / name) for name in places},
            "HOME": str(self.directory),
            "RABBITMQ_NODENAME": f"tw{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.to_nodes),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
            "ERL_EPMD_PORT": str(self.to_names),  # nobody else's, and it ends with the server
        }


@contextmanager
def rabbitmq() -> Iterator[RabbitServer]:
    """Yield a RabbitMQ that is up, and ended on leaving."""
    if RABBITMQ is None:
        pytest.skip("RabbitMQ is not on this machine (Debian: apt-get install rabbitmq-server)")
    with tempfile.TemporaryDirectory(prefix="tw-rabbit", ignore_cleanup_errors=True) as directory:
        server = RabbitServer(Path(directory), *free_ports(3))
        try:
            server.start()
            yield server
        finally:
            server.kill()


@dataclass
class Engine:
    """An event log to test with: of Redis alone, or with a broker behind it."""

    connections: Connections
    _open: AsyncExitStack
    _brokers: dict[int, AsyncExitStack] = field(default_factory=dict)

    @property
    def url(self) -> str | None:
        return self.connections.settings.event_log_url

    async def put(self, *events: Any) -> None:
        """Append the events, and see that they are where they are read from."""
        await EventLog(self.connections.redis).append(events)
        await self.settle()

    async def settle(self) -> None:
        """See that what was appended is where it is read from."""
        if self.url:
            moved = BrokerLedger(self.connections.redis)
            async with open_broker(self.url) as broker:
                while await move_batch(moved, broker):
                    pass

    async def consumer(self, name: str = "test", idle_ms: int = 0) -> Consumer:
        """Return a reader that has begun to read."""
        reader: Consumer
        if self.url:
            held = await self._open.enter_async_context(AsyncExitStack())
            broker: Broker = await held.enter_async_context(open_broker(self.url))
            reader = BrokerConsumer(self.connections.redis, broker, idle_ms=idle_ms)
            self._brokers[id(reader)] = held
        else:
            reader = EventConsumer(self.connections.redis, name, idle_ms=idle_ms)
        await reader.open()
        return reader

    async def lose(self, reader: Consumer) -> None:
        """End a reader with what it holds."""
        if held := self._brokers.pop(id(reader), None):
            await held.aclose()


async def read(reader: Consumer, many: int) -> list[Delivery]:
    """Return so many new deliveries in order: a broker may give out one at a time."""
    found: list[Delivery] = []
    async with asyncio.timeout(_PATIENCE_S):
        while len(found) < many:
            found += await reader.read(block_ms=100)
    return sorted(found, key=lambda each: entry_order(each.entry_id))


@asynccontextmanager
async def engine(connections: Connections, url: str | None) -> AsyncIterator[Engine]:
    """Yield a log on the connections, with the broker behind it that the address names."""
    settings = dataclasses.replace(connections.settings, event_log_url=url)
    async with AsyncExitStack() as held:
        yield Engine(dataclasses.replace(connections, settings=settings), held)


async def empty(url: str) -> None:
    """Delete RabbitMQ's queue, with what another test left in it."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        await channel.queue_delete(QUEUE)
