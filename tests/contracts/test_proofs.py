"""Whom each engine is and who asks it is proven, and what is wrong with either is told by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import make_url, text

from app import doctor
from app.config import read_settings
from app.events import kafka as kafka_events
from app.events.broker import BrokerAway, open_broker
from app.findings import looked
from app.postgres import open_engine
from tests.brokers import RabbitServer, kafka, rabbitmq
from tests.cluster import free_ports
from tests.conftest import ENVIRONMENT
from tests.tls import make_certificate, tls_in_front, tls_in_front_of_postgresql
from tests.way import way_to

ANOTHER_NAME = "its certificate is for another name than the address has"
NOT_TRUSTED = "its certificate is not trusted"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return that of the servers, and one that has nothing to do with them."""
    directory = tmp_path_factory.mktemp("tls")
    made = (directory / "servers.pem", directory / "other.pem")
    for path in made:
        make_certificate(path)
    return made


@pytest.fixture
def trusting(
    certificates: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """The environment of an installation that trusts the servers."""
    given = {
        "TILLWISE_DATA_DIR": str(tmp_path), "TOKEN_ENCRYPTION_KEYS": "A" * 43 + "=",
        "SSL_CERT_FILE": str(certificates[0]),
    }  # fmt: skip
    for name, value in (ENVIRONMENT | given).items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture(scope="module")
def tls_port(certificates: tuple[Path, Path], tcp_redis_url: str) -> Iterator[int]:
    """A port at which the Redis speaks TLS."""
    (port,) = free_ports(1)
    with tls_in_front(certificates[0], port, urlsplit(tcp_redis_url).port or 0):
        yield port


async def told(environment: pytest.MonkeyPatch, variable: str, url: str, name: str) -> str:
    """Return what the doctor says of an address, of which no password is told."""
    environment.setenv(variable, url)
    finding = await looked(name, doctor._OF_THE_INSTALLATION[name](read_settings()))
    assert "not-told" not in finding.says
    return "" if finding.ok else finding.says


async def listening(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def test_what_is_wrong_with_a_redis_is_told(
    trusting: pytest.MonkeyPatch, certificates: tuple[Path, Path], tls_port: int, tcp_redis_url: str
) -> None:
    plain, password = urlsplit(tcp_redis_url).port, urlsplit(tcp_redis_url).password
    await listening(tls_port)

    async def redis(url: str) -> str:
        return await told(trusting, "REDIS_URL", url, "redis")

    assert await redis(f"rediss://:{password}@127.0.0.1:{tls_port}") == ""
    assert "password is refused" in await redis(f"rediss://:not-told@127.0.0.1:{tls_port}")
    assert "password is refused" in await redis(f"redis://nobody:not-told@127.0.0.1:{plain}")
    assert ANOTHER_NAME in await redis(f"rediss://:not-told@localhost:{tls_port}")
    assert "perhaps it wants TLS" in await redis(f"redis://:not-told@127.0.0.1:{tls_port}")
    assert "speaks no TLS" in await redis(f"rediss://:not-told@127.0.0.1:{plain}")
    assert "no host of that name" in await redis("redis://:not-told@nowhere.invalid")
    trusting.setenv("SSL_CERT_FILE", str(certificates[1]))
    assert NOT_TRUSTED in await redis(f"rediss://:not-told@127.0.0.1:{tls_port}")


@pytest.fixture
async def tls_postgres(certificates: tuple[Path, Path], postgres_url: str) -> AsyncIterator[int]:
    """A port at which the PostgreSQL speaks TLS."""
    path = f"{make_url(postgres_url).query['host']}/.s.PGSQL.5432"
    async with tls_in_front_of_postgresql(certificates[0], path) as port:
        yield port


@pytest.fixture
async def needs_password(postgres_url: str) -> AsyncIterator[str]:
    """A user who is asked for their password, which is `right`."""
    engine = open_engine(postgres_url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as db:
        await db.execute(text("CREATE ROLE proven LOGIN PASSWORD 'right'"))
        rules = Path((await db.execute(text("SHOW hba_file"))).scalar_one())
        before = rules.read_text()  # noqa: ASYNC240  (a fixture, alone in its loop)
        rules.write_text(f"local all proven scram-sha-256\n{before}")  # noqa: ASYNC240
        await db.execute(text("SELECT pg_reload_conf()"))
        yield "proven"
        rules.write_text(before)  # noqa: ASYNC240
        await db.execute(text("SELECT pg_reload_conf()"))
        await db.execute(text("DROP ROLE proven"))
    await engine.dispose()


async def test_what_is_wrong_with_a_postgresql_is_told(
    trusting: pytest.MonkeyPatch,
    certificates: tuple[Path, Path],
    tls_postgres: int,
    postgres_url: str,
    needs_password: str,
) -> None:
    async def database(place: str, query: str = "sslmode=verify-full") -> str:
        said = await told(trusting, "DATABASE_URL", f"postgresql://{place}?{query}", "database")
        return "" if "of another version" in said else said  # it was asked for its tables

    here = f"127.0.0.1:{tls_postgres}/postgres"
    assert await database(f"postgres@{here}") == ""
    async with asyncio.timeout(60):
        while await database(f"{needs_password}:not-told@{here}") == "":  # it is reading its rules anew
            pass
    assert await database(f"{needs_password}:not-told@{here}") == "the user or the password is refused"
    assert await database(f"{needs_password}:right@{here}") == ""
    elsewhere = f"localhost:{tls_postgres}/postgres"
    assert await database(f"postgres@{elsewhere}") == ANOTHER_NAME
    assert await database(f"postgres@{elsewhere}", f"sslmode=verify-ca&sslrootcert={certificates[0]}") == ""
    other = f"sslmode=verify-full&sslrootcert={certificates[1]}"
    assert NOT_TRUSTED in await database(f"postgres@{here}", other)
    missing = "sslmode=verify-full&sslrootcert=/nowhere.pem"
    assert "/nowhere.pem is not usable: No such file" in await database(f"postgres@{here}", missing)
    assert await database(f"postgres@127.0.0.1:{tls_postgres}/none") == "there is no database of that name"
    async with way_to(f"{make_url(postgres_url).query['host']}/.s.PGSQL.5432") as plain:
        assert await database(f"postgres@127.0.0.1:{plain.port}/postgres") == "no TLS is spoken there"


@pytest.fixture(scope="module")
def broker() -> Iterator[RabbitServer]:
    with rabbitmq() as server:
        yield server


async def test_what_is_wrong_with_a_rabbitmq_is_told(
    trusting: pytest.MonkeyPatch, certificates: tuple[Path, Path], broker: RabbitServer
) -> None:
    (port,) = free_ports(1)
    with tls_in_front(certificates[0], port, broker.port):
        await listening(port)
        assert await opening(f"amqps://guest:guest@127.0.0.1:{port}/") == ""
        assert "password is refused" in await opening(f"amqps://guest:not-told@127.0.0.1:{port}/")
        assert "no such virtual host" in await opening(f"amqps://guest:guest@127.0.0.1:{port}/missing")
        assert ANOTHER_NAME in await opening(f"amqps://guest:not-told@localhost:{port}/")
        assert "no TLS is spoken there" in await opening(f"amqps://guest:not-told@127.0.0.1:{broker.port}/")
        assert "perhaps it wants TLS" in await opening(f"amqp://guest:not-told@127.0.0.1:{port}/")
        trusting.setenv("SSL_CERT_FILE", str(certificates[1]))
        assert NOT_TRUSTED in await opening(f"amqps://guest:not-told@127.0.0.1:{port}/")


async def test_what_is_wrong_with_a_kafka_is_told(
    trusting: pytest.MonkeyPatch, certificates: tuple[Path, Path]
) -> None:
    (port,) = free_ports(1)
    with ExitStack() as stack:
        plain = urlsplit(stack.enter_context(kafka())).port
        stack.enter_context(tls_in_front(certificates[0], port, plain or 0))
        await listening(port)
        assert await opening(f"kafkas://127.0.0.1:{port}/t") == ""
        trusting.setattr(kafka_events, "_PATIENCE_S", 0.3)
        await told_at_last(f"kafkas://localhost:{port}/t", "certificate verify failed")
        await told_at_last(f"kafkas://127.0.0.1:{plain}/t", "in state SSL_HANDSHAKE")
        await told_at_last(f"kafka://127.0.0.1:{port}/t", "perhaps it wants TLS")
        sasl = f"kafkas://me:not-told@127.0.0.1:{port}/t?sasl.mechanism=PLAIN"
        await told_at_last(sasl, "SASL authentication")
        assert "ssl.ca.location failed" in await opening("kafkas://127.0.0.1/t?ssl.ca.location=/nowhere")
        assert "No such configuration property" in await opening("kafka://127.0.0.1/t?sasl.pasword=not-told")
        trusting.setenv("SSL_CERT_FILE", str(certificates[1]))
        await told_at_last(f"kafkas://127.0.0.1:{port}/t", "certificate verify failed")


async def told_at_last(url: str, said: str) -> None:
    """Return once that is said of a Kafka: within its patience a busy machine may hear nothing yet."""
    async with asyncio.timeout(60):
        while said not in await opening(url):
            pass


async def opening(url: str) -> str:
    """Return why a broker could not be opened, empty when it could; of the address no password is told."""
    said = ""
    try:
        async with open_broker(url):
            pass
    except BrokerAway as error:
        said = str(error)
    assert "not-told" not in said
    return said
