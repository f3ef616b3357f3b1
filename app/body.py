"""A request's body, read no further than it may be long."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

from app.errors import InputError, TooLarge


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body's bytes. Raises TooLarge, InputError for one that was cut off.

    Bytes are counted as they come: Content-Length may be missing or wrong.
    """
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told[:12]) > limit:
        raise TooLarge(f"the body is longer than {limit} bytes")
    parts, length = [], 0
    try:
        async for part in request.stream():
            length += len(part)
            if length > limit:
                raise TooLarge(f"the body is longer than {limit} bytes")
            parts.append(part)
    except ClientDisconnect:
        raise InputError("the body was cut off") from None
    return b"".join(parts)
