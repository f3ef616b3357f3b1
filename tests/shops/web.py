"""The routes under test as an app of their own, with the errors answered as `app.main` does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from app.connections import Connections
from app.errors import TillwiseError


@asynccontextmanager
async def browsing(routes: Sequence[BaseRoute], connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a browser that follows no redirects and keeps its cookies."""
    web = Starlette(routes=routes, exception_handlers={TillwiseError: _answer_error})
    web.state.connections = connections
    url = connections.settings.app_url
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url=url) as browser:
        yield browser


async def _answer_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TillwiseError)
    body = {"error": str(error), "field": getattr(error, "field", "")}
    return JSONResponse(body, status_code=error.status)
