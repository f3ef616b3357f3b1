"""Shopify's deliveries, browsers' events and checkouts, and what each was answered."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from tests.chaos.stage import PATIENCE_S, PIXEL_KEY
from tests.offers.factories import SHOP, a_body
from tests.shops.factories import SECRET, checkout_claims, signed_token
from tests.webhooks.deliveries import headers, order_body, signature

_EVERY_S = 0.5
# A batch may wait for a Redis that does not answer for as long as its socket does.
_PATIENCE = httpx.Timeout(15.0)


@dataclass
class Traffic:
    """What was sent. orders, events: those that were acknowledged; again: those to send again.

    answers: of checkouts, by fallback; `unreachable` where nobody answered at all. refused: of deliveries and
    events, those that were not acknowledged, by status.
    """

    http: httpx.AsyncClient
    orders: set[int] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    decisions: set[str] = field(default_factory=set)
    orders_again: set[int] = field(default_factory=set)
    refused: Counter[int] = field(default_factory=Counter)
    events_again: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def order(self, number: int) -> bool:
        """Return whether the delivery of an order was acknowledged."""
        line = {"id": number, "quantity": 1, "price": "10.00", "product_id": 10}
        body = order_body(id=number, line_items=[line])
        sent = headers(
            body, Shop_Domain=SHOP, Event_Id=f"e-{number}", Webhook_Id=f"w-{number}",
            Hmac_Sha256=signature(body), Triggered_At=datetime.now(UTC).isoformat(),
        )  # fmt: skip
        taken = await self._status("/webhooks", sent, content=body) == 200
        (self.orders if taken else self.orders_again).add(number)
        return taken

    async def event(self, name: str, client_id: str = "c-1") -> bool:
        """Return whether a browser's event was acknowledged."""
        event = {
            "id": name, "name": "product_viewed", "timestamp": datetime.now(UTC).isoformat(),
            "client_id": client_id, "data": {"product_id": 10}, "consent": {"analytics": True},
        }  # fmt: skip
        sent = {"Authorization": f"Bearer {PIXEL_KEY}"}
        taken = await self._status("/api/track_event", sent, json={"events": [event]}) == 202
        (self.events if taken else self.events_again).add(name)
        return taken

    async def checkout(self, **claims: str | None) -> str:
        """Return the fallback that a checkout was answered with, `none` for none. claims: of its token."""
        token = signed_token(checkout_claims(datetime.now(UTC), **claims), SECRET)
        body = a_body(10, checkout_token=f"t-{next(self.numbers)}")
        try:
            answer = await self.http.post(
                "/api/personalize", json=body, headers={"Authorization": f"Bearer {token}"}
            )
        except httpx.HTTPError:
            self.answers["unreachable"] += 1
            return "unreachable"
        assert answer.status_code == 200, answer.text
        told = answer.json()
        fallback = told["fallback"] or "none"
        self.answers[fallback] += 1
        if fallback == "none":
            self.decisions.add(told["decision_id"])
        return str(fallback)

    async def send_again(self) -> None:
        """Send what was not acknowledged until it is, as Shopify and browsers do."""
        before = self.http
        async with (
            asyncio.timeout(PATIENCE_S),
            httpx.AsyncClient(base_url=before.base_url, timeout=_PATIENCE) as self.http,
        ):
            await self._send_again()
        self.http = before

    async def _send_again(self) -> None:
        while self.orders_again or self.events_again:
            orders, self.orders_again = self.orders_again, set()
            events, self.events_again = self.events_again, set()
            for number in orders:
                await self.order(number)
            for name in events:
                await self.event(name)

    async def _status(self, path: str, sent: dict[str, str], **body: object) -> int:
        try:
            status = (await self.http.post(path, headers=sent, **body)).status_code  # type: ignore[arg-type]
        except httpx.HTTPError:
            status = 0
        if status >= 300 or not status:
            self.refused[status] += 1
        return status


@asynccontextmanager
async def calm(origin: str) -> AsyncIterator[Traffic]:
    """Yield traffic that only comes when it is told to."""
    async with httpx.AsyncClient(base_url=origin, timeout=_PATIENCE) as http:
        yield Traffic(http)


@asynccontextmanager
async def under_load(origin: str) -> AsyncIterator[Traffic]:
    """Yield the traffic, which goes on until left: two of each kind a second."""
    async with calm(origin) as traffic:

        async def orders() -> None:
            await traffic.order(next(traffic.numbers))

        async def events() -> None:
            await traffic.event(f"v-{next(traffic.numbers)}")

        async def checkouts() -> None:
            await traffic.checkout()

        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_keep(kind)) for kind in (orders, events, checkouts)]
            yield traffic
            for each in running:
                each.cancel()


async def _keep(kind: Callable[[], Awaitable[None]]) -> None:
    """Send two a second, whether or not those before are answered."""
    sent: set[asyncio.Task[None]] = set()
    try:
        while True:
            one = asyncio.ensure_future(kind())
            sent.add(one)
            one.add_done_callback(sent.discard)
            await asyncio.sleep(_EVERY_S)
    finally:
        await asyncio.gather(*sent)  # what was sent is answered, or known not to be
