"""Everything Tillwise says to Shopify. The only file that imports httpx for that."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from app.api_version import note_version
from app.config import API_VERSION, Settings
from app.errors import ShopClosed, ShopifyRefused, ShopifyUnavailable, TokenRevoked
from app.tcp_timeouts import OPTIONS
from app.values import shop_domain

Sleep = Callable[[float], Awaitable[object]]

# Where Shopify keeps the results of bulk operations; their links carry their own proof.
BULK_RESULTS_HOST = "storage.googleapis.com"

_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_ATTEMPTS = 6
_LONGEST_PAUSE_S = 20.0
_CLOSED = {402: "frozen", 423: "locked"}
_OPERATION = re.compile(r"^\s*(?:query|mutation)\s+(\w+)", re.MULTILINE)


class ShopTransport(httpx.AsyncBaseTransport):
    """Sends requests to `*.myshopify.com` only; in development, to the dev store instead.

    The one exception are downloads of bulk results.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, dev_store_url: str | None) -> None:
        self._inner = inner
        self._dev_store = httpx.URL(dev_store_url) if dev_store_url else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the shop's answer. Raises InputError for any other host, before a byte leaves."""
        if self._is_download(request):
            return await self._inner.handle_async_request(request)
        shop = shop_domain(request.url.host)
        if request.url.scheme != "https":
            raise httpx.UnsupportedProtocol("shops are spoken to over https only", request=request)
        if self._dev_store is not None:
            request.url = request.url.copy_with(
                scheme=self._dev_store.scheme, host=self._dev_store.host, port=self._dev_store.port
            )
            request.headers["Host"] = shop
        return await self._inner.handle_async_request(request)

    def _is_download(self, request: httpx.Request) -> bool:
        """Return whether it fetches a bulk result and carries no secret along."""
        if request.method != "GET" or "X-Shopify-Access-Token" in request.headers:
            return False
        store, url = self._dev_store, request.url
        if store is not None and (url.scheme, url.netloc) == (store.scheme, store.netloc):
            return True
        return url.scheme == "https" and url.netloc == BULK_RESULTS_HOST.encode()

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def open_http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Yield the one client of this process: no redirects, bounded in time and connections."""
    inner = httpx.AsyncHTTPTransport(limits=_LIMITS, socket_options=OPTIONS)
    transport = ShopTransport(inner, settings.dev_store_url)
    async with httpx.AsyncClient(transport=transport, timeout=_TIMEOUT) as client:
        yield client


class _TryAgain(ShopifyUnavailable):
    """Shopify could not answer just now. pause_s: how long it asked us to wait, if it said."""

    def __init__(self, message: str, pause_s: float | None = None) -> None:
        super().__init__(message)
        self.pause_s = pause_s


async def graphql(
    http: httpx.AsyncClient,
    settings: Settings,
    shop: str,
    token: str,
    document: str,
    variables: Mapping[str, Any] | None = None,
    *,
    sleep: Sleep = asyncio.sleep,
) -> dict[str, Any]:
    """Return the `data` of the shop's answer, after waiting out throttles and short failures.

    A mutation whose outcome is unknown (a 5xx, an answer that got lost) is not sent again.
    Raises ShopifyUnavailable when patience ends, ShopifyRefused for errors in the answer,
    TokenRevoked. Messages name the shop and the operation, never the token.
    """
    call = f"{shop} {operation_name(document)}"
    is_query = not document.lstrip().startswith("mutation")

    async def ask() -> dict[str, Any]:
        request = http.build_request(
            "POST",
            f"https://{shop_domain(shop)}/admin/api/{API_VERSION}/graphql.json",
            json={"query": document, "variables": dict(variables or {})},
            headers={"X-Shopify-Access-Token": token} | _who(settings),
        )
        response = await _send(http, request, call, repeatable=is_query)
        note_version("answer", response.headers.get("X-Shopify-API-Version"), shop)
        return _data(response, call, repeatable=is_query)

    return await _patiently(ask, sleep)


async def request_grant(
    http: httpx.AsyncClient,
    settings: Settings,
    shop: str,
    body: Mapping[str, str],
    *,
    sleep: Sleep = asyncio.sleep,
) -> dict[str, Any]:
    """Return the shop's answer to a request for an access token.

    Raises TokenRevoked when the id or refresh token offered for it is not good, ShopifyRefused for a code
    that is not, ShopifyUnavailable when patience ends.
    """
    call = f"{shop} access token"

    async def ask() -> dict[str, Any]:
        request = http.build_request(
            "POST",
            f"https://{shop_domain(shop)}/admin/oauth/access_token",
            json=dict(body),
            headers={"Accept": "application/json"} | _who(settings),
        )
        answer = _json(await _send(http, request, call, repeatable=True), call)
        if "access_token" not in answer:
            raise ShopifyRefused(f"{call}: the answer carries none")
        return answer

    return await _patiently(ask, sleep)


async def read_clock(http: httpx.AsyncClient, shop: str) -> float:
    """Return the time at Shopify, in seconds since 1970. Raises ShopifyUnavailable."""
    try:
        told = (await http.head(f"https://{shop_domain(shop)}/")).headers["Date"]
    except (httpx.TransportError, KeyError) as error:
        raise ShopifyUnavailable(f"{shop}: {type(error).__name__}") from error
    return parsedate_to_datetime(told).timestamp()


async def download(http: httpx.AsyncClient, url: str, offset: int = 0) -> AsyncIterator[bytes]:
    """Yield a bulk result from a byte on, as it comes.

    Raises ShopifyUnavailable when the connection breaks, ShopifyRefused when the link is no good.
    """
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
    try:
        async with http.stream("GET", url, headers=headers) as response:
            if response.status_code == 416:  # everything was read before
                return
            if response.status_code >= 500 or response.status_code == 429:
                raise ShopifyUnavailable(f"bulk result: HTTP {response.status_code}")
            if response.status_code not in (200, 206):
                raise ShopifyRefused(f"bulk result: HTTP {response.status_code}")
            skip = offset if response.status_code == 200 else 0
            async for part in response.aiter_bytes():
                yield part[skip:]
                skip = max(0, skip - len(part))
    except httpx.TransportError as error:
        raise ShopifyUnavailable(f"bulk result: {type(error).__name__}") from error


def _who(settings: Settings) -> dict[str, str]:
    return {"User-Agent": f"Tillwise ({settings.app_url})"}


def operation_name(document: str) -> str:
    """Return the name of the document's first operation, for messages."""
    found = _OPERATION.search(document)
    return found[1] if found else "unnamed operation"


