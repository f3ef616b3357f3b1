from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    TableClause,
    column,
    event,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, SQLModel

import app.tables  # noqa: F401
from app.errors import ConfigError
from app.migrations import config_of, locks, migrate, standing

# Columns that a step takes away: the version before it has to be stopped first, as the changelog says.
TAKEN_AWAY = {("0006", "customer_segments"): {"sent"}}
# An index that is built or dropped so, and its table, which nobody writes to meanwhile.
INDEX = re.compile(r"(?:CREATE (?:UNIQUE )?INDEX|DROP INDEX) (?!CONCURRENTLY)\w+(?: ON (\w+))?")
EXCUSED = {"0002", "0006", "0015"}  # of before the first large shop


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/deep/tillwise.db"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
async def test_the_steps_lead_to_the_tables_the_code_expects(database_url: str) -> None:
    await migrate(database_url)
    wanted = {each.name for table in SQLModel.metadata.tables.values() for each in table.indexes}
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        if database_url.startswith("sqlite"):  # of which those of expressions are not compared
            there = await connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'index'"))
            assert wanted <= set(there)
    await engine.dispose()


def described(connection: Connection) -> dict[str, tuple[list[str], list[str]]]:
    """Return each table's columns and indexes."""
    there = inspect(connection)
    return {
        name: (
            [f"{each['name']} {each['type']}" for each in there.get_columns(name)],
            sorted(str(each["name"]) for each in there.get_indexes(name)),
        )
        for name in there.get_table_names()
    }


async def kept_in(database_url: str) -> tuple[dict[str, tuple[list[str], list[str]]], str]:
    """Return the tables, and of which version the database says they are."""
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        tables = await connection.run_sync(described)
        version = await connection.run_sync(standing)
    await engine.dispose()
    return tables, version


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
async def test_running_the_steps_again_changes_nothing(database_url: str) -> None:
    await migrate(database_url)
    once = await kept_in(database_url)
    await migrate(database_url)
    assert await kept_in(database_url) == once


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
async def test_processes_that_start_together_take_turns(database_url: str) -> None:
    await asyncio.gather(*(migrate(database_url) for _ in range(3)))
    tables, version = await kept_in(database_url)
    assert set(tables) == {*SQLModel.metadata.tables, "alembic_version"}
    assert version == "current"


def test_a_process_that_has_imported_nothing_else_starts_on_tables_that_are_there(tmp_path: Path) -> None:
    """The sizes were told of the tables that it happened to know: of none, which ended it."""
    url = f"sqlite+aiosqlite:///{tmp_path}/tillwise.db"
    asyncio.run(migrate(url))
    begun = "import asyncio, sys; from app.migrations import migrate; asyncio.run(migrate(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", begun, url], check=True)


Kinds = dict[str, TypeEngine[Any]]


class Walk:
    """The steps one after another, over tables that hold rows of every step that made or changed them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.holding_up: list[tuple[str, str]] = []
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def go(self) -> None:
        """Go through all steps. Tables that one changes are written to as before it, and as it has them."""
        config = config_of(self._connection)
        steps = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]
        before: dict[str, Kinds] = {}
        for number, step in enumerate(reversed(steps), start=1):
            self._upgrade(config, step, before)
            after = self._tables()
            for name, kinds in after.items():
                known = before.get(name, {})
                if kinds.keys() == known.keys():
                    continue
                if known:
                    gone = TAKEN_AWAY.get((step, name), set())
                    self._write(name, {each: known[each] for each in known.keys() - gone}, 2 * number)
                self._write(name, kinds, 2 * number + 1)
            before = after
        for name, kinds in before.items():
            self._look(name, kinds)

    def _upgrade(self, config: Config, step: str, before: Mapping[str, Kinds]) -> None:
        """Go one step on, and note what it holds up writers of tables with that are there already."""
        said: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
            said.append(statement)

        self._connection.commit()
        event.listen(self._connection, "before_cursor_execute", note)
        command.upgrade(config, step)
        event.remove(self._connection, "before_cursor_execute", note)
        told = filter(None, (INDEX.match(statement) for statement in said))
        self.holding_up += [(step, each[0]) for each in told if each[1] in before and step not in EXCUSED]

    def _tables(self) -> dict[str, Kinds]:
        columns = inspect(self._connection).get_multi_columns()
        return {
            name: {each["name"]: each["type"] for each in told}
            for (_, name), told in columns.items()
            if name != "alembic_version"
        }

    def _write(self, name: str, kinds: Kinds, number: int) -> None:
        row = {each: some_value(each, kind, number) for each, kind in kinds.items()}
        self._connection.execute(_table(name, kinds).insert().values(row))
        self.rows.setdefault(name, []).append(row)

    def _look(self, name: str, kinds: Kinds) -> None:
        """Fail unless every row that was ever written is there, in what columns are left of it."""
        table = _table(name, kinds)
        found = [dict(each) for each in self._connection.execute(select(table)).mappings()]
        left = [{key: row[key] for key in row.keys() & kinds.keys()} for row in self.rows[name]]
        assert len(found) == len(left), name
        assert [row for row in left if not any(row.items() <= each.items() for each in found)] == [], name


def _table(name: str, kinds: Kinds) -> TableClause:
    return table(name, *(column(each, kind) for each, kind in kinds.items()))


def some_value(name: str, kind: TypeEngine[Any], number: int) -> Any:
    """Return what the column may hold, another for each number."""
    if isinstance(kind, JSON):
        return {"number": number}
    if isinstance(kind, DateTime):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
        return at if kind.timezone else at.replace(tzinfo=None)
    if isinstance(kind, LargeBinary):
        return b"%d" % number
    if isinstance(kind, Boolean):
        return number % 2 == 0
    return number if isinstance(kind, Integer | Float | Numeric) else f"{name} {number}"


def _read(connection: Connection) -> dict[str, int]:
    """Return how many rows of each table this version's own classes read."""
    with Session(connection) as db:
        mapped = [each.class_ for each in SQLModel._sa_registry.mappers]
        return {each.__tablename__: len(db.scalars(select(each)).all()) for each in mapped}


