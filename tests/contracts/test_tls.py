"""A Redis that is reached over TLS, one server and a cluster, by a certificate that this machine trusts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from redis.exceptions import RedisError

from app.config import Settings
from app.connections import Connections, connect, redis_key
from app.doctor import examine
from app.job_worker import work_jobs
from app.jobs import request_job
from tests.cluster import PASSWORD, free_ports, redis_cluster, wait_for
from tests.conftest import ENVIRONMENT
from tests.tls import make_certificate, tls_in_front

SHOP = "a.myshopify.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    make_certificate(path)
    return path


@pytest.fixture(scope="module", params=["rediss", "rediss+cluster"])
def tls_url(
    request: pytest.FixtureRequest, certificate: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    port, other = free_ports(2)
    with ExitStack() as stack:
        if request.param == "rediss":
            behind = urlsplit(request.getfixturevalue("tcp_redis_url")).port
        else:
            behind = other
            stack.enter_context(redis_cluster(tmp_path_factory.mktemp("cluster"), {behind: port}))
        stack.enter_context(tls_in_front(certificate, port, behind))
        at = f"{PASSWORD}@127.0.0.1:{port}"
        with redis.Redis.from_url(f"rediss://:{at}", ssl_ca_certs=str(certificate)) as client:
            wait_for(client.ping)
        yield f"{request.param}://:{at}"


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


async def test_values_and_news_go_over_tls(settings: Settings, tls_url: str, trusted: None) -> None:
    async with connect(settings, tls_url) as connections, connections.redis.pubsub() as channel:
        await connections.redis.set(redis_key(SHOP, "n"), 1)
        assert await connections.redis.mget([redis_key(SHOP, "n")]) == [b"1"]
        await channel.subscribe("news")
        assert await channel.get_message(timeout=60)
        await connections.redis.publish("news", b"told")
        message = await channel.get_message(timeout=60)
        assert message is not None
        assert message["data"] == b"told"


async def test_jobs_go_over_tls(settings: Settings, tls_url: str, trusted: None) -> None:
    done = asyncio.Event()

    async def work(_connections: Connections, shop: str) -> None:
        assert shop == SHOP
        done.set()

    async with connect(settings, tls_url) as connections, asyncio.timeout(60):
        await connections.redis.delete(redis_key(SHOP, "waiting", "train"))
        await request_job(connections, "train", SHOP)
        await work_jobs(connections, {"train": work}, done)


async def test_a_certificate_that_nobody_vouches_for_is_not_taken(settings: Settings, tls_url: str) -> None:
    async with connect(settings, tls_url) as connections:
        with pytest.raises(RedisError, match="CERTIFICATE_VERIFY_FAILED"):
            await connections.redis.ping()


async def test_the_doctor_reaches_a_redis_over_tls(
    tls_url: str, trusted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (ENVIRONMENT | {"REDIS_URL": tls_url}).items():
        monkeypatch.setenv(name, value)
    assert {finding.name: finding.ok for finding in await examine()}["redis"]
