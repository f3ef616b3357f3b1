"""Kinds of columns that all tables share."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, ColumnElement, DateTime, String, bindparam, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field

from app.values import as_utc


class UtcTime(TypeDecorator[datetime]):
    """A time that goes in with any zone and comes back in UTC, on SQLite too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else as_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else as_utc(value)


def nothing() -> list[Any]:
    """Return a new list: a row's default. Of `list` itself pydantic reads the signature anew for each row."""
    return []


def shopify_number(**options: Any) -> Any:
    """Return a column of Shopify's ids or of minor units: 64 bits."""
    return Field(sa_type=BigInteger, **options)


def utc_time(**options: Any) -> Any:
    """Return a column of moments."""
    return Field(sa_type=UtcTime, **options)


class _Named(FunctionElement[str]):
    """A text of a JSON object by its name, in the same words each time: so that an index of it is used."""

    type = String()
    inherit_cache = True
    name = "named"


def named_text(objects: Any, name: str) -> Any:
    """Return the text of that name in a column's JSON objects. name: one of ours, it is written as it is."""
    return _Named(objects, literal_column(name))


class _NamedInText(_Named):
    """The same of texts that hold a JSON object each."""

    inherit_cache = True
    name = "named_in_text"


def named_in_text(texts: Any, name: str) -> Any:
    """Return the text of that name in a column's texts, each a JSON object. name: one of ours."""
    return _NamedInText(texts, literal_column(name))


@compiles(_Named, "sqlite")
def _in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    objects, name = element.clauses
    return f"json_extract({compiler.process(objects, **options)}, '$.{name.name}')"


@compiles(_Named, "postgresql")
def _in_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    objects, name = element.clauses
    return f"({compiler.process(objects, **options)} ->> '{name.name}')"


@compiles(_NamedInText, "postgresql")
def _of_text_in_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    objects, name = element.clauses
    return f"(CAST({compiler.process(objects, **options)} AS JSON) ->> '{name.name}')"


class _Among(FunctionElement[bool]):
    """Whether a value is one of many, which are one parameter."""

    inherit_cache = True
    name = "among"


def among(column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return whether the column is one of the values, by its index, however many there are.

    A statement takes no more than 32,767 parameters on PostgreSQL, and as many or some more on SQLite.
    """
    many = ARRAY(column.type).with_variant(JSON(), "sqlite")
    return _Among(column, bindparam(None, sorted(values), many, unique=True))


@compiles(_Among, "sqlite")
def _among_in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608


@compiles(_Among, "postgresql")
def _among_in_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({values})"
