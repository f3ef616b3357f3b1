"""The API for other systems: segments and who is in them, read with a shop's key."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.connections import Connections
from app.errors import InputError, NotFound, TokenRevoked
from app.events.consume import OUTAGES
from app.failures import reason_of
from app.outbound.api_keys import PER_MINUTE, Holder, holder_of, seconds_to_wait
from app.outbound.shared import Page, customers_in, segments_of, shared_customer
from app.profiles.segment_names import is_name
from app.shops.vault import seal, unseal
from app.values import shopify_id

USUAL_LIMIT, MOST = 100, 250
_WAIT_S = 5
_CACHED = {"Cache-Control": "no-store"}
_log = logging.getLogger(__name__)
Reads = Callable[[Request, Connections, Holder], Awaitable[Any]]


def with_key(read: Reads) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint, open to the holder of a key and at most so often a minute."""

    @wraps(read)
    async def answer(request: Request) -> Response:
        try:
            return await _answer(read, request)
        except OUTAGES as error:
            _log.error("the API is without a store", extra={"reason": reason_of(error)})
            says = {"error": "a store of ours can't be reached; ask again in a moment"}
            return JSONResponse(says, 503, {"Retry-After": str(_WAIT_S), **_CACHED})

    return answer


async def _answer(read: Reads, request: Request) -> Response:
    connections: Connections = request.app.state.connections
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    holder = await holder_of(connections, secret.strip()) if scheme.lower() == "bearer" else None
    if holder is None:
        says = {"error": "send a key of the shop: Authorization: Bearer twk_…"}
        return JSONResponse(says, 401, {"WWW-Authenticate": "Bearer", **_CACHED})
    wait_s = await seconds_to_wait(connections, holder, datetime.now(UTC))
    if wait_s:
        says = {"error": f"more than {PER_MINUTE} calls in this minute"}
        return JSONResponse(says, 429, {"Retry-After": str(wait_s), **_CACHED})
    body = msgspec.json.encode(await read(request, connections, holder))
    return Response(body, media_type="application/json", headers=_CACHED)


@with_key
async def segments(_request: Request, connections: Connections, holder: Holder) -> Any:
    """Return the shop's segments with how many customers are in each."""
    return await segments_of(connections, holder.shop)


@with_key
async def customer(request: Request, connections: Connections, holder: Holder) -> Any:
    """Return a customer's segments, why they are in them, and the numbers behind it."""
    try:
        customer_id = shopify_id(request.path_params["customer_id"], "customer_id")
    except InputError:
        raise NotFound("there is no such customer") from None
    found = await shared_customer(connections, holder.shop, customer_id)
    if found is None:
        raise NotFound("there is no such customer, or none who may be shared")
    return found


@with_key
async def customers(request: Request, connections: Connections, holder: Holder) -> Any:
    """Return customers of a segment, some at a time."""
    name = request.path_params["name"]
    if not is_name(name):
        raise NotFound("there is no such segment")
    keys = connections.settings.token_encryption_keys
    limit = _limit(request.query_params.get("limit", str(USUAL_LIMIT)))
    place = f"{holder.shop.shop} {name}"
    after = _after(keys, request.query_params.get("cursor"), place)
    found, goes_on_after = await customers_in(connections, holder.shop, name, after, limit)
    cursor = None if goes_on_after is None else seal(keys, f"{place} {goes_on_after}").decode()
    return Page(found, cursor)


async def nowhere(request: Request) -> Response:
    """Answer that there is nothing there, or nothing to change, as JSON."""
    if request.method not in ("GET", "HEAD"):
        return JSONResponse({"error": "there is nothing to change here: ask with GET"}, 405, {"Allow": "GET"})
    raise NotFound("there is no such call: see docs/openapi.json")


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise InputError(f"limit is a whole number of 1 to {MOST}", "limit")
    return int(text)


def _after(keys: tuple[str, ...], cursor: str | None, place: str) -> int:
    """Return the id that a cursor goes on after. It is sealed: it may name who may not be shared."""
    if cursor is None:
        return 0
    try:
        said, _, number = unseal(keys, cursor.encode()).rpartition(" ")
    except (TokenRevoked, UnicodeEncodeError):
        raise InputError("the cursor is none of ours", "cursor") from None
    if said != place:
        raise InputError("the cursor is of another list", "cursor")
    return int(number)


READS = (
    ("/api/v1/segments", segments),
    ("/api/v1/customers/{customer_id}", customer),
    ("/api/v1/segments/{name}/customers", customers),
)
routes = [
    *(Route(path, read, methods=["GET"]) for path, read in READS),
    Route("/api/v1/{rest:path}", nowhere, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
]
