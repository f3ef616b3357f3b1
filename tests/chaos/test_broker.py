"""A broker behind the event log: RabbitMQ killed under load, and workers with events of either in hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.events.broker import open_broker
from app.events.broker_ledger import BrokerLedger
from app.events.log import STREAM
from tests.brokers import RabbitServer, kafka, new_topic, rabbitmq
from tests.chaos.stage import Stage, staged, until
from tests.chaos.test_faults import in_full_only, surviving

_QUIET_S = 30.0


@pytest.fixture(scope="module")
def broker() -> Iterator[RabbitServer]:
    with rabbitmq() as server:
        yield server


@pytest.fixture
async def stage(tmp_path: Path, broker: RabbitServer) -> AsyncIterator[Stage]:
    async with staged(tmp_path, event_log_url=broker.url) as made:
        yield made


async def nothing_is_left(stage: Stage) -> None:
    async def handled() -> bool:
        return await BrokerLedger(stage.connections.redis).count_unhandled() == 0

    await until(handled)


async def nothing_is_given_out(stage: Stage) -> None:
    """Return once the broker has nothing for anybody.

    Notes may be left: who dies between the broker's word and theirs leaves them to echoes, which take long.
    """

    async def sent() -> bool:
        return await stage.connections.redis.xlen(STREAM) == 0

    async def read_to_its_end() -> bool:
        await until(sent)
        await stage.worker.stop()
        async with open_broker(stage.settings.event_log_url or "") as broker:
            await broker.subscribe()
            given = await broker.receive(1, _QUIET_S)
        if given:  # the worker ended with it in hand
            await stage.worker.start()
            await asyncio.sleep(_QUIET_S)
        return not given

    await until(read_to_its_end)


@in_full_only
async def test_a_rabbitmq_killed_under_load_loses_and_doubles_nothing(
    stage: Stage, broker: RabbitServer
) -> None:
    async with surviving(stage, "rabbitmq killed") as traffic:
        for _ in range(2):
            await asyncio.to_thread(broker.kill)
            await asyncio.sleep(3)
            await asyncio.to_thread(broker.start)
            await asyncio.sleep(3)
    assert "unreachable" not in traffic.answers
    await nothing_is_left(stage)


@in_full_only
async def test_a_worker_killed_with_events_of_rabbitmq_in_hand_loses_and_doubles_nothing(
    stage: Stage,
) -> None:
    await kill_workers(stage, "worker with rabbitmq killed")


@in_full_only
async def test_a_worker_killed_with_events_of_kafka_in_hand_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with kafka() as url:
        async with staged(tmp_path, event_log_url=new_topic(url)) as stage:
            await kill_workers(stage, "worker with kafka killed")


async def kill_workers(stage: Stage, fault: str) -> None:
    async with surviving(stage, fault) as traffic:
        for _ in range(3):
            await stage.worker.kill()
            await stage.worker.start()
            await asyncio.sleep(3)
    assert "unreachable" not in traffic.answers
    await nothing_is_given_out(stage)
