"""POST /webhooks: written down once, then 200. Nothing is processed in the request.

Whatever carries Shopify's signature is stored, readable or not, from a shop we know or not: the
worker decides, and parks with a reason what it can't use. So nothing that Shopify was told we have
is ever lost, and no answer makes it repeat what will never be better. Only when the row can't be
stored is the answer 503, and Shopify delivers again.

Of the body only what is used is written down: no name, no address. What can't be read is sealed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.api_version import note_version
from app.batching import Batcher
from app.body import read_body
from app.connections import Connections
from app.consent.digests import Digests, open_digests
from app.errors import InputError, NotAuthentic
from app.limits import rate_limiter
from app.metrics import DELIVERIES
from app.shops.sealed import sealed
from app.shops.sessions import WebhookHeaders, verify_webhook
from webhooks.address import address_alone
from webhooks.batching import PATIENCE_MS, Row, batched_inbox
from webhooks.minimise import minimised

LIMIT_BYTES = 8_000_000  # a fulfilled order of 500 lines tells each of them several times
_MAX_HEADER = 255
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InboxWriter:
    """Stores deliveries, many in one commit; one a process. keys: to seal unreadable bodies with."""

    store: Batcher[Row, None]
    digests: Digests
    keys: tuple[str, ...]


@asynccontextmanager
async def opened(web: Starlette) -> AsyncIterator[None]:
    """Open the inbox writer, over web.state.connections."""
    connections: Connections = web.state.connections
    web.state.inbox = InboxWriter(
        store=batched_inbox(connections),
        digests=await open_digests(connections),
        keys=connections.settings.token_encryption_keys,
    )
    yield


async def receive(request: Request) -> Response:
    """Return 200 once the delivery is durably stored; a repeat is 200 and changes nothing."""
    connections: Connections = request.app.state.connections
    inbox: InboxWriter = request.app.state.inbox
    body = await read_body(request, LIMIT_BYTES)
    try:
        headers = verify_webhook(request.headers, body, connections.settings)
    except NotAuthentic:
        DELIVERIES.labels("not_authentic").inc()
        # Only after it was looked at: else a forger would keep out what comes the same way from Shopify.
        rate_limiter(connections, "webhooks").check("forger", request.client and request.client.host)
        raise
    try:
        async with asyncio.timeout(PATIENCE_MS / 1000):
            await inbox.store(_row(headers, _kept(inbox, headers, body), datetime.now(UTC)))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        _log.error(
            "a delivery could not be stored",
            extra={"shop": headers.shop, "topic": headers.topic, "reason": type(error).__name__},
        )
        DELIVERIES.labels("not_stored").inc()
        return JSONResponse({"error": "the delivery could not be stored; send it again"}, 503)
    DELIVERIES.labels("stored").inc()
    note_version("delivery", headers.api_version, headers.shop)
    return Response(status_code=200)


def _kept(inbox: InboxWriter, headers: WebhookHeaders, body: bytes) -> bytes:
    """Return the body as it may be written down."""
    if address_alone(headers.topic, body):
        return sealed(inbox.keys, body)
    try:
        return minimised(body, headers.topic, partial(inbox.digests.of_email, headers.shop))
    except InputError:
        return sealed(inbox.keys, body)


def _row(headers: WebhookHeaders, body: bytes, now: datetime) -> dict[str, Any]:
    return {
        "shop": headers.shop,
        "event_id": headers.event_id[:_MAX_HEADER],
        "topic": headers.topic[:_MAX_HEADER],
        "webhook_id": headers.webhook_id[:_MAX_HEADER],
        "api_version": headers.api_version[:_MAX_HEADER],
        "triggered_at": headers.triggered_at,
        "received_at": now,
        "body": body,
        "status": "pending",
        "attempts": 0,
        "next_attempt_at": now,
        "error": "",
    }


routes = [Route("/webhooks", receive, methods=["POST"])]
