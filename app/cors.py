"""Routes that browsers call from anywhere: checkout extensions send `Origin: null`.

No cookie opens them, so any origin may read their answers; the proof is in the Authorization header.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.error_response import error_response
from app.errors import TillwiseError

CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Max-Age": "7200",
}
_RAW = [(name.lower().encode(), value.encode()) for name, value in CORS_HEADERS.items()]
Endpoint = Callable[[Request], Awaitable[Response]]


async def preflight(_request: Request) -> Response:
    """Return 204: any origin may ask."""
    return Response(status_code=204, headers=CORS_HEADERS)


def any_origin(endpoint: Endpoint) -> ASGIApp:
    """Return the endpoint with preflights answered and every answer, errors too, readable."""
    return _Readable(endpoint)


class _Readable:
    """An app of its own, so that Starlette does not make one around the endpoint at every call."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return await preflight(request)
        try:
            response = await self._endpoint(request)
        except TillwiseError as error:
            response = error_response(error)
        response.raw_headers += _RAW
        return response
