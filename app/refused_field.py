"""Which field of a JSON document msgspec refused. Pure."""

from __future__ import annotations

import re

import msgspec

PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")
MISSING = re.compile(r"required field `(?P<name>[^`]*)`")
UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")


def refused_field(error: msgspec.ValidationError) -> str:
    """Return the path of the field, as `cart.lines[0].price`; empty for the document as a whole.

    Of a field that is missing or unknown, msgspec's own path ends at the object around it.
    """
    message = str(error)
    path = (match := PATH.search(message)) and match["path"]
    name = (match := MISSING.search(message) or UNKNOWN.search(message)) and match["name"]
    return ".".join(filter(None, (path, name)))
