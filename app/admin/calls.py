"""What a call of the admin's scripts asks, read from its body."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.requests import Request

from app.admin.language import _
from app.body import read_body
from app.errors import InputError
from app.profiles.merchant_json import unusable
from app.values import finite

Body = TypeVar("Body", bound=msgspec.Struct)


async def read_call(request: Request, kind: type[Body], most: int) -> Body:
    """Return the body as a struct. Raises InputError, TooLarge for one of more than `most` bytes."""
    body = await read_body(request, most)
    try:
        return msgspec.json.Decoder(kind, float_hook=finite).decode(body)
    except msgspec.ValidationError as error:
        raise unusable(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InputError(_("The call is not JSON.")) from None
