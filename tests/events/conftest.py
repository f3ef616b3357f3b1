"""The event log as it may be: in Redis alone, and with each broker behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from app.connections import Connections
from tests.brokers import Engine, empty, engine, kafka, new_topic, rabbitmq

ENGINES = ("redis", "kafka", "rabbitmq")


@pytest.fixture(scope="session")
def kafka_url() -> Iterator[str]:
    with kafka() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[str]:
    with rabbitmq() as server:
        yield server.url


@pytest.fixture(params=ENGINES)
async def log(request: pytest.FixtureRequest, connections: Connections) -> AsyncIterator[Engine]:
    """An empty event log, once on each engine."""
    url: str | None = None
    if request.param == "kafka":
        url = new_topic(request.getfixturevalue("kafka_url"))
    if request.param == "rabbitmq":
        url = request.getfixturevalue("rabbitmq_url")
        await empty(url)
    async with engine(connections, url) as opened:
        yield opened
