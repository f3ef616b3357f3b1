"""Connects to PostgreSQL: one server, or the primary among several named in the URL."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import asyncpg
from sqlalchemy import ExceptionContext, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.errors import ConfigError
from app.tcp_timeouts import SILENT_S, set_timeouts

_PORT = 5432
_EACH_S = 5.0  # a server is asked for no longer: one that is gone may not even refuse
# The server's side of the same: what a process that vanished had locked is free again.
_OF_THE_SERVER = (
    f"SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_user_timeout = {SILENT_S * 1_000}"
)
_USERS_OWN = Path("~/.postgresql/root.crt")
# Connection lost; out of disk, memory, connections; shutting down, starting; a replica; who asks is refused,
# no such database, a right is missing: of SQLSTATE.
_AWAY = ("08", "53", "57P", "25006", "28", "3D", "42501")
# What an address may set behind its question mark, each with what its text is read as.
_TEXTS = (
    "host", "port", "user", "password", "database", "passfile", "service", "servicefile", "krbsrvname",
    "gsslib", "target_session_attrs", "ssl", "direct_tls", "sslmode", "sslrootcert",
)  # fmt: skip
_NUMBERS = (
    "statement_cache_size", "prepared_statement_cache_size", "max_cached_statement_lifetime",
    "max_cacheable_statement_size",
)  # fmt: skip
_SETTINGS: dict[str, type[str] | type[int] | type[float]] = {
    **dict.fromkeys(_TEXTS, str), **dict.fromkeys(_NUMBERS, int), "timeout": float, "command_timeout": float,
}  # fmt: skip
_NOT_NOW = (OSError, asyncpg.CannotConnectNowError, asyncpg.TargetServerAttributeNotMatched)

Server = tuple[str | None, int | None]


def readable(url: str) -> str:
    """Return the address as SQLAlchemy reads it: `//user:password@a:5432,b/name` has several servers.

    Raises ConfigError for one that can't be read. It is not quoted: it has a password.
    """
    scheme, _, rest = url.partition("://")
    place, slash, rest = rest.partition("/")
    proof, at, hosts = place.rpartition("@")
    try:
        if "," in hosts:
            name, _, query = rest.partition("?")
            asked = urlencode([("host", _server(each)) for each in hosts.split(",")])
            place, slash, rest = f"{proof}{at}", "/", f"{name}?{'&'.join(filter(None, (query, asked)))}"
        given = make_url(address := f"{scheme}://{place}{slash}{rest}").query
    except (ValueError, ArgumentError):
        raise ConfigError(
            "DATABASE_URL can't be read: postgresql://user:password@host:5432/name, or several servers, "
            "as in @a:5432,b:5432/name"
        ) from None
    if unknown := given.keys() - _SETTINGS:
        raise ConfigError(f"DATABASE_URL: {', '.join(sorted(unknown))} can't be set there: leave it out")
    for name, value in given.items():
        _read(name, value)
    return address


def _read(name: str, value: Any) -> Any:
    """Return a setting as connecting takes it: an address has nothing but texts. Raises ConfigError."""
    kind = _SETTINGS[name]
    if kind is str:
        return value
    try:
        return kind(value)
    except (ValueError, TypeError):
        raise ConfigError(f"DATABASE_URL: {name} is a number") from None


def _server(text: str) -> str:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or ":" in parts.hostname:
        raise ValueError("a name or an IPv4 address is needed")
    return f"{parts.hostname}:{parts.port or _PORT}"


def open_engine(url: str, **options: Any) -> AsyncEngine:
    """Return an engine on the database, whichever it is."""
    if not url.startswith("postgresql"):
        return create_async_engine(url, **options)
    engine = create_async_engine(url, connect_args={"async_creator_fn": _reaching()}, **options)
    event.listen(engine.sync_engine, "handle_error", _outage)
    return engine


def _outage(told: ExceptionContext) -> BaseException | None:
    """Return an error of the server's state as what it is, None for one of a statement's.

    asyncpg's all look like the statement's fault, which would be counted against an event.
    """
    error: Any = told.original_exception
    away = told.is_disconnect or (getattr(error, "sqlstate", None) or "").startswith(_AWAY)
    if not away or told.is_pre_ping:
        return None
    return OperationalError(
        told.statement, None, error, hide_parameters=True, connection_invalidated=told.is_disconnect
    )


def _reaching() -> Callable[..., Awaitable[Any]]:
    """Return what connects to the server that takes writes. The one that did last is asked first."""
    last: list[Server] = []

    async def reach(
        host: Any = None,
        port: Any = None,
        sslmode: str | None = None,
        sslrootcert: str | None = None,
        **options: Any,
    ) -> Any:
        options = {name: _read(name, value) for name, value in options.items()}
        options["ssl"] = _known_by(sslmode or options.get("ssl"), sslrootcert)
        if not isinstance(host, list):
            return await _connected(host, port, options)
        servers: Sequence[Server] = list(zip(host, port, strict=True))
        server, connection = await _first(sorted(servers, key=lambda each: each not in last), options)
        last[:] = [server]
        return connection

    return reach


def _known_by(mode: str | None, authority: str | None) -> ssl.SSLContext | str | None:
    """Return by what the server is known, as libpq has it, for asyncpg. Raises ConfigError.

    Whom to trust is in a file, of the address or where libpq looks for one, else as this machine has it.
    """
    authority = authority or os.environ.get("PGSSLROOTCERT")
    checked = mode in ("verify-ca", "verify-full") or (mode == "require" and authority)
    if not checked or (not authority and _USERS_OWN.expanduser().exists()):
        return mode
    try:
        context = ssl.create_default_context(cafile=None if authority == "system" else authority)
    except OSError as error:
        raise ConfigError(f"DATABASE_URL: sslrootcert {authority} is not usable: {error.strerror}") from None
    context.check_hostname = mode == "verify-full"
    return context


async def _first(servers: Sequence[Server], options: dict[str, Any]) -> tuple[Server, Any]:
    """Return the first server that takes writes and a connection to it. Raises ConnectionError for none."""
    options = {"target_session_attrs": "read-write"} | options
    for host, port in servers:
        with suppress(*_NOT_NOW):
            return (host, port), await _connected(host, port, options)
    raise ConnectionError("none of the database's servers takes writes")


async def _connected(host: str | None, port: int | None, options: dict[str, Any]) -> Any:
    """Return a connection that neither end holds for ever when the other vanished."""
    connection = await asyncpg.connect(host=host, port=port, **({"timeout": _EACH_S} | options))
    way = connection._transport.get_extra_info("socket")
    if way.family != socket.AF_UNIX:
        try:
            set_timeouts(way)
            await connection.execute(_OF_THE_SERVER, timeout=_EACH_S)
        except BaseException:
            connection.terminate()
            raise
    return connection
