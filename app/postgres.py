"""PostgreSQL as its address names it: one server, or several of which the one that takes writes is found."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import asyncpg
from sqlalchemy import ExceptionContext, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.errors import ConfigError

_PORT = 5432
_EACH_S = 5.0  # one of several servers is asked for no longer: one that is gone may not even refuse
# A server that acknowledges nothing for so long is gone; the kernel alone would wait a quarter of an hour.
_SILENT_S = 15
_BOUNDS = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 5, "TCP_USER_TIMEOUT": _SILENT_S * 1_000}  # Linux
# Connection lost, out of disk, memory or connections, shutting down or starting, a replica: of SQLSTATE.
_AWAY = ("08", "53", "57P", "25006")
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
        make_url(address := f"{scheme}://{place}{slash}{rest}")
    except (ValueError, ArgumentError):
        raise ConfigError(
            "DATABASE_URL can't be read: postgresql://user:password@host:5432/name, or several servers, "
            "as in @a:5432,b:5432/name"
        ) from None
    return address


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

    async def reach(host: Any = None, port: Any = None, sslmode: str | None = None, **options: Any) -> Any:
        if sslmode is not None:  # as libpq calls it
            options["ssl"] = sslmode
        options["connection_class"] = _Bounded
        if not isinstance(host, list):
            return await asyncpg.connect(host=host, port=port, **options)
        servers: Sequence[Server] = list(zip(host, port, strict=True))
        server, connection = await _first(sorted(servers, key=lambda each: each not in last), options)
        last[:] = [server]
        return connection

    return reach


async def _first(servers: Sequence[Server], options: dict[str, Any]) -> tuple[Server, Any]:
    """Return the first server that takes writes and a connection to it. Raises ConnectionError for none."""
    options = {"target_session_attrs": "read-write", "timeout": _EACH_S} | options
    for host, port in servers:
        with suppress(*_NOT_NOW):
            return (host, port), await asyncpg.connect(host=host, port=port, **options)
    raise ConnectionError("none of the database's servers takes writes")


class _Bounded(asyncpg.Connection):  # type: ignore[misc]
    """A connection that a server which vanished does not hold for ever."""

    __slots__ = ()

    def __init__(self, protocol: Any, transport: Any, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        bound = transport.get_extra_info("socket")
        if bound.family != socket.AF_UNIX:
            for name, value in _BOUNDS.items():
                if hasattr(socket, name):
                    bound.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
