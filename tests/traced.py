"""Spans kept in memory, for tests that look at them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app import tracing
from app.spans import Spans


@contextmanager
def kept_spans() -> Iterator[InMemorySpanExporter]:
    """Trace into memory meanwhile, and yield what was traced."""
    exporter, make = InMemorySpanExporter(), logging.getLogRecordFactory()
    tracing.use(Spans(SimpleSpanProcessor(exporter)))
    yield exporter
    tracing.use(None)
    logging.setLogRecordFactory(make)
