"""Runs the steps on the connection that `app.migrations` opened."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import app.tables  # noqa: F401  (fills the metadata)
from app.migrations.locks import begin_first


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Return how a new step names SQLModel's own type; alembic knows the others."""
    return "AutoString()" if kind == "type" and isinstance(item, AutoString) else False


connection = context.config.attributes["connection"]
begin_first(connection)
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_item=render_item,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=True,  # a large table's index is built outside of one
    transactional_ddl=True,  # which Alembic believes SQLite's driver can't
)
with context.begin_transaction():
    context.run_migrations()
