"""What Redis holds of a visitor: of a customer with orders, and of a browser's visit.

Customers have one to twelve orders and are in their segments. A visit looks at ten products, fills a cart and
starts a checkout, and allows everything. The figures are Redis's own (MEMORY USAGE), for each kind of key.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.applications import Starlette

import app.collect
from app.config import Settings
from app.connections import Connections, connect
from app.events.consume import work_off
from app.events.log import EventConsumer
from app.migrations import migrate
from app.worker import HANDLERS
from benchmarks.follow import CUSTOMERS, PIXEL_KEY, fill
from benchmarks.server import own_stores

VISITS, LOOKED_AT = 300, 10
EVENTS_A_VISIT = LOOKED_AT + 2
YES = dict.fromkeys(("analytics", "marketing", "preferences", "sale_of_data"), True)
PROOF = {"Authorization": f"Bearer {PIXEL_KEY}"}
KINDS = {
    ":visitor:customer:": "a customer's profile",
    ":visitor:client:": "a browser's visit",
    ":visitor:checkout:": "a checkout's visit",
    ":told:": "answers about consent, of one name",
    ":seen:": "an event's id, for a day",
}


@dataclass(frozen=True, slots=True)
class Held:
    """Keys of one kind, and the bytes of one on average."""

    kind: str
    keys: int
    bytes_each: float


def main() -> list[Held]:
    """Return what each kind of key takes, printed as well."""
    with own_stores() as stores:
        asyncio.run(migrate(stores.settings.database_url))
        found = asyncio.run(_measured(stores.settings, stores.redis_url))
    for each in found:
        print(f"{each.kind:35s} {each.keys:6d} keys, {each.bytes_each:6.0f} bytes each")
    return found


async def _measured(settings: Settings, redis_url: str) -> list[Held]:
    await fill(settings, redis_url)
    async with connect(settings, redis_url) as connections:
        await _visit(connections)
        sizes: dict[str, list[int]] = defaultdict(list)
        async for key in connections.redis.scan_iter(count=1_000):
            for part, kind in KINDS.items():
                if part.encode() in key:
                    sizes[kind].append(int(await connections.redis.memory_usage(key, samples=0) or 0))
    return [Held(kind, len(sizes[kind]), sum(sizes[kind]) / len(sizes[kind])) for kind in KINDS.values()]


async def _visit(connections: Connections) -> None:
    web = Starlette(routes=app.collect.routes)
    web.state.connections = connections
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://bench") as http:
        for visit in range(VISITS):
            answer = await http.post("/api/track_event", json={"events": visit_events(visit)}, headers=PROOF)
            assert answer.status_code == 202, answer.text
    consumer = EventConsumer(connections.redis, "bench")
    await consumer.open()
    while deliveries := await consumer.read(block_ms=1):
        await work_off(connections, consumer, HANDLERS, deliveries)


def visit_events(visit: int) -> list[dict[str, Any]]:
    """Return what a browser tells of a visit of a customer who is logged in."""
    names = ["product_viewed"] * LOOKED_AT + ["product_added_to_cart", "checkout_started"]
    told = {"client_id": f"c-{visit}", "customer_id": 1 + visit % CUSTOMERS, "consent": YES}
    at = datetime.now(UTC).isoformat()
    return [
        told
        | {"id": f"{visit}-{number}", "name": name, "timestamp": at, "data": {"product_id": 1 + number}}
        | ({"checkout_token": f"t-{visit}"} if name == "checkout_started" else {})
        for number, name in enumerate(names)
    ]


if __name__ == "__main__":
    main()
