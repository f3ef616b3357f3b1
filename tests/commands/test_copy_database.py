"""An installation moves from one engine to the other with all that it holds."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from app.commands.copy_database import copied
from app.errors import ConfigError
from app.migrations import migrate
from app.privacy_tables import ConsentRow
from app.tables import ShopRow
from app.upsert import table_of
from tests.commands.conftest import Terminal
from tests.test_migrations import some_value

Kept = dict[str, list[tuple[Any, ...]]]


def a_row(table: Table, number: int) -> dict[str, Any]:
    return {
        each.name: some_value(each.name, getattr(each.type, "impl", each.type), number) for each in table.c
    }


async def fill(url: str) -> None:
    """Keep three rows in each table."""
    await migrate(url)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for table in SQLModel.metadata.sorted_tables:
            await connection.execute(insert(table), [a_row(table, number) for number in (1, 2, 3)])
        await connection.execute(text("UPDATE shops SET offline_locations = NULL"))
    await engine.dispose()


async def kept_in(url: str) -> Kept:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = {
            table.name: sorted(map(tuple, await connection.execute(select(table))), key=repr)
            for table in SQLModel.metadata.sorted_tables
        }
    await engine.dispose()
    return found


@pytest.mark.parametrize("moves_to", ["postgresql", "sqlite"])
async def test_every_row_is_copied_and_the_next_ones_are_numbered_on(
    moves_to: str, postgres_database: str, tmp_path: Path
) -> None:
    urls = [f"sqlite+aiosqlite:///{tmp_path}/tillwise.db", postgres_database]
    source, target = urls if moves_to == "postgresql" else urls[::-1]
    await fill(source)
    before = await kept_in(source)
    assert await copied(source, target) == sum(map(len, before.values())) == 3 * len(before)
    assert await kept_in(source) == await kept_in(target) == before
    engine = create_async_engine(target)
    async with engine.begin() as connection:
        unset = text("SELECT count(*) FROM shops WHERE offline_locations IS NULL")
        assert await connection.scalar(unset) == 3
        later = a_row(table_of(ConsentRow), 4)
        del later["id"]
        made = await connection.execute(insert(ConsentRow).values(later))
        assert made.inserted_primary_key == (4,)
    await engine.dispose()


async def test_a_database_with_rows_is_never_copied_into(tmp_path: Path) -> None:
    source, target = (f"sqlite+aiosqlite:///{tmp_path}/{name}.db" for name in ("source", "target"))
    await fill(source)
    await migrate(target)
    engine = create_async_engine(target)
    async with engine.begin() as connection:
        await connection.execute(insert(ShopRow).values(a_row(table_of(ShopRow), 4)))
    await engine.dispose()
    before = await kept_in(target)
    with pytest.raises(ConfigError, match="there are rows in shops"):
        await copied(source, target)
    assert await kept_in(target) == before


async def test_a_database_of_another_version_is_not_copied(tmp_path: Path) -> None:
    source, target = (f"sqlite+aiosqlite:///{tmp_path}/{name}.db" for name in ("source", "target"))
    with pytest.raises(ConfigError, match="of another version"):
        await copied(source, target)


@pytest.mark.parametrize(
    "address", ["sqlite:///{}", "sqlite+aiosqlite:///{}?timeout=9", "sqlite:///file:{}?uri=true"]
)
def test_the_command_copies_and_makes_no_database_of_a_mistyped_name(
    address: str, terminal: Terminal, tmp_path: Path
) -> None:
    source = tmp_path / "source.db"
    error = terminal.run("copy-database", "--from", address.format(source)).exception
    assert str(error) == f"there is no {source} to copy"
    assert not source.exists()
    asyncio.run(fill(f"sqlite+aiosqlite:///{source}"))
    done = terminal.run("copy-database", "--from", address.format(source))
    assert done.output.startswith(f"{3 * len(SQLModel.metadata.tables)} rows are copied")
