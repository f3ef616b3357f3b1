"""Reading requests and writing answers: bodies of any kind, and money and times as Shopify spells them."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

# ISO 4217: currencies of the shops that are tried here.
_DIGITS = dict.fromkeys("CLP ISK JPY KRW VND".split(), 0) | dict.fromkeys("BHD JOD KWD OMR TND".split(), 3)


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


def digits(currency: str) -> int:
    """Return how many decimals the currency has."""
    return _DIGITS.get(currency, 2)


def money(minor: int, currency: str) -> str:
    """Return minor units as a decimal string, such as 12.50; of yen 1250."""
    return f"{major(minor, currency):.{digits(currency)}f}"


def major(minor: int, currency: str) -> Decimal:
    """Return minor units in the currency's own unit."""
    return Decimal(minor).scaleb(-digits(currency))


def minor(amount: str | float | int, currency: str) -> int:
    """Return a decimal amount as minor units."""
    return round(Decimal(str(amount)).scaleb(digits(currency)))


def hundredths(minor: int, currency: str) -> int:
    """Return minor units as themes are told them: in hundredths, whatever decimals the currency has."""
    return round(major(minor, currency) * 100)


def when(moment: datetime) -> str:
    """Return a time as the GraphQL API writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rest_when(moment: datetime) -> str:
    """Return a time as webhooks write it: with an offset."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()
