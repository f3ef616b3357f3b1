"""Reading requests and writing answers: bodies of any kind, and money and times as Shopify spells them."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request


class BadBody(Exception):
    """The body is not what the route takes; the message says what is wrong."""


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a body in either of the forms that Shopify accepts: JSON or a web form."""
    if "json" in request.headers.get("content-type", ""):
        return {key: str(value) for key, value in (await read_json(request)).items()}
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body; an empty body is an empty object."""
    body = await request.body()
    try:
        read = json.loads(body) if body else {}
    except ValueError as error:
        raise BadBody(f"the body is not JSON: {error}") from error
    if not isinstance(read, dict):
        raise BadBody("the body is not a JSON object")
    return read


def money(minor: int) -> str:
    """Return minor units as a decimal string, such as 12.50."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def minor(amount: str | float | int) -> int:
    """Return a decimal amount as minor units."""
    return round(float(amount) * 100)


def when(moment: datetime) -> str:
    """Return a time as the GraphQL API writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rest_when(moment: datetime) -> str:
    """Return a time as webhooks write it: with an offset."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()
