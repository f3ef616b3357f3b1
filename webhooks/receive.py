"""POST /webhooks: written down once, then 200. Nothing is processed in the request.

Whatever carries Shopify's signature is stored, readable or not, from a shop we know or not: the
worker decides, and parks with a reason what it can't use. So nothing that Shopify was told we have
is ever lost, and no answer makes it repeat what will never be better. Only when the row can't be
stored is the answer 503, and Shopify delivers again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.body import read_body
from app.connections import Connections
from app.gather import Gathered
from app.shops.sessions import WebhookHeaders, verify_webhook
from webhooks.gather import PATIENCE_MS, Row, gathered_inbox

LIMIT_BYTES = 2_000_000
_MAX_HEADER = 255
_log = logging.getLogger(__name__)


@asynccontextmanager
async def opened(web: Starlette) -> AsyncIterator[None]:
    """Open the way into the inbox, over web.state.connections."""
    web.state.inbox = gathered_inbox(web.state.connections)
    yield


async def receive(request: Request) -> Response:
    """Return 200 once the delivery is durably stored; a repeat is 200 and changes nothing."""
    connections: Connections = request.app.state.connections
    store: Gathered[Row, None] = request.app.state.inbox
    body = await read_body(request, LIMIT_BYTES)
    headers = verify_webhook(request.headers, body, connections.settings)
    try:
        async with asyncio.timeout(PATIENCE_MS / 1000):
            await store(_row(headers, body, datetime.now(UTC)))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        _log.error(
            "a delivery could not be stored",
            extra={"shop": headers.shop, "topic": headers.topic, "reason": type(error).__name__},
        )
        return JSONResponse({"error": "the delivery could not be stored; send it again"}, 503)
    return Response(status_code=200)


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