async def test_every_step_keeps_the_rows_that_are_there_and_lets_the_version_before_write_on(
    database_url: str,
) -> None:
    if database_url.startswith("sqlite"):
        Path(database_url.partition(":///")[2]).parent.mkdir(parents=True)
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        walk = await connection.run_sync(Walk)
        await connection.run_sync(lambda _: walk.go())
        read = await connection.run_sync(_read)
    await engine.dispose()
    assert read == {name: len(rows) for name, rows in walk.rows.items()}
    if not database_url.startswith("sqlite"):  # which has one writer anyway
        assert walk.holding_up == []


class Killed(Exception):
    """The process ended there."""


def _go_on_after_each_kill(connection: Connection) -> None:
    """Go each step until it would be told as done, lose the connection there, and go it again."""
    config = config_of(connection)

    def kill(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if re.match("(INSERT INTO|UPDATE) alembic_version", statement):
            raise Killed

    for step in reversed([each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]):
        connection.commit()
        event.listen(connection, "before_cursor_execute", kill)
        with pytest.raises(Killed):
            command.upgrade(config, step)
        event.remove(connection, "before_cursor_execute", kill)
        connection.rollback()
        command.upgrade(config, step)


async def test_a_step_whose_process_was_killed_is_gone_again(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        Path(database_url.partition(":///")[2]).parent.mkdir(parents=True)
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        await connection.run_sync(_go_on_after_each_kill)
        assert await connection.run_sync(standing) == "current"
    await engine.dispose()


async def test_tables_of_a_later_version_are_left_as_they_are(database_url: str) -> None:
    await migrate(database_url)
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await connection.execute(text("ALTER TABLE shops ADD COLUMN invented VARCHAR"))
    await migrate(database_url)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
        assert await connection.scalar(text("SELECT count(invented) FROM shops")) == 0
    await engine.dispose()


async def test_what_the_database_does_not_let_us_make_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here := tmp_path / "here").mkdir()
    monkeypatch.chdir(here)
    (tmp_path / "tillwise.db").touch()
    with pytest.raises(ConfigError, match="can't be made or changed: attempt to write a readonly database"):
        await migrate(f"sqlite+aiosqlite:///file:{tmp_path}/tillwise.db?mode=ro&uri=true")
    assert list(here.iterdir()) == []


async def _wait_for_a_build(engine: AsyncEngine, steps: asyncio.Task[str]) -> None:
    """Return when one waits for whoever began before, and has for longer than a step waits for a table."""
    waiting = text(
        "SELECT pid FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND query LIKE 'CREATE INDEX CONCURRENTLY%'"
    )
    async with engine.connect() as connection:
        while not (builder := await connection.scalar(waiting)):
            assert not steps.done()
            await connection.rollback()
            await asyncio.sleep(0.01)
        await connection.execute(text(f"SELECT pg_sleep({2 * locks.WAIT_MS / 1_000})"))
        await connection.rollback()
        assert await connection.scalar(waiting) == builder


async def _given_up(database_url: str) -> str:
    """Return what the steps say that can't be gone, begun again where PostgreSQL itself held something."""
    for _ in range(20):
        with pytest.raises(ConfigError) as error:
            await migrate(database_url)
        if "shops" in (said := str(error.value)):
            break
    return said


async def test_a_step_gives_up_on_a_table_in_use_and_waits_to_build_an_index(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_async_engine(postgres_database)
    async with engine.connect() as connection:
        await connection.run_sync(lambda each: command.upgrade(config_of(each), "0024"))
    repeatable = engine.execution_options(isolation_level="REPEATABLE READ")
    with monkeypatch.context() as bounds:
        bounds.setattr(locks, "WAIT_MS", 200)
        async with engine.connect() as reader, asyncio.TaskGroup() as work:
            # Step 0030 changes that table. No build waits for the reader: it keeps nothing in sight.
            await reader.execute(text("LOCK TABLE shops IN ACCESS SHARE MODE"))
            async with repeatable.connect() as backup:
                await backup.execute(text("SELECT 1 FROM events"))  # which step 0025 builds an index of
                steps = work.create_task(_given_up(postgres_database))
                await _wait_for_a_build(engine, steps)
    assert re.search(r"in use for longer than 0.2 s.*\(ALTER TABLE shops ", steps.result())
    await migrate(postgres_database)
    await engine.dispose()
