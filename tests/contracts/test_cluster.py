"""What holds on a Redis Cluster beyond what holds on any engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.exceptions import RedisError

from app import tracing
from app.batching import batched_reads
from app.config import Settings, read_settings
from app.connections import Connections, connect, redis_key
from app.doctor import examine
from app.errors import ConfigError
from app.events.broker_ledger import KEYS, BrokerLedger
from app.events.kinds import AppUninstalled
from app.events.log import STREAM, EventConsumer, EventLog
from app.events.move import move_events
from app.redis_address import ClusterAddress, cluster_address
from app.redis_cluster import key_on_each_node
from tests.brokers import engine, kafka, new_topic, read
from tests.cluster import PASSWORD, Nodes, node_client
from tests.conftest import ENVIRONMENT
from tests.traced import kept_spans

EVENT = AppUninstalled(shop="a.myshopify.com", event_id="e", happened_at=datetime(2026, 11, 1, tzinfo=UTC))
SHOPS = [f"shop-{number}.myshopify.com" for number in range(30)]


@pytest.fixture
async def connections(settings: Settings, cluster: Nodes) -> AsyncIterator[Connections]:
    async with connect(settings, cluster.url) as opened:
        await opened.redis.flushall()
        yield opened


@pytest.fixture
def whole_again(cluster: Nodes) -> Iterator[None]:
    yield
    cluster.wait_until_whole()


def of_node(connections: Connections, port: int) -> str:
    """Return a key of a shop whose values are on the node."""
    redis: Any = connections.redis
    keys = (redis_key(shop, "n") for shop in SHOPS)
    return next(key for key in keys if redis.place_of(key) == f"127.0.0.1:{port}")


async def test_values_of_many_shops_come_in_the_order_of_their_keys(connections: Connections) -> None:
    keys = [redis_key(shop, "n") for shop in SHOPS]
    for key in keys[1:]:
        await connections.redis.set(key, key)
    assert await connections.redis.mget(keys) == [None, *(key.encode() for key in keys[1:])]


async def test_all_who_ask_first_at_the_same_time_are_answered(settings: Settings, cluster: Nodes) -> None:
    async with connect(settings, cluster.url) as fresh:
        redis = fresh.redis

        async def lock(shop: str) -> bool:
            async with redis.lock(redis_key(shop, "lock"), timeout=60):
                return True

        async def subscribe() -> bool:
            async with redis.pubsub() as channel:
                await channel.subscribe("news")
                return channel.subscribed

        keys = [redis_key(shop, "n") for shop in SHOPS]
        sets, locks = [redis.set(key, 1) for key in keys], map(lock, SHOPS)
        assert all(await asyncio.gather(*sets, *locks, *(subscribe() for _ in range(5))))


async def test_round_trips_are_traced_by_their_commands(settings: Settings, cluster: Nodes) -> None:
    with kept_spans() as kept:
        async with connect(settings, cluster.url) as traced:
            with tracing.span("job train"):
                await traced.redis.set(redis_key(SHOPS[0], "n"), 1)
                async with traced.redis.pipeline(transaction=False) as pipe:
                    for shop in SHOPS:
                        pipe.get(redis_key(shop, "n"))
                    assert (await pipe.execute())[0] == b"1"
            await traced.redis.delete(redis_key(SHOPS[0], "n"))
    names = [span.name for span in kept.get_finished_spans()]
    assert names == ["redis SET", "redis pipeline", "job train"]


async def test_a_pipeline_answers_in_the_order_of_its_commands(connections: Connections) -> None:
    async with connections.redis.pipeline(transaction=False) as pipe:
        for number, shop in enumerate(SHOPS):
            pipe.eval("return tonumber(ARGV[1])", 1, redis_key(shop, "n"), number)
        assert await pipe.execute() == [*range(30)]


async def test_a_transaction_begins_again_when_what_it_read_has_changed(connections: Connections) -> None:
    key, beside = redis_key(SHOPS[0], "n"), redis_key(SHOPS[0], "beside")
    read = []

    async def add(pipe: Any) -> None:
        (value,) = await pipe.mget([key])
        read.append(value)
        if len(read) == 1:
            await connections.redis.set(key, 5)
        pipe.multi()
        pipe.set(key, int(value or 0) + 1)
        pipe.delete(beside)

    await connections.redis.transaction(add, key, beside)
    assert (read, await connections.redis.get(key)) == ([None, b"5"], b"6")


async def test_there_is_a_key_on_each_node_that_goes_when_the_node_is_emptied(
    connections: Connections, cluster: Nodes
) -> None:
    keys = await key_on_each_node(connections.redis, redis_key("ledger", "told"))
    assert len(keys) == 3
    for key in keys:
        await connections.redis.set(key, 1)
    for left, port in enumerate(cluster.servers):
        with node_client(port) as node:
            assert await connections.redis.exists(*keys) == 3 - left
            node.flushall()


async def test_a_shop_whose_slot_moves_to_another_node_is_found_there(
    connections: Connections, cluster: Nodes
) -> None:
    key, redis = redis_key("moves.myshopify.com", "n"), connections.redis
    for ask in (_by_itself, _together, _in_a_transaction):
        await redis.set(key, 1)
        await _move(connections, cluster, key)
        assert await ask(redis, key) == b"1"
        assert await redis.get(key) == b"1"


async def _by_itself(redis: Any, key: str) -> Any:
    return await redis.get(key)


async def _together(redis: Any, key: str) -> Any:
    return (await redis.mget([redis_key(SHOPS[0], "n"), key]))[1]


async def _in_a_transaction(redis: Any, key: str) -> Any:
    async with redis.pipeline(transaction=True) as pipe:
        pipe.get(key)
        pipe.expire(key, 60)
        return (await pipe.execute())[0]


async def _move(connections: Connections, cluster: Nodes, key: str) -> None:
    """Move the key's slot to another node, without the client's knowing."""
    redis: Any = connections.redis
    here = int(redis.place_of(key).rpartition(":")[2])
    there = next(port for port in cluster.servers if port != here)
    slot = redis.slot_of("GET", key)
    with node_client(here) as giver, node_client(there) as taker:
        giver_id, taker_id = (each.execute_command("CLUSTER MYID") for each in (giver, taker))
        taker.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", giver_id)
        giver.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", taker_id)
        giver.migrate("127.0.0.1", there, key, 0, 10_000, auth=PASSWORD)
        for each in (taker, giver):
            each.execute_command("CLUSTER SETSLOT", slot, "NODE", taker_id)


async def test_a_lost_node_costs_what_it_holds_and_is_found_again(
    connections: Connections, cluster: Nodes, whole_again: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis: Any = connections.redis
    await redis.ping()
    log = redis.place_of(STREAM)
    lost, other = [port for port in cluster.servers if f"127.0.0.1:{port}" != log]
    there, gone = of_node(connections, other), of_node(connections, lost)
    await redis.set(there, b"there")
    await redis.set(gone, b"gone")
    read = batched_reads(redis, timeout_ms=5_000)
    cluster.kill(lost)
    found = await asyncio.gather(read([gone]), read([there]), return_exceptions=True)
    assert isinstance(found[0], RedisError)
    assert found[1] == [b"there"]
    assert await redis.xlen(STREAM) == 0
    assert str(lost) in await wrong(monkeypatch, cluster.url) or "slots" in await wrong(
        monkeypatch, cluster.url
    )
    cluster.start(lost)
    cluster.wait_until_whole()
    assert await read([gone]) == [b"gone"]


async def test_a_process_that_starts_while_the_logs_node_is_lost_serves_what_is_on_the_others(
    settings: Settings, cluster: Nodes, connections: Connections, whole_again: None
) -> None:
    redis: Any = connections.redis
    await redis.ping()
    lost = int(redis.place_of(STREAM).rpartition(":")[2])
    other = next(port for port in cluster.servers if port != lost)
    with node_client(other) as node:
        node.script_flush()
    cluster.kill(lost)
    async with connect(settings, cluster.url) as fresh:
        key = of_node(connections, other)
        await fresh.redis.set(key, 1)
        async with fresh.redis.lock(f"{key}:lock", timeout=60):
            assert await fresh.redis.mget([key]) == [b"1"]
        with pytest.raises(RedisError):
            await EventLog(fresh.redis).append([EVENT])
        cluster.start(lost)
        cluster.wait_until_whole()
        await EventLog(fresh.redis).append([EVENT])
        consumer = EventConsumer(fresh.redis, "test")
        await consumer.open()
        assert len(await consumer.read(block_ms=1)) == 1


async def wrong(monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    for name, value in (ENVIRONMENT | {"REDIS_URL": url}).items():
        monkeypatch.setenv(name, value)
    return {finding.name: finding.says for finding in await examine() if not finding.ok}.get("redis", "")


async def test_the_doctor_tells_what_is_wrong_with_a_cluster(
    cluster: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, *_ = cluster.servers
    assert await wrong(monkeypatch, cluster.url) == ""
    said = await wrong(monkeypatch, f"redis://:{PASSWORD}@127.0.0.1:{one}")
    assert said == "it is a node of a cluster: let REDIS_URL start with redis+cluster://"
    assert await wrong(monkeypatch, f"redis+cluster://:{PASSWORD}@127.0.0.1:1") == "nothing listens there"


async def test_the_doctor_takes_no_single_server_for_a_cluster(
    tcp_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await wrong(monkeypatch, tcp_redis_url.replace("redis://", "redis+cluster://").removesuffix("/0"))
    assert "it is a single server" in said


async def test_the_doctor_names_slots_that_nobody_serves(
    cluster: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, *_ = cluster.servers
    with node_client(one) as node:
        node.execute_command("CLUSTER DELSLOTS", 7)
        try:
            assert "slots" in await wrong(monkeypatch, cluster.url)
        finally:
            node.execute_command("CLUSTER ADDSLOTS", 7)
    cluster.wait_until_whole()


def test_an_address_names_nodes_and_who_asks() -> None:
    address = cluster_address("redis+cluster://me:p%40ss@a:7000,b,[::1]:7002")
    assert address is not None
    assert address.nodes == (("a", 7000), ("b", 6379), ("::1", 7002))
    assert (address.username, address.password) == ("me", "p@ss")
    assert "p@ss" not in repr(address)
    assert not address.tls
    assert cluster_address("rediss+cluster://a") == ClusterAddress((("a", 6379),), None, None, tls=True)
    assert cluster_address("redis://a:7000") is None


@pytest.mark.parametrize("nodes", ["", "a:7000,", "a:port", "a:7000/0", "a:7000?x=1"])
def test_an_address_that_can_not_be_read_is_refused_at_boot(nodes: str) -> None:
    with pytest.raises(ConfigError, match=r"REDIS_URL.*a:6379,b:6379"):
        read_settings(ENVIRONMENT | {"REDIS_URL": f"redis+cluster://{nodes}"})


async def test_the_log_of_a_cluster_moves_to_a_broker_and_is_read_there(connections: Connections) -> None:
    stop = asyncio.Event()
    await EventLog(connections.redis).append([EVENT])
    with kafka() as url:
        async with engine(connections, new_topic(url)) as log:
            moving = asyncio.create_task(move_events(log.connections, stop))
            reader = await log.consumer()
            (delivery,) = await read(reader, 1)
            assert (delivery.event(), delivery.deliveries) == (EVENT, 1)
            await reader.acknowledge([delivery])
            stop.set()
            await moving
            moved = BrokerLedger(connections.redis)
            assert await moved.count_unhandled() == 0
            await moved.forget_keys()
            assert await connections.redis.exists(KEYS) == 0
