"""A request's body, read no further than it may be long."""

from __future__ import annotations

from starlette.requests import Request

from app.errors import InputError, TooLarge


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body's bytes. Raises TooLarge, InputError for one that was cut off.

    Bytes are counted as they come: Content-Length may be missing or wrong.
    """
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told[:12]) > limit:
        raise TooLarge(f"the body is longer than {limit} bytes")
    parts, length, more = [], 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise InputError("the body was cut off")
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
        length += len(parts[-1])
        if length > limit:
            raise TooLarge(f"the body is longer than {limit} bytes")
    return b"".join(parts)
