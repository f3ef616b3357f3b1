"""How much one process takes in and one worker works off: events of browsers, orders and decisions.

They are taken in over HTTP first and worked off afterwards, so that each is measured at its own pace, on
SQLite and the embedded Redis. An order comes as a signed webhook and ends in its customer's profile and
segments; a browser's event ends in the visit of whoever sent it; a decision in the merchant's figures.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from app.config import Settings
from app.connections import Connections, connect
from app.events.log import EventLog
from app.migrations import migrate
from benchmarks import decide
from benchmarks.carts import carts
from benchmarks.follow import CUSTOMERS, SHOP, fill, worker
from benchmarks.held_visitors import EVENTS_A_VISIT, PROOF, visit_events
from benchmarks.load import measure, request
from benchmarks.server import Server, own_stores, served
from benchmarks.webhooks import signed_order
from webhooks.inbox import measure_backlog

CONNECTIONS = 32
VISITS, ORDERS, CHECKOUTS = 20_000, 20_000, 10_000  # at most: no server here takes in more in the time
_FROM, _TO = 0.9, 0.1  # of what waits: a worker's start and end are left out
_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one kind of event: how many a second, and microseconds of the processor for one.

    what: the kind. taken: by one web process. worked: by one worker.
    """

    what: str
    taken_per_second: float
    taken_us: float
    worked_per_second: float
    worked_us: float


def main(seconds: int = 1) -> list[Figures]:
    """Return the figures, printed as well. seconds: how long each is taken in."""
    visits = [_visit(number) for number in range(VISITS)]
    orders = [signed_order(SHOP, 10_000_000 + each, 1 + each % CUSTOMERS) for each in range(ORDERS)]
    checkouts = decide.questions(carts()[-CHECKOUTS:])
    app, decides = "benchmarks.webhooks:web", "benchmarks.decide:web"
    found = [
        _measured("a browser's event", app, fill, visits, EVENTS_A_VISIT, seconds),
        _measured("an order", app, fill, orders, 1, seconds),
        _measured("a decision", decides, decide.fill, checkouts, 1, seconds),
    ]
    for each in found:
        print(
            f"{each.what:18s} taken in {each.taken_per_second:6.0f} a second of {each.taken_us:5.0f} µs, "
            f"worked off {each.worked_per_second:6.0f} a second of {each.worked_us:5.0f} µs"
        )
    return found


def _visit(number: int) -> bytes:
    body = json.dumps({"events": visit_events(number)}).encode()
    return request("POST", "/api/track_event", {**PROOF, "Content-Type": "application/json"}, body)


def _measured(
    what: str,
    app: str,
    filled: Callable[[Settings, str], Coroutine[Any, Any, None]],
    requests: Sequence[bytes],
    each_holds: int,
    seconds: int,
) -> Figures:
    """Return what became of the requests to an app. each_holds: events in one. filled: makes its shop."""
    with own_stores() as (settings, redis_url, environment):
        asyncio.run(migrate(settings.database_url))
        asyncio.run(filled(settings, redis_url))
        with served(app, environment) as server:
            tenth = len(requests) // 10
            measure(server.port, requests[:tenth], connections=CONNECTIONS, seconds=1)  # what is loaded once
            before_s = server.cpu_s()
            taken = measure(server.port, requests[tenth:], connections=CONNECTIONS, seconds=seconds)
            took_s = server.cpu_s() - before_s
        events = taken.per_second * seconds * each_holds
        if taken.failed or events > len(requests) * each_holds:
            raise RuntimeError(f"{taken.failed} failed, {events:.0f} asked")
        with worker(environment) as process:
            a_second, us = asyncio.run(_worked(settings, redis_url, Server(0, process.pid)))
    return Figures(what, events / seconds, took_s / events * 1e6, a_second, us)


async def _worked(settings: Settings, redis_url: str, process: Server) -> tuple[float, float]:
    """Return how many a second the worker works off, and how much of the processor each takes it."""
    async with connect(settings, redis_url) as connections:
        all_of_them = await _waiting(connections)
        first = await _when(connections, process, lambda left: left < all_of_them * _FROM)
        last = await _when(connections, process, lambda left: left < all_of_them * _TO)
    done = first.left - last.left
    return done / (last.at - first.at), (last.cpu_s - first.cpu_s) / done * 1e6


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    left: int
    cpu_s: float


async def _when(connections: Connections, process: Server, is_so: Callable[[int], bool]) -> _Moment:
    """Return the first moment at which so few are left. Raises TimeoutError."""
    async with asyncio.timeout(_PATIENCE_S):
        while not is_so(left := await _waiting(connections)):  # noqa: ASYNC110  (the worker decides)
            await asyncio.sleep(0.05)
    return _Moment(monotonic(), left, process.cpu_s())


async def _waiting(connections: Connections) -> int:
    """Return how many webhooks and events no worker is done with."""
    backlog = await measure_backlog(connections, datetime.now(UTC))
    return backlog.pending + await EventLog(connections.redis).count_unhandled()


if __name__ == "__main__":
    main()
