"""The ASGI app: which routes there are, and what is opened and closed around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

import app.admin.routes
import app.collect
import app.decide
import app.health
import app.outbound.routes
import app.reach.routes
import app.shops.routes
import app.storefront
import webhooks.receive
from app.config import Settings
from app.connections import connect
from app.error_response import error_response
from app.errors import TillwiseError
from app.tracing import tracing

ROUTES = [
    *webhooks.receive.routes,
    *app.collect.routes,
    *app.decide.routes,
    *app.storefront.routes,
    *app.outbound.routes.routes,
    *app.reach.routes.routes,
    *app.shops.routes.routes,
    *app.admin.routes.routes,
    *app.health.routes,
]


def create_app(settings: Settings, redis_url: str) -> Starlette:
    """Return the web app; it opens its connections when the server starts it."""

    @asynccontextmanager
    async def lifespan(web: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            connections = await stack.enter_async_context(connect(settings, redis_url))
            web.state.connections = connections
            await stack.enter_async_context(webhooks.receive.opened(web))
            await stack.enter_async_context(app.decide.opened(web))
            yield

    traced = tracing()
    web = Starlette(
        routes=ROUTES,
        middleware=[traced.middleware()] if traced else [],
        lifespan=lifespan,
        exception_handlers={TillwiseError: answer_error},
    )
    web.router.redirect_slashes = False  # it leads to whatever host the request names
    return web


async def answer_error(_request: Request, error: Exception) -> Response:
    """Return our own error as JSON with its status: what was wrong, and with which field."""
    if not isinstance(error, TillwiseError):
        raise error
    return error_response(error)
