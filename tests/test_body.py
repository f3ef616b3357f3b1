from typing import Any

import pytest
from starlette.requests import Request

from app.body import read_body
from app.errors import InputError, TooLarge


def a_request(*messages: dict[str, Any], **headers: str) -> Request:
    left = list(messages)

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": sent}, receive)


def a_part(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_is_put_together_from_its_parts() -> None:
    request = a_request(a_part(b"ab", more=True), {"type": "http.request", "more_body": True}, a_part(b"c"))
    assert await read_body(request, 3) == b"abc"


async def test_a_body_that_is_told_or_turns_out_too_long_is_read_no_further() -> None:
    with pytest.raises(TooLarge):
        await read_body(a_request(content_length="4"), 3)
    with pytest.raises(TooLarge):
        await read_body(a_request(a_part(b"ab", more=True), a_part(b"cd", more=True), content_length="2"), 3)


async def test_a_body_that_is_cut_off_is_the_callers_error() -> None:
    with pytest.raises(InputError, match="cut off"):
        await read_body(a_request(a_part(b"ab", more=True), {"type": "http.disconnect"}), 3)
