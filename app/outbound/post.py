"""Posts to addresses that merchants name: the only file that speaks to anybody but Shopify.

The name is resolved once, every address it has must be public, and the connection goes to the very
address that was looked at, so that a name that changes its mind in between leads nowhere else.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import httpx

from app.errors import InputError
from app.outbound.addresses import check_url, is_public
from app.wording import wording

Resolve = Callable[[str], Awaitable[list[str]]]

_TIMEOUT = httpx.Timeout(5.0, connect=3.0)
_IN_ALL_S = 10.0
# No connection is used twice: they are kept by address, and two hosts can share one.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=0)
# Threads of their own: a name server that a merchant runs may take as long as it likes to answer.
_NAMES = ThreadPoolExecutor(8, thread_name_prefix="names")

# What went wrong, without what the error says of where: that may be of our own network.
_REASONS = {
    "ConnectError": wording("no connection, or a certificate that is not good for the host"),
    "ConnectTimeout": wording("no connection within 3 seconds"),
    "ReadTimeout": wording("no answer within 5 seconds"),
}


class Post:
    """Sends messages. may_reach: which addresses are allowed."""

    def __init__(
        self, client: httpx.AsyncClient, resolve: Resolve, may_reach: Callable[[str], bool] = is_public
    ) -> None:
        self._client, self._resolve, self._may_reach = client, resolve, may_reach

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> str | None:
        """Return None once the receiver took it (any 2xx), else why not.

        Redirects are not followed, and the answer's body is not read.
        """
        try:
            async with asyncio.timeout(_IN_ALL_S):
                return await self._send(check_url(url), body, headers)
        except TimeoutError:
            return wording(f"no answer within {_IN_ALL_S:.0f} seconds")
        except InputError as error:
            return str(error)
        except socket.gaierror:
            return wording("the host of the address is not known")
        except (httpx.HTTPError, OSError) as error:
            return _REASONS.get(type(error).__name__, type(error).__name__)

    async def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> str | None:
        asked = httpx.URL(url)
        addresses = await self._resolve(asked.host)
        if not addresses or not all(map(self._may_reach, addresses)):
            return wording("the host has no address, or one that is not public")
        request = self._client.build_request(
            "POST",
            asked.copy_with(host=addresses[0]),
            content=body,
            headers={**headers, "Host": asked.host},
            extensions={"sni_hostname": asked.host},  # whose certificate is asked for and checked
        )
        response = await self._client.send(request, stream=True, follow_redirects=False)
        await response.aclose()
        return None if response.is_success else f"HTTP {response.status_code}"


@asynccontextmanager
async def open_post() -> AsyncIterator[Post]:
    """Yield what sends; no proxy of the environment comes in between."""
    transport = httpx.AsyncHTTPTransport(limits=_LIMITS, trust_env=False)
    async with httpx.AsyncClient(transport=transport, timeout=_TIMEOUT, trust_env=False) as client:
        yield Post(client, resolve)


async def resolve(host: str) -> list[str]:
    """Return the addresses of a host, those of the older protocol first: they lead somewhere everywhere."""
    look_up = partial(socket.getaddrinfo, host, 443, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_NAMES, look_up)
    addresses = dict.fromkeys((family, str(to[0])) for family, _, _, _, to in found)
    return [address for _, address in sorted(addresses, key=lambda each: each[0] != socket.AF_INET)]
