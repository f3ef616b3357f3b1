"""Traces: what was done, where and for how long, and of whom nothing."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import tracing
from app.config import Settings
from app.connections import Connections, connect
from app.events.consume import work_off
from app.events.log import EventConsumer
from app.logs import JsonFormatter
from app.main import create_app
from app.spans import Collector
from app.tables import ShopRow
from app.worker import HANDLERS
from tests.test_decide import a_till, a_trained_shop, ask
from tests.traced import kept_spans
from tests.webhooks.deliveries import SHOP, headers, order_body
from webhooks.work import process_due

PERSON = {"email": "jane@example.com", "first_name": "Jane", "id": 778_899}


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    with kept_spans() as exporter:
        yield exporter


@pytest.fixture
async def traced(kept: InMemorySpanExporter, connections: Connections) -> AsyncIterator[Connections]:
    """Connections like those of a process that traces, with one shop."""
    async with connect(connections.settings, connections.redis_url) as opened:
        async with opened.write() as db:
            db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=datetime.now(UTC)))
        kept.clear()
        yield opened


def named(kept: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in kept.get_finished_spans()}


async def test_a_decision_tells_how_much_of_it_was_the_ranking(
    kept: InMemorySpanExporter, connections: Connections
) -> None:
    await a_trained_shop(connections)
    async with a_till(connections) as client:
        await ask(client, 10)
    ranking = named(kept)["ranking"]
    assert not ranking.attributes


async def test_a_delivery_is_traced_from_the_request_to_the_tables_without_whom_it_is_about(
    kept: InMemorySpanExporter, traced: Connections
) -> None:
    app = create_app(traced.settings, traced.redis_url)
    body = order_body(email=PERSON["email"], customer=PERSON)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as http,
    ):
        sent = headers(body) | {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
        assert (await http.post("/webhooks?who=jane", content=body, headers=sent)).status_code == 200
    await process_due(traced, datetime.now(UTC))
    consumer = EventConsumer(traced.redis, "test")
    await consumer.open()
    await work_off(traced, consumer, HANDLERS, await consumer.read(block_ms=1))
    spans = named(kept)
    request, handled = spans["POST /webhooks"], spans["event OrderPlaced"]
    kept_together = spans["events keep_orders"]
    assert request.parent is None  # whoever asks does not say which trace it is
    assert request.attributes == {
        "http.request.method": "POST", "http.route": "/webhooks", "http.response.status_code": 200,
    }  # fmt: skip
    assert spans["INSERT orders"].parent == kept_together.context
    assert dict(handled.attributes or {}) == {"shop": SHOP}
    assert {"deliveries", "INSERT inbox", "redis EVALSHA"} <= set(spans)
    told = " ".join(span.to_json() for span in kept.get_finished_spans())
    assert not [value for value in (*map(str, PERSON.values()), "who=") if value in told]


async def test_of_a_failure_its_kind_alone_is_told(kept: InMemorySpanExporter) -> None:
    async def fails(_request: Request) -> Response:
        raise LookupError("jane@example.com is not known")

    traces = tracing.tracing()
    assert traces is not None
    app = Starlette(routes=[Route("/of/{person}", fails)], middleware=[traces.middleware()])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as http:
        assert (await http.get("/of/jane")).status_code == 500
    (span,) = kept.get_finished_spans()
    assert (span.name, span.status.status_code, span.status.description) == (
        "GET /of/{person}", StatusCode.ERROR, "LookupError",
    )  # fmt: skip
    assert "jane" not in span.to_json()


def test_a_line_of_the_log_names_its_trace(
    kept: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger(__name__)
    with caplog.at_level("INFO"):
        with tracing.span("job train"):
            log.info("within")
        log.info("outside")
    within, outside = (json.loads(JsonFormatter().format(each)) for each in caplog.records)
    (span,) = kept.get_finished_spans()
    assert within["trace"] == f"{span.context.trace_id:032x}"
    assert "trace" not in outside


def test_nothing_is_traced_where_nobody_asks_for_it(settings: Settings) -> None:
    tracing.start_tracing({})
    assert tracing.tracing() is None
    assert create_app(settings, "redis://127.0.0.1:1").user_middleware == []
    with tracing.span("job train"):
        pass


def test_spans_reach_the_collector_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived, bodies = threading.Event(), []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: object) -> None:
            return

    make = logging.getLogRecordFactory()
    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
        monkeypatch.setenv(tracing.ASKED_BY, f"http://127.0.0.1:{collector.server_port}")
        tracing.start_tracing()
        with tracing.span("job train", shop=SHOP):
            pass
        assert arrived.wait(30)
        collector.shutdown()
    tracing.use(None)
    logging.setLogRecordFactory(make)
    ((path, body),) = bodies
    assert path == "/v1/traces"
    assert all(each in body for each in (b"job train", SHOP.encode(), b"tillwise"))


def test_a_collector_that_takes_nothing_is_told_of_once_with_its_address_until_it_takes_some(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(BaseHTTPRequestHandler):
        answer = 403

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(self.answer)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Full) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{server.server_port}"
        monkeypatch.setenv(tracing.ASKED_BY, f"http://user:secret@{place}")
        collector = Collector()
        for answer in (403, 403, 200, 403):
            Full.answer = answer
            collector.export(())
        collector.shutdown()
        server.shutdown()
    said = [(each.levelname, each.name, each.__dict__.get("collector")) for each in caplog.records]
    assert said == [("WARNING", "app.spans", f"http://{place}/v1/traces")] * 2
    assert "403" in caplog.records[0].__dict__["reason"]
    assert "secret" not in str([vars(each) for each in caplog.records])
