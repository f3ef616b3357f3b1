"""What an operator asks: is it alive, is it ready, how is it doing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.connections import Connections
from app.events.broker import check_reachable
from app.events.broker_consumer import count_unhandled
from app.events.log import STREAM, EventLog
from app.metrics import DEAD_LETTERS, INBOX_DUE, INBOX_ROWS, LOG_UNHANDLED, LOG_UNSENT, REACHABLE
from webhooks import inbox

_PATIENCE_S = 2.0
_Check = Callable[[Connections], Awaitable[object]]


async def healthz(_request: Request) -> Response:
    """Return 200: the process answers."""
    return PlainTextResponse("ok")


async def readyz(request: Request) -> Response:
    """Return 200 when everything behind us answers, else 503; either way, which does and how fast.

    A broker is the workers' only: without it this process does all it has to.
    """
    connections: Connections = request.app.state.connections
    checks: dict[str, _Check] = {
        "database": _ask_database,
        "redis": _ask_redis,
        "event_log": _ask_event_log,
        **_broker(connections),
    }
    answers = await asyncio.gather(*(_timed(check, connections) for check in checks.values()))
    report = dict(zip(checks, answers, strict=True))
    ready = all(answer["ok"] for part, answer in report.items() if part != "broker")
    return JSONResponse({"ready": ready, **report}, status_code=200 if ready else 503)


async def metrics(request: Request) -> Response:
    """Return the process's metrics, and what the stores hold, as Prometheus text."""
    connections: Connections = request.app.state.connections
    looks: dict[str, _Check] = {
        "database": _count_inbox, "redis": _count_events, **_broker(connections),
    }  # fmt: skip
    answers = await asyncio.gather(*(_timed(look, connections) for look in looks.values()))
    for part, answer in zip(looks, answers, strict=True):
        REACHABLE.labels(part).set(1 if answer["ok"] else 0)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _timed(check: _Check, connections: Connections) -> dict[str, object]:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await check(connections)
    except Exception as error:  # whatever went wrong there is the answer here
        return {"ok": False, "error": type(error).__name__}
    return {"ok": True, "ms": round((time.perf_counter() - started) * 1000, 1)}


async def _count_inbox(connections: Connections) -> None:
    waiting = await inbox.measure_backlog(connections, datetime.now(UTC))
    INBOX_ROWS.labels("pending").set(waiting.pending)
    INBOX_ROWS.labels("parked").set(waiting.parked)
    INBOX_DUE.set(waiting.due_s)


async def _count_events(connections: Connections) -> None:
    LOG_UNHANDLED.set(await count_unhandled(connections))
    DEAD_LETTERS.set(await EventLog(connections.redis).count_dead())
    if connections.settings.event_log_url:
        LOG_UNSENT.set(await connections.redis.xlen(STREAM))


async def _ask_database(connections: Connections) -> None:
    await connections.rows(text("SELECT 1 FROM shops LIMIT 1"))


async def _ask_redis(connections: Connections) -> None:
    await connections.redis.ping()


async def _ask_event_log(connections: Connections) -> None:
    await connections.redis.exists("tw:events")


def _broker(connections: Connections) -> dict[str, _Check]:
    """Return the look at the broker, where there is one."""
    if (url := connections.settings.event_log_url) is None:
        return {}
    return {"broker": lambda _connections: check_reachable(url)}


routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
