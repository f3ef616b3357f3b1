"""HTTP/1.1 whose requests are refused once what comes beside a body is too long."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 65_536  # bytes of address, headers and trailers; as much as uvicorn's other parser lets come


class LimitedHead(HttpToolsProtocol):
    """uvicorn's protocol, which by itself gathers an address and headers without end.

    A head beyond `MOST_HEAD` is answered 400, and its connection closed.
    """

    _head = 0  # bytes of this request that are none of its body

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        super().data_received(data)
        if self._head > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response("The request's address and headers are too long.")

    def on_body(self, body: bytes) -> None:
        self._head -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._head = 0
        super().on_message_complete()
