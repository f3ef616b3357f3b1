"""What a merchant wrote as JSON, read into our values; every mistake is told with its field. Pure."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from app.errors import InputError

Value = TypeVar("Value")

_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")
_NAMED = re.compile(r"(?:required|unknown) field `(?P<name>[^`]*)`")


def read(data: object, type_: type[Value], root: str = "") -> Value:
    """Return decoded JSON as a value. Raises InputError naming the field: `segments[0].name`.

    root: what the data is called, when its own fields have no name to begin with.
    """
    try:
        return msgspec.convert(data, type_)
    except msgspec.ValidationError as error:
        raise InputError(str(error), _field(str(error), root)) from None


def _field(message: str, root: str) -> str:
    path = (match := _PATH.search(message)) and match["path"]
    name = (match := _NAMED.search(message)) and match["name"]
    return ".".join(filter(None, (root + (path or ""), name)))
