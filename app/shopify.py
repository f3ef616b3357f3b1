"""Everything Tillwise says to Shopify. The only file that imports httpx for that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from app.config import Settings
from app.values import shop_domain

_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)


class ShopTransport(httpx.AsyncBaseTransport):
    """Sends requests to `*.myshopify.com` only; in development, to the dev store instead."""

    def __init__(self, inner: httpx.AsyncBaseTransport, dev_store_url: str | None) -> None:
        self._inner = inner
        self._dev_store = httpx.URL(dev_store_url) if dev_store_url else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the shop's answer. Raises InputError for any other host, before a byte leaves."""
        shop = shop_domain(request.url.host)
        if request.url.scheme != "https":
            raise httpx.UnsupportedProtocol("shops are spoken to over https only", request=request)
        if self._dev_store is not None:
            request.url = request.url.copy_with(
                scheme=self._dev_store.scheme, host=self._dev_store.host, port=self._dev_store.port
            )
            request.headers["Host"] = shop
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def open_http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Yield the one client of this process: no redirects, bounded in time and connections."""
    transport = ShopTransport(httpx.AsyncHTTPTransport(limits=_LIMITS), settings.dev_store_url)
    async with httpx.AsyncClient(transport=transport, timeout=_TIMEOUT) as client:
        yield client
