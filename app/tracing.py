"""Traces, where an operator asks for them. Else `app.spans` is not loaded, and nothing is wrapped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any, Protocol, cast

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.middleware import Middleware

from app.errors import ConfigError

ASKED_BY = "OTEL_EXPORTER_OTLP_ENDPOINT"


class Tracing(Protocol):
    """What `app.spans` does for the parts that are traced."""

    def span(self, name: str, facts: Mapping[str, str]) -> AbstractContextManager[object]:
        """Return a span around what is done within. facts: of machines, never of persons."""

    def middleware(self) -> Middleware:
        """Return what makes a span of each request."""

    def follow_database(self, engine: AsyncEngine) -> None:
        """Make a span of each statement within another span."""

    def follow_redis(self, redis: Redis) -> None:
        """Make a span of each round trip within another span."""


_tracing: Tracing | None = None
_UNTRACED = nullcontext()


def start_tracing(environ: Mapping[str, str] = os.environ) -> None:
    """Send spans to where OTEL_EXPORTER_OTLP_ENDPOINT says, if it says so. Raises ConfigError."""
    if environ.get(ASKED_BY):
        use(cast(Tracing, _spans().exporting()))


def reach_collector(timeout_s: float) -> tuple[str, str | None]:
    """Return the collector's address, and why it takes no spans, None where it does. Raises ConfigError."""
    collector = _spans().Collector(timeout_s)
    try:
        return collector.address, collector.send(())
    finally:
        collector.shutdown()


def _spans() -> Any:
    try:
        return import_module("app.spans")
    except ImportError:
        raise ConfigError(f"{ASKED_BY} needs more packages: pip install '.[tracing]'") from None


def use(tracing: Tracing | None) -> None:
    """Set what traces from now on, None to trace nothing."""
    global _tracing
    _tracing = tracing


def tracing() -> Tracing | None:
    """Return what traces, None when nothing does."""
    return _tracing


def span(name: str, **facts: str) -> AbstractContextManager[object]:
    """Return a span around what is done within, where it is traced. facts: of machines, never of persons."""
    return _UNTRACED if _tracing is None else _tracing.span(name, facts)
