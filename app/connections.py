"""What the processes are connected to: database, Redis, and HTTP to Shopify."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx
from redis.asyncio import Redis
from redis.connection import HiredisRespSerializer
from redis.driver_info import DriverInfo
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import Executable, event
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from app import __version__
from app.config import Settings
from app.postgres import open_engine
from app.redis_address import cluster_address
from app.redis_cluster import Cluster, open_cluster
from app.shopify import open_http
from app.sqlite import reach
from app.tcp_timeouts import TCP_OPTIONS
from app.tracing import tracing

MOST_CONNECTIONS = 20  # of one process to PostgreSQL, half of which stay open
_BUSY_MS = 10_000
_US = DriverInfo().add_upstream_driver("tillwise", __version__)  # by it the doctor knows a process's version
_packer: Any = HiredisRespSerializer()


@dataclass(frozen=True, slots=True)
class Connections:
    """Open connections, shared by every request and task of one process."""

    settings: Settings
    engine: AsyncEngine
    redis: Redis
    redis_url: str
    http: httpx.AsyncClient
    _readers: async_sessionmaker[AsyncSession]
    _writers: async_sessionmaker[AsyncSession]

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Yield a session that is only read from."""
        async with self._readers() as db:
            yield db

    async def rows(self, query: Executable) -> Sequence[Any]:
        """Return all the rows that a query of columns finds."""
        async with self.read() as db:
            return (await (await db.connection()).execute(query)).all()

    async def row(self, query: Executable) -> Any:
        """Return the first row that a query of columns finds, None for none."""
        async with self.read() as db:
            return (await (await db.connection()).execute(query)).first()

    async def scalars(self, query: Executable) -> list[Any]:
        """Return the values that a query of one column finds."""
        async with self.read() as db:
            return list(await (await db.connection()).scalars(query))

    async def scalar(self, query: Executable) -> Any:
        """Return the first value that a query of one column finds, None for none."""
        async with self.read() as db:
            return await (await db.connection()).scalar(query)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Yield a session in one transaction: committed on leaving, rolled back on an error."""
        async with self._writers() as db, db.begin():
            yield db

    async def execute(self, statement: Executable) -> int:
        """Run a statement in a transaction of its own; return how many rows it changed."""
        async with self.write() as db:
            return (await (await db.connection()).execute(statement)).rowcount


def redis_key(shop: str, *parts: str | int) -> str:
    """Return `tw:{shop}:part:part`: the braces keep all keys of a shop on one cluster node."""
    return ":".join((f"tw:{{{shop}}}", *map(str, parts)))


@asynccontextmanager
async def connect(settings: Settings, redis_url: str) -> AsyncIterator[Connections]:
    """Yield open connections; all are closed on leaving."""
    engine = _engine(settings.database_url)
    redis = _redis(redis_url)
    if traced := tracing():
        traced.follow_database(engine)
        traced.follow_redis(redis)
    async with open_http(settings) as http:
        try:
            yield Connections(
                settings=settings,
                engine=engine,
                redis=redis,
                redis_url=redis_url,
                http=http,
                _readers=_sessions(engine),
                _writers=_sessions(engine.execution_options(tillwise_write=True)),
            )
        finally:
            await (redis.close_for_good() if isinstance(redis, Cluster) else redis.aclose())
            await engine.dispose()


def _redis(url: str) -> Redis:
    """Return a client of the Redis, or of the cluster: the app calls what both answer alike."""
    patience: dict[str, Any] = {"socket_timeout": 5, "socket_connect_timeout": 2, "driver_info": _US}
    far: dict[str, Any] = {"socket_keepalive_options": TCP_OPTIONS}  # who only listens would wait for ever
    if address := cluster_address(url):
        return cast(Redis, open_cluster(address, _mended, **patience, **far))
    redis = Redis.from_url(url, **patience, **({} if url.startswith("unix") else far))
    redis.connection_pool.connection_class = _mended(redis.connection_pool.connection_class)
    return redis


def _mended(connection_class: Any) -> Any:
    """Return the class with its commands packed by hiredis, as redis-py's blocking connections have it.

    And with no cancellation lost: redis-py sends within `asyncio.wait_for`, which on Python 3.11 swallows one
    that comes just when all is sent. Whoever loops until cancelled would loop for ever.

    And with no connection taken for a quiet one that the kernel gave up: its error is a TimeoutError, as that
    of redis-py's own patience is. Whoever listens would be told of nothing again and again, without a pause.
    """

    class Mended(connection_class):  # type: ignore[misc]
        def pack_command(self, *args: Any) -> Any:
            return _packer.pack(*args)

        async def send_packed_command(self, *args: Any, **options: Any) -> None:
            before = _cancellations()
            await super().send_packed_command(*args, **options)
            if _cancellations() > before:
                await self.disconnect(nowait=True)  # what it is answered, nobody reads
                raise asyncio.CancelledError

        async def _read_response_from_parser(self, *args: Any, **options: Any) -> Any:
            try:
                return await super()._read_response_from_parser(*args, **options)
            except TimeoutError as error:
                raise RedisConnectionError(f"the connection was given up: {error}") from error

    return Mended


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def _sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)


def _engine(url: str) -> AsyncEngine:
    if not url.startswith("sqlite"):
        half = MOST_CONNECTIONS // 2
        return open_engine(url, pool_pre_ping=True, pool_size=half, max_overflow=MOST_CONNECTIONS - half)
    engine = open_engine(url, connect_args={"isolation_level": None, "async_creator_fn": reach})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA secure_delete=ON")  # what is erased is overwritten, not only unlinked
    cursor.execute("PRAGMA synchronous=FULL")  # an acknowledged webhook survives a power cut
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A reader that becomes a writer fails at once where a declared writer waits its turn.
    write = connection.get_execution_options().get("tillwise_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
