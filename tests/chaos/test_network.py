"""Every packet to a store lost in silence: what was acknowledged is there once, checkouts are answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.brokers import rabbitmq
from tests.chaos.network import FarNetwork, far_network
from tests.chaos.stage import Stage, staged
from tests.chaos.test_database import postgres  # noqa: F401  (a fixture)
from tests.chaos.test_faults import in_full_only, surviving
from tests.chaos.traffic import Traffic
from tests.way import way_to

LOST_S = 20  # longer than a connection is kept that nothing is heard on


@pytest.fixture
def network() -> Iterator[FarNetwork]:
    with far_network() as made:
        yield made


@asynccontextmanager
async def losing(stage: Stage, network: FarNetwork, fault: str) -> AsyncIterator[Traffic]:
    """Yield what was asked meanwhile, once all is well again."""
    async with surviving(stage, fault) as traffic:
        network.drop()
        await asyncio.sleep(LOST_S)
        network.carry()
    assert "unreachable" not in traffic.answers
    yield traffic


@in_full_only
async def test_packets_to_redis_that_are_lost_cost_nothing_that_was_acknowledged(
    tmp_path: Path, network: FarNetwork
) -> None:
    async with way_to(str(tmp_path / "redis.sock"), network.listener()) as way:
        redis_url = f"redis://{network.address}:{way.port}/0"
        async with (
            staged(tmp_path, redis_url=redis_url) as stage,
            losing(stage, network, "no packet to redis") as traffic,
        ):
            assert set(traffic.answers) & {"log", "redis"}


@in_full_only
async def test_packets_to_postgresql_that_are_lost_cost_nothing_that_was_acknowledged(
    tmp_path: Path,
    network: FarNetwork,
    postgres: object,  # noqa: F811
) -> None:
    there = make_url(postgres.get_uri())  # type: ignore[attr-defined]
    async with way_to(f"{there.query['host']}/.s.PGSQL.5432", network.listener()) as way:
        url = f"postgresql://postgres@{network.address}:{way.port}/postgres?sslmode=disable"
        async with (
            staged(tmp_path, url) as stage,
            losing(stage, network, "no packet to postgresql") as traffic,
        ):
            assert traffic.refused[503]
            assert set(traffic.answers) == {"none"}


@in_full_only
async def test_packets_to_rabbitmq_that_are_lost_cost_nothing_that_was_acknowledged(
    tmp_path: Path, network: FarNetwork
) -> None:
    with rabbitmq() as broker:
        async with way_to(broker.port, network.listener()) as way:
            url = f"amqp://guest:guest@{network.address}:{way.port}/"
            async with (
                staged(tmp_path, event_log_url=url) as stage,
                losing(stage, network, "no packet to rabbitmq") as traffic,
            ):
                # Not that no note is left: of what was acknowledged while it was cut off an echo comes later.
                assert set(traffic.answers) <= {"none", "log", "redis"}  # a busy machine may be slow
