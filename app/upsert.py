"""Rows written so that a repeat changes nothing and a late one does not go back in time.

One statement for SQLite and PostgreSQL, many rows at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Table, and_, delete, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

Item = TypeVar("Item")
Values = Mapping[str, Any]
# What a column becomes when the row exists, from (the table, the values offered).
Merge = Callable[[Any, Any], ColumnElement[Any]]

CHUNK = 500  # values in one IN (…): far below every engine's limit of parameters


def table_of(row: type[SQLModel]) -> Table:
    """Return the row's table."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table


def insert_into(db: AsyncSession, row: type[SQLModel]) -> Any:
    """Return the engine's own INSERT, the one that knows ON CONFLICT."""
    dialect = db.get_bind().dialect.name
    module: Any = sqlite if dialect == "sqlite" else postgresql
    return module.insert(table_of(row))


async def insert_new(db: AsyncSession, row: type[SQLModel], rows: Sequence[Values]) -> None:
    """Insert the rows whose key is not there yet; the others change nothing."""
    if rows:
        statement = insert_into(db, row).on_conflict_do_nothing()
        await (await db.connection()).execute(statement, list(rows))


async def upsert(
    db: AsyncSession,
    row: type[SQLModel],
    rows: Sequence[Values],
    *,
    newer: Merge | None = None,
    merge: Mapping[str, Merge] | None = None,
) -> list[Any]:
    """Insert or replace rows by primary key; return the keys (tuples) of those that took effect.

    rows: all with the same columns, no key twice. newer: when an existing row may be replaced,
    always by default. merge: columns that are combined rather than replaced.
    """
    if not rows:
        return []
    table, statement = table_of(row), insert_into(db, row)
    keys = [column.name for column in table.primary_key]
    offered = statement.excluded
    combined = {name: combine(table.c, offered) for name, combine in (merge or {}).items()}
    changes = {n: offered[n] for n in rows[0] if n not in keys} | combined
    where = newer(table.c, offered) if newer else None
    statement = statement.on_conflict_do_update(index_elements=keys, set_=changes, where=where)
    returning = statement.returning(*(table.c[name] for name in keys))
    result = await (await db.connection()).execute(returning, list(rows))
    return [tuple(key) for key in result]


def newer_unless_deleted(old: Any, new: Any) -> ColumnElement[bool]:
    """Return whether the offered row is newer; a deletion wins against the same moment."""
    same = (new.updated_at == old.updated_at) & old.deleted_at.is_(None)
    return or_(new.updated_at > old.updated_at, same)


async def delete_keys(
    db: AsyncSession, row: type[SQLModel], columns: Sequence[str], keys: Iterable[Sequence[Any]]
) -> None:
    """Delete the rows whose columns are one of the keys."""
    table, connection = table_of(row), await db.connection()
    for theirs in matching([table.c[name] for name in columns], keys):
        await connection.execute(delete(table).where(theirs))


def matching(
    columns: Sequence[ColumnElement[Any]], keys: Iterable[Sequence[Any]]
) -> Iterator[ColumnElement[bool]]:
    """Yield conditions that one of the keys is met, some hundred of them each, by which an index is used.

    columns: what varies most comes last. Of pairs of them SQLite would read all rows of the shop.
    """
    *alike, last = columns
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for key in keys:
        groups.setdefault(tuple(key[:-1]), []).append(key[-1])
    for begins, ends in groups.items():
        same = [column == value for column, value in zip(alike, begins, strict=True)]
        for part in chunks(ends):
            yield and_(*same, last.in_(part))


def chunks(items: Sequence[Any], size: int = CHUNK) -> Iterable[Sequence[Any]]:
    """Yield the items in parts of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def each_once(items: Iterable[Item], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    """Return the items in parts in which no key is met twice; the first part has the first of each. Pure."""
    parts, met = list[list[Item]](), Counter[Hashable]()
    for item in items:
        if met[key(item)] == len(parts):
            parts.append([])
        parts[met[key(item)]].append(item)
        met[key(item)] += 1
    return parts


def by_key(rows: Iterable[Values], *keys: str, latest: str | None = None) -> list[Values]:
    """Return one row a key: the one with the greatest `latest`, else the last one."""
    chosen: dict[tuple[Any, ...], Values] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        if key not in chosen or latest is None or row[latest] >= chosen[key][latest]:
            chosen[key] = row
    return list(chosen.values())
