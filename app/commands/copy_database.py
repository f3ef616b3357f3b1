"""Copies all that a database holds into another: how an installation moves from SQLite to PostgreSQL."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import JSON, Column, Table, bindparam, func, insert, make_url, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

import app.tables  # noqa: F401  (fills the metadata)
from app.config import async_database, read_settings
from app.errors import ConfigError, InputError
from app.logs import start_logging
from app.migrations import migrate, standing
from app.postgres import open_engine

_AT_ONCE = 1_000  # rows


def copy_database(
    source: Annotated[
        str, typer.Option("--from", help="The database to copy, as DATABASE_URL would name it")
    ],
) -> None:
    """Copy all that a database holds into the empty one of DATABASE_URL. Stop serve and worker before."""
    start_logging("WARNING")
    settings = read_settings()
    address = async_database(source)
    url = make_url(address)
    path = (url.database or "").removeprefix("file:")
    if url.get_backend_name() == "sqlite" and not Path(path).exists():  # else it would be made
        raise InputError(f"there is no {path} to copy")
    rows = asyncio.run(copied(address, settings.database_url))
    typer.echo(f"{rows} rows are copied; the database they were copied from is as it was")


async def copied(source_url: str, target_url: str) -> int:
    """Copy every row, all or none of them, and return how many there are.

    Raises ConfigError where a database does not answer, the target has rows, the source is of another
    version, or the target refuses a row.
    """
    await migrate(target_url)
    source, target = open_engine(source_url), open_engine(target_url)
    try:
        async with source.connect() as old, target.begin() as new:
            if await old.run_sync(standing) != "current":
                raise ConfigError("the database to copy is of another version: start this one on it once")
            return sum([await _copy(table, old, new) for table in SQLModel.metadata.sorted_tables])
    except (OSError, DBAPIError) as error:
        says = error.orig if isinstance(error, DBAPIError) else error
        raise ConfigError(f"nothing is copied: {says}") from error
    finally:
        await source.dispose()
        await target.dispose()


async def _copy(table: Table, old: AsyncConnection, new: AsyncConnection) -> int:
    if await new.scalar(select(func.count()).select_from(table)):
        raise ConfigError(f"DATABASE_URL names a database that is in use: there are rows in {table.name}")
    taken = insert(table).values({each.name: bindparam(each.name, type_=_exact(each)) for each in table.c})
    count = 0
    async with old.stream(select(table)) as rows:
        async for some in rows.mappings().partitions(_AT_ONCE):
            await new.execute(taken, [dict(each) for each in some])
            count += len(some)
    if new.dialect.name == "postgresql" and (number := table.autoincrement_column) is not None:
        last = select(func.max(number)).scalar_subquery()  # the database numbers the next rows from there
        await new.execute(select(func.setval(func.pg_get_serial_sequence(table.name, number.name), last)))
    return count


def _exact(column: Column[Any]) -> Any:
    """Return the type that writes what it read: by itself, JSON makes a null of what is not there. Pure."""
    return JSON(none_as_null=True) if isinstance(column.type, JSON) else column.type
