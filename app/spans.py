"""Spans by OpenTelemetry: of requests, the worker's work, statements and round trips to Redis.

What they carry names routes, kinds, shops, tables and commands. No value is in them: no parameter, no key, no
address as it was asked for, and of an error its kind alone, since its message may quote what it failed on.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, get_current_span, use_span
from redis.asyncio import Redis
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.unreachable import why

_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+\"?(\w+)", re.IGNORECASE)
_STATEMENT = "tillwise_span"
# Why a collector does not take the spans that are just sent: the exporter only says so to its log.
_reasons: ContextVar[list[str] | None] = ContextVar("reasons", default=None)
_log = logging.getLogger(__name__)


def exporting() -> Spans:
    """Return spans that leave for the collector which OpenTelemetry's own variables name."""
    return Spans(BatchSpanProcessor(Collector()))


class Collector(SpanExporter):
    """Sends spans to the collector. That it takes none is said once, until it does again.

    OpenTelemetry says so of each attempt, every few seconds; those lines are left out. timeout_s: how long it
    tries with one batch, as OpenTelemetry's variables say where none is given.
    """

    def __init__(self, timeout_s: float | None = None) -> None:
        exporter = OTLPSpanExporter(timeout=timeout_s)
        self._exporter: SpanExporter = exporter
        self.address = _without_password(exporter._endpoint)
        self._lost = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Return whether the collector took the spans."""
        refused = self.send(spans)
        if refused and not self._lost:
            facts = {"collector": self.address, "reason": refused}
            _log.warning("spans are lost, as the collector does not take them", extra=facts)
        self._lost = refused is not None
        return SpanExportResult.FAILURE if refused else SpanExportResult.SUCCESS

    def send(self, spans: Sequence[ReadableSpan]) -> str | None:
        """Return why the collector did not take the spans, None where it did."""
        reasons: list[str] = []
        token = _reasons.set(reasons)
        taken = self._exporter.export(spans) is SpanExportResult.SUCCESS
        _reasons.reset(token)
        return None if taken else next(iter(reasons), "it does not say why")

    def shutdown(self) -> None:
        """Send no more."""
        self._exporter.shutdown()


def _keep_reason(record: logging.LogRecord) -> bool:
    """Keep what is said while spans are sent. Return whether it is written all the same: where none are."""
    reasons = _reasons.get()
    if reasons is None:
        return True
    errors = [each for each in record.args or () if isinstance(each, BaseException)]
    reasons.append(next(filter(None, map(why, errors)), None) or record.getMessage())
    return False


logging.getLogger(OTLPSpanExporter.__module__).addFilter(_keep_reason)


def _without_password(address: str) -> str:
    url = urlsplit(address)
    return url._replace(netloc=url.netloc.rpartition("@")[2], query="").geturl()


class Spans:
    """Makes spans, and lets each line of the log that is written within one name its trace."""

    def __init__(self, processor: SpanProcessor) -> None:
        name = os.environ.get("OTEL_SERVICE_NAME", "tillwise")
        provider = TracerProvider(resource=Resource.create({"service.name": name}))
        provider.add_span_processor(processor)
        self._tracer = provider.get_tracer("tillwise")
        logging.setLogRecordFactory(_naming_the_trace(logging.getLogRecordFactory()))

    @contextmanager
    def span(self, name: str, facts: Mapping[str, str], kind: SpanKind = SpanKind.INTERNAL) -> Iterator[Span]:
        """Be a span around what is done within."""
        # Never a child of what a caller says: whoever asks could make traces as long as they like.
        context = Context() if kind is SpanKind.SERVER else None
        made = self._tracer.start_span(name, context, kind, attributes=facts)
        with use_span(made, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield made
            except Exception as error:
                _failed(made, error)
                raise

    def middleware(self) -> Middleware:
        """Return what makes a span of each request."""
        return Middleware(_Requests, self)

    def follow_database(self, engine: AsyncEngine) -> None:
        """Make a span of each statement within another span, by what it does to which table."""

        def begins(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if get_current_span().is_recording():
                made = self._tracer.start_span(_named(statement), kind=SpanKind.CLIENT)
                connection.info[_STATEMENT] = made

        def ends(connection: Any, *_: Any) -> None:
            if made := connection.info.pop(_STATEMENT, None):
                made.end()

        def fails(told: Any) -> None:
            if told.connection is not None and (made := told.connection.info.pop(_STATEMENT, None)):
                _failed(made, told.original_exception)
                made.end()

        event.listen(engine.sync_engine, "before_cursor_execute", begins)
        event.listen(engine.sync_engine, "after_cursor_execute", ends)
        event.listen(engine.sync_engine, "handle_error", fails)

    def follow_redis(self, redis: Redis) -> None:
        """Make a span of each round trip within another span, by its command."""
        client: Any = redis
        execute, pipeline = client.execute_command, client.pipeline

        async def execute_command(*args: Any, **options: Any) -> Any:
            with self._within(f"redis {args[0]}"):
                return await execute(*args, **options)

        def traced_pipeline(*args: Any, **options: Any) -> Any:
            made = pipeline(*args, **options)
            made.execute = self._traced("redis pipeline", made.execute)
            return made

        client.execute_command, client.pipeline = execute_command, traced_pipeline

    def _traced(self, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def traced(*args: Any, **options: Any) -> Any:
            with self._within(name):
                return await call(*args, **options)

        return traced

    @contextmanager
    def _within(self, name: str) -> Iterator[None]:
        if not get_current_span().is_recording():
            yield
            return
        with self.span(name, {}, SpanKind.CLIENT):
            yield


class _Requests:
    """Makes a span of each request, named by its route: the address may name somebody."""

    def __init__(self, app: ASGIApp, spans: Spans) -> None:
        self._app = app
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        with self._spans.span(method, {"http.request.method": method}, SpanKind.SERVER) as made:

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    made.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self._app(scope, receive, noting)
            finally:
                if route := getattr(scope.get("route"), "path", None):
                    made.update_name(f"{method} {route}")
                    made.set_attribute("http.route", route)


def _named(statement: str) -> str:
    """Return `SELECT shops`: the table that is named first, if any is."""
    verb = statement.split(maxsplit=1)[0].upper()
    table = _TABLE.search(statement)
    return f"{verb} {table[1]}" if table else verb


def _failed(span: Span, error: BaseException) -> None:
    span.set_status(Status(StatusCode.ERROR, type(error).__name__))


def _naming_the_trace(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    def made(*args: Any, **options: Any) -> logging.LogRecord:
        record = make(*args, **options)
        context = get_current_span().get_span_context()
        if context.is_valid:
            record.trace = f"{context.trace_id:032x}"
        return record

    return made
