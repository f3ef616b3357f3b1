from collections.abc import Awaitable, Callable

import httpx
import pytest

from app.errors import InputError
from app.shopify import ShopTransport

Handler = Callable[[httpx.Request], Awaitable[httpx.Response]]


async def never(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"a request left for {request.url}")


async def echo(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"url": str(request.url), "host": request.headers["host"]})


def client(handler: Handler, dev_store_url: str | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=ShopTransport(httpx.MockTransport(handler), dev_store_url))


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.com/",
        "https://a.myshopify.com.evil.com/",
        "https://169.254.169.254/",
        "https://localhost/",
    ],
)
async def test_no_request_leaves_for_a_host_that_is_no_shop(url: str) -> None:
    async with client(never) as http:
        with pytest.raises(InputError):
            await http.get(url)


async def test_a_shop_is_never_spoken_to_in_the_clear() -> None:
    async with client(never) as http:
        with pytest.raises(httpx.UnsupportedProtocol):
            await http.get("http://a.myshopify.com/")


async def test_in_development_a_shop_is_played_by_the_dev_store() -> None:
    async with client(echo, "http://127.0.0.1:4700") as http:
        answer = (await http.get("https://a.myshopify.com/admin?x=1")).json()
    assert answer == {"url": "http://127.0.0.1:4700/admin?x=1", "host": "a.myshopify.com"}
