"""PostgreSQL by its addresses: found where it takes writes, and known to be away when it is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from app import clocks, doctor
from app.config import Settings
from app.errors import ConfigError
from app.findings import Fault, Finding, looked
from app.postgres import open_engine, readable


@pytest.mark.parametrize(
    ("written", "host", "rest"),
    [
        ("u:p%40@a,b:5433/shop", ("a:5432", "b:5433"), {}),
        ("u:p%40@a:1,b:2/shop?sslmode=require", ("a:1", "b:2"), {"sslmode": "require"}),
    ],
)
def test_several_servers_are_read_as_libpq_writes_them(
    written: str, host: tuple[str, ...], rest: dict[str, str]
) -> None:
    url = make_url(readable(f"postgresql+asyncpg://{written}"))
    assert (url.username, url.password, url.database) == ("u", "p@", "shop")
    assert dict(url.query) == rest | {"host": host}


@pytest.mark.parametrize(
    "place", ["u:secret@a:1,b:x/n", "u:secret@a,/n", "u:secret@[::1]:1,b/n", "u:secret@a:x/n"]
)
def test_an_address_that_can_not_be_read_is_named_without_its_password(place: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL") as refused:
        readable(f"postgresql+asyncpg://{place}")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("timeout=soon", "timeout is a number"),
        ("statement_cache_size=.5", "statement_cache_size is a number"),
        ("timeout=1&timeout=2", "timeout is a number"),
        ("loop=1", "loop can't be set there"),
        ("server_settings=x", "server_settings can't be set there"),
    ],
)
def test_a_setting_that_no_address_has_is_named(setting: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"DATABASE_URL: {says}"):
        readable(f"postgresql+asyncpg://u@a/n?{setting}")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()


def beside(postgres_url: str, *others: str) -> str:
    """Return an address of several servers, the real one last."""
    sockets = [*others, str(make_url(postgres_url).query["host"])]
    ports = ["5432"] * len(sockets)
    return f"postgresql+asyncpg://postgres@/postgres?host={','.join(sockets)}&port={','.join(ports)}"


async def test_the_server_that_takes_writes_is_found_among_several(postgres_url: str) -> None:
    async with opened(beside(postgres_url, "/nowhere")) as engine, engine.connect() as connection:
        assert (await connection.execute(text("SELECT pg_is_in_recovery()"))).scalar_one() is False


async def test_numbers_in_an_address_are_read_as_numbers(postgres_url: str) -> None:
    sizes = "statement_cache_size=0&prepared_statement_cache_size=0&max_cacheable_statement_size=9000"
    async with (
        opened(f"{readable(postgres_url)}&timeout=30&command_timeout=30.5&{sizes}") as engine,
        engine.connect() as connection,
    ):
        assert await connection.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize("name", ["ssl", "sslmode"])
async def test_what_is_asked_of_tls_by_either_name_is_not_left_out(postgres_url: str, name: str) -> None:
    async with opened(f"{readable(postgres_url)}&{name}=required") as engine:
        with pytest.raises(InterfaceError, match="`sslmode` parameter must be one of"):
            await engine.connect().start()


async def test_servers_of_which_none_takes_writes_are_an_outage(postgres_url: str) -> None:
    readers = f"{beside(postgres_url, '/nowhere')}&target_session_attrs=standby"
    async with opened(readers) as engine:
        with pytest.raises(ConnectionError, match="takes writes"):
            await engine.connect().start()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "DO $$ BEGIN RAISE SQLSTATE '53100'; END $$",  # its disk is full
        "DO $$ BEGIN RAISE SQLSTATE '25006'; END $$",  # it has become a replica
        "DO $$ BEGIN RAISE SQLSTATE '42501'; END $$",  # a right was taken back
    ],
)
async def test_a_server_in_trouble_is_an_outage_and_not_the_fault_of_what_was_asked(
    postgres_url: str, statement: str
) -> None:
    async with opened(postgres_url) as engine:
        async with engine.connect() as connection:
            with pytest.raises(OperationalError):
                await connection.execute(text(statement))
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1


@pytest.mark.parametrize(("ours", "other"), [("//postgres:@", "//nobody:@"), ("/postgres?", "/none?")])
async def test_a_server_that_does_not_let_us_in_is_an_outage(
    postgres_url: str, ours: str, other: str
) -> None:
    """As while a password is changed, or a database is restored."""
    assert ours in postgres_url
    async with opened(postgres_url.replace(ours, other)) as engine:
        with pytest.raises(OperationalError):
            await engine.connect().start()


async def test_a_statement_that_is_wrong_is_its_own_fault(postgres_url: str) -> None:
    async with opened(postgres_url) as engine, engine.connect() as connection:
        with pytest.raises(ProgrammingError):
            await connection.execute(text("SELECT nothing FROM nowhere"))


async def database_looked(settings: Settings) -> Finding:
    return await looked("database", doctor._database(settings))


async def test_a_pooler_that_changes_servers_is_found(
    postgres_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = replace(settings, database_url=postgres_url)
    assert "pooler" not in (await database_looked(ours)).says
    monkeypatch.setattr(doctor, "_SERVED_BY", text("SELECT 1"))  # the same whoever asks
    assert "pool_mode" in (await database_looked(ours)).says
    # What such a pooler has of others makes of the first statement.
    monkeypatch.setattr(doctor, "_ENCODING", text("DO $$ BEGIN RAISE SQLSTATE '42P05'; END $$"))
    assert "pool_mode" in (await database_looked(ours)).says


async def test_a_clock_that_is_not_the_databases_is_found(
    postgres_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = replace(settings, database_url=postgres_url, redis_url=None)
    assert await doctor._clock(ours) == "agrees with PostgreSQL"
    real = clocks.time.time
    monkeypatch.setattr(clocks.time, "time", lambda: real() - 90)
    with pytest.raises(Fault, match="s behind that of PostgreSQL"):
        await doctor._clock(ours)


async def test_a_database_that_can_not_keep_every_text_is_found(
    postgres_url: str, settings: Settings
) -> None:
    made = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    async with opened(postgres_url) as engine, engine.connect() as connection:
        outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await outside.execute(text(made))
        try:
            latin = replace(settings, database_url=postgres_url.replace("/postgres?", "/latin?"))
            finding = await database_looked(latin)
        finally:
            await outside.execute(text("DROP DATABASE latin"))
    assert (finding.ok, finding.says.partition(":")[0]) == (False, "it keeps texts as LATIN1")


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux alone bounds a silent connection")
async def test_a_server_that_vanished_holds_no_connection_for_ever(postgres_url: str) -> None:
    place = f"{make_url(postgres_url).query['host']}/.s.PGSQL.5432"

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(place)
        await asyncio.gather(_copy(reader, back), _copy(there, writer))

    async with await asyncio.start_server(pass_on, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
        async with opened(url) as engine, engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            way = driver._transport.get_extra_info("socket")
            assert way.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65_536):
        writer.write(part)
    writer.close()
