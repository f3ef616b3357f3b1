"""Signed webhooks on their way to the app, with Shopify's timeout and retries, and faults on request."""

import asyncio
import hashlib
import hmac
import json
import random
import uuid
from base64 import b64encode
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from devstore.payloads import Json
from devstore.records import Subscription

TOTAL_SECONDS = 5.0
TIMEOUT = httpx.Timeout(5.0, connect=1.0)
RETRY_SECONDS = (30, 90, 240, 600, 1500, 2700, 3600, 5400)  # 8 retries in just under 4 hours
KEPT = 2_000  # deliveries in the log


@dataclass(slots=True)
class Faults:
    """What goes wrong on the way, as shares of 0 to 1; the same seed repeats the same faults."""

    duplicate: float = 0.0
    lose: float = 0.0
    delay: float = 0.0
    delay_seconds: float = 2.0
    reorder: float = 0.0  # held back until another delivery has gone
    seed: int = 0


@dataclass(slots=True)
class Delivery:
    """One delivery and what became of it: waiting, delivered, failed, lost or unreachable."""

    id: str
    event_id: str
    shop: str
    topic: str
    uri: str
    triggered_at: datetime
    state: str = "waiting"
    statuses: list[int] = field(default_factory=list)  # of each attempt; 0: no answer in time


@dataclass(slots=True)
class Deliverer:
    """Sends webhooks one after another, retries beside them. time_scale 0.001: an hour takes 3.6 s."""

    secret: str
    client: httpx.AsyncClient
    api_version: str = "2026-07"
    time_scale: float = 0.001
    faults: Faults = field(default_factory=Faults)
    log: list[Delivery] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    held: list[tuple[Delivery, bytes]] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    queue: asyncio.Queue[tuple[Delivery, bytes]] = field(default_factory=lambda: asyncio.Queue())

    def set_faults(self, faults: Faults) -> None:
        self.faults, self.chance = faults, random.Random(faults.seed)

    def send(
        self, shop: str, subscription: Subscription, payload: Json, now: datetime, event_id: str
    ) -> None:
        """Take a delivery on; it is lost, delayed, held back, doubled or simply sent."""
        body = json.dumps(included(payload, subscription.include_fields)).encode()
        delivery = Delivery(str(uuid.uuid4()), event_id, shop, subscription.topic, subscription.uri, now)
        self.log = [*self.log[-KEPT + 1 :], delivery]
        if not subscription.uri.startswith("http"):
            delivery.state = "unreachable"  # a queue of a cloud that the dev store does not have
        elif self._happens(self.faults.lose):
            delivery.state = "lost"
        elif self._happens(self.faults.reorder):
            self.held.append((delivery, body))
        elif self._happens(self.faults.delay):
            self._start(self._later(delivery, body))
        else:
            self._enqueue(delivery, body)

    def _enqueue(self, delivery: Delivery, body: bytes) -> None:
        self.queue.put_nowait((delivery, body))
        if self._happens(self.faults.duplicate):
            self.queue.put_nowait((delivery, body))
        while self.held:
            self.queue.put_nowait(self.held.pop())

    async def run(self) -> None:
        """Send what is queued, in order, until cancelled."""
        while True:
            delivery, body = await self.queue.get()
            try:
                if not await self._attempt(delivery, body):
                    self._start(self._retry(delivery, body))
            finally:
                self.queue.task_done()

    async def drain(self) -> None:
        """Return when everything taken on is delivered or given up; what was held back goes last."""
        while self.held:
            self.queue.put_nowait(self.held.pop(0))
        await self.queue.join()
        while self.tasks:
            await asyncio.gather(*self.tasks)
            await self.queue.join()

    async def stop(self) -> None:
        """Cancel the retries that are still to come."""
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _later(self, delivery: Delivery, body: bytes) -> None:
        await asyncio.sleep(self.faults.delay_seconds)
        self._enqueue(delivery, body)

    async def _retry(self, delivery: Delivery, body: bytes) -> None:
        for seconds in RETRY_SECONDS:
            await asyncio.sleep(seconds * self.time_scale)
            if await self._attempt(delivery, body):
                return
        delivery.state = "failed"

    async def _attempt(self, delivery: Delivery, body: bytes) -> bool:
        """Return whether the app took the delivery: any 2xx in time."""
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                answer = await self.client.post(
                    delivery.uri, content=body, headers=self._headers(delivery, body), timeout=TIMEOUT
                )
            status = answer.status_code
        except (httpx.HTTPError, TimeoutError):
            status = 0
        delivery.statuses.append(status)
        if 200 <= status < 300:
            delivery.state = "delivered"
            return True
        return False

    def _headers(self, delivery: Delivery, body: bytes) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": delivery.topic,
            "X-Shopify-Hmac-Sha256": sign(body, self.secret),
            "X-Shopify-Shop-Domain": delivery.shop,
            "X-Shopify-API-Version": self.api_version,
            "X-Shopify-Webhook-Id": delivery.id,
            "X-Shopify-Event-Id": delivery.event_id,
            "X-Shopify-Triggered-At": delivery.triggered_at.isoformat(),
        }

    def _happens(self, share: float) -> bool:
        return share > 0 and self.chance.random() < share

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def sign(body: bytes, secret: str) -> str:
    """Return the base64 HMAC-SHA256 by which the app knows that Shopify wrote this body."""
    return b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def included(payload: Json, fields: tuple[str, ...]) -> Json:
    """Return only the top-level fields that a subscription asked for, or the whole payload."""
    wanted = {name.split(".")[0] for name in fields}
    return {key: value for key, value in payload.items() if key in wanted} if wanted else payload
