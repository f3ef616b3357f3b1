"""How long what comes beside a body may be. The protocol is handed bytes as a connection would hand them."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from uvicorn.server import ServerState

from app.request_head import MOST_HEAD, LimitedHead

PIECE = 4_096


class Transport(asyncio.Transport):
    """One that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def _told_length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())} bytes")


def _connected() -> tuple[LimitedHead, Transport]:
    app = Starlette(routes=[Route("/", _told_length, methods=["POST"])])
    config = uvicorn.Config(app, http=LimitedHead, lifespan="off", log_config=None)
    config.load()
    protocol, transport = LimitedHead(config, ServerState(), {}), Transport()
    protocol.connection_made(transport)
    return protocol, transport


def _taken(protocol: LimitedHead, transport: Transport, pieces: Iterable[bytes]) -> int:
    """Return how many bytes were taken before the connection was closed."""
    taken = 0
    for piece in pieces:
        if transport.closed:
            break
        protocol.data_received(piece)
        taken += len(piece)
    return taken


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"POST /", b"a"),
        (b"POST / HTTP/1.1\r\nX-Long: ", b"a"),
        (b"POST / HTTP/1.1\r\n", b"X: y\r\n"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", b"X: y\r\n"),
    ],
    ids=["address", "header", "headers", "trailers"],
)
async def test_a_request_without_an_end_is_refused_and_read_no_further(begin: bytes, more: bytes) -> None:
    protocol, transport = _connected()
    pieces = [begin, *[more * (PIECE // len(more))] * (2 * MOST_HEAD // PIECE)]
    assert _taken(protocol, transport, pieces) <= MOST_HEAD + PIECE
    assert transport.closed
    assert transport.written.startswith(b"HTTP/1.1 400 ")
    assert transport.written.endswith(b"too long.")
    protocol.connection_lost(None)
    await asyncio.gather(*protocol.tasks)


async def test_a_long_body_and_one_request_after_another_are_no_long_head() -> None:
    protocol, transport = _connected()
    body = b"b" * (3 * MOST_HEAD)
    whole = b"POST / HTTP/1.1\r\nX: %b\r\nContent-Length: %d\r\n\r\n%b" % (b"y" * PIECE, len(body), body)
    for _ in range(2 * MOST_HEAD // PIECE):
        _taken(protocol, transport, (whole[at : at + PIECE] for at in range(0, len(whole), PIECE)))
        await asyncio.gather(*protocol.tasks)
        assert transport.written.endswith(b"%d bytes" % len(body))
        assert not transport.closed
        transport.written = b""
    protocol.connection_lost(None)


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
        b"X: y\r\n Content-Length: 3\r\n\r\nabc",
        b"Content-Length: +3\r\n\r\nabc",
    ],
    ids=[
        "twice",
        "then chunked",
        "chunked first",
        "last not chunked",
        "space",
        "bare lines",
        "folded",
        "sign",
    ],
)
async def test_a_body_whose_end_two_servers_may_see_in_two_places_is_refused(rest: bytes) -> None:
    """Behind a proxy that sees another end, what follows would be a request of the next visitor's."""
    protocol, transport = _connected()
    protocol.data_received(b"POST / HTTP/1.1\r\n" + rest)
    assert transport.closed
    assert transport.written.startswith(b"HTTP/1.1 400 ")
    protocol.connection_lost(None)
    await asyncio.gather(*protocol.tasks)
