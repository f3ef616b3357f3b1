"""Kinds of columns that all tables share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime
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
