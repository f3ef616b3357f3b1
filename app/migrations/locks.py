"""What a step holds up: SQLite's other writers, on PostgreSQL whoever wants a table that it waits for."""

from __future__ import annotations

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

WAIT_MS = 3_000  # a delivery of Shopify's that waits so long is stored in time all the same
_GIVEN_UP = "55P03"  # SQLSTATE lock_not_available


def begin_first(connection: Connection) -> None:
    """Let each step be one transaction in SQLite too: its driver begins none to make or change a table."""
    if connection.dialect.name == "sqlite":
        event.listen(connection, "begin", _begin)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def bound_waits(connection: Connection) -> None:
    """Let whatever is waited for on the connection from now on end the wait, and the step, after WAIT_MS."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET lock_timeout = {WAIT_MS}"))


def lift_bound(connection: Connection) -> None:
    """Let what nobody waits behind, as a build beside what is written, wait for as long as it takes."""
    connection.execute(text("SET lock_timeout = 0"))


def in_use(error: DBAPIError) -> str | None:
    """Return what a step that gave up waiting tells the operator, None for any other error."""
    if getattr(error.orig, "sqlstate", None) != _GIVEN_UP:
        return None
    return (
        f"a table has been in use for longer than {WAIT_MS / 1_000:g} s, by a backup or a long query: "
        f"end that or let it end, and start again ({error.statement})"
    )
