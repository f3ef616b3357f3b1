"""Indexes of tables that are there already: on PostgreSQL built beside what is written meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.migrations.locks import bound_waits, lift_bound


def build_index(name: str, table: str, columns: Sequence[Any], where: str | None = None) -> None:
    """Build the index without holding up who writes. where: of which rows alone.

    A step that does so does nothing else: it is no transaction. SQLite has one writer, who waits. What a
    build that broke off left behind goes first: PostgreSQL keeps such an index, and does not use it.
    """
    some = None if where is None else sa.text(where)
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(name, table, columns, sqlite_where=some)
        return
    with _beside():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
        op.create_index(name, table, columns, postgresql_where=some, postgresql_concurrently=True)


def drop_index(name: str, table: str) -> None:
    """Drop the index without waiting for, or holding up, who reads and writes."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index(name, table)
        return
    with _beside():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


@contextmanager
def _beside() -> Iterator[None]:
    """Work outside of a transaction, and wait for whoever began before, however long they take."""
    with op.get_context().autocommit_block():
        lift_bound(op.get_bind())
        yield
        bound_waits(op.get_bind())