def accepted(data: Mapping[str, Any], mutation: str, *, shop: str) -> dict[str, Any]:
    """Return a mutation's payload. Raises ShopifyRefused with what its userErrors say."""
    payload: dict[str, Any] = data.get(mutation) or {}
    if errors := payload.get("userErrors"):
        raise ShopifyRefused(f"{shop} {mutation}: {'; '.join(map(_user_error, errors))}")
    return payload


def throttle_pause_s(answer: Mapping[str, Any]) -> float | None:
    """Return the seconds until the shop's bucket holds the query, None for one that never fits."""
    cost = (answer.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    needed, held = cost.get("requestedQueryCost") or 0, status.get("currentlyAvailable") or 0
    if needed > status.get("maximumAvailable", needed):
        return None
    return max(1.0, (needed - held) / (status.get("restoreRate") or 50))


async def _patiently(ask: Callable[[], Awaitable[dict[str, Any]]], sleep: Sleep) -> dict[str, Any]:
    """Return the first answer, with pauses as Shopify asks for them, else ever longer ones."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return await ask()
        except _TryAgain as busy:
            backoff_s = 0.25 * 2**attempt * random.uniform(0.75, 1.25)
            await sleep(min(busy.pause_s or backoff_s, _LONGEST_PAUSE_S))
    return await ask()


async def _send(
    http: httpx.AsyncClient, request: httpx.Request, call: str, *, repeatable: bool
) -> httpx.Response:
    """Return an answer that was understood. Raises _TryAgain where another try may help."""
    unsure = _TryAgain if repeatable else ShopifyUnavailable
    try:
        response = await http.send(request)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise _TryAgain(f"{call}: {type(error).__name__}") from error
    except httpx.TransportError as error:
        raise unsure(f"{call}: {type(error).__name__}") from error
    if response.status_code == 429:
        raise _TryAgain(f"{call}: throttled", _retry_after_s(response))
    if response.status_code == 430:  # taken for an attack: more of it would not help
        raise ShopifyUnavailable(f"{call}: turned away for a while (HTTP 430)")
    if response.status_code >= 500:
        raise unsure(f"{call}: HTTP {response.status_code}")
    if response.status_code != 200:
        raise _refusal(response, call)
    return response


def _refusal(response: httpx.Response, call: str) -> ShopifyRefused | TokenRevoked:
    try:
        body = response.json()
    except ValueError:
        body = {}
    code = str(body.get("error", "")) if isinstance(body, dict) else ""
    message = f"{call}: HTTP {response.status_code} {code}".rstrip()
    if response.status_code in _CLOSED:
        return ShopClosed(f"{message}: the shop is {_CLOSED[response.status_code]}")
    # With a secret that is not the app's no token is spent: it is as good as before once that is mended.
    if response.status_code == 401 and code != "invalid_client":
        return TokenRevoked(f"{message}: Shopify no longer takes the token")
    # What the token endpoint says of an id or refresh token that is used up; of the latter also 401 with
    # `invalid_request`. With another status that is said of how we asked, and no token is spent.
    spent = {"invalid_grant", "invalid_subject_token"}
    return TokenRevoked(message) if code in spent else ShopifyRefused(message)


def _data(response: httpx.Response, call: str, *, repeatable: bool) -> dict[str, Any]:
    answer = _json(response, call)
    if not (errors := answer.get("errors")):
        data: dict[str, Any] = answer.get("data") or {}
        return data
    if not isinstance(errors, list):
        raise ShopifyRefused(f"{call}: {errors}")
    codes = {(error.get("extensions") or {}).get("code") for error in errors}
    if "THROTTLED" in codes:
        if (pause_s := throttle_pause_s(answer)) is None:
            raise ShopifyRefused(f"{call}: costs more than the shop's bucket ever holds")
        raise _TryAgain(f"{call}: throttled", pause_s)
    told = f"{call}: {'; '.join(str(error.get('message')) for error in errors)}"
    if "INTERNAL_SERVER_ERROR" in codes:  # a 5xx inside a 200
        raise _TryAgain(told) if repeatable else ShopifyUnavailable(told)
    raise ShopClosed(told) if "SHOP_INACTIVE" in codes else ShopifyRefused(told)


def _json(response: httpx.Response, call: str) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        raise ShopifyUnavailable(f"{call}: the answer is not JSON") from None
    if not isinstance(answer, dict):
        raise ShopifyUnavailable(f"{call}: the answer is not an object")
    return answer


def _retry_after_s(response: httpx.Response) -> float | None:
    """Return the seconds of Retry-After; Shopify writes them with decimals (`2.0`)."""
    text = response.headers.get("Retry-After", "")
    return float(text) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]+)?", text) else None


def _user_error(error: Mapping[str, Any]) -> str:
    field = ".".join(error.get("field") or [])
    code = error.get("code")
    return " ".join(filter(None, [field, error.get("message"), f"({code})" if code else ""]))
