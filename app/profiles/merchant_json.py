"""Decodes JSON that a merchant wrote; every error names its field. Pure."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from app.errors import InputError
from app.refused_field import MISSING, PATH, UNKNOWN, refused_field
from app.wording import wording

Value = TypeVar("Value")

_CHOICE = re.compile(r"Invalid enum value (?P<value>.*)")
_KIND = re.compile(r"Expected `(?P<wanted>[a-z| ]+)`, got `(?P<given>[a-z]+)`")
_LIMIT = re.compile(r"Expected `\w+` (?P<length>of length )?(?P<compares>[<>]=?) (?P<limit>[0-9.eE+-]+)")
_KINDS = {
    "int": wording("a whole number"), "float": wording("a number"), "str": wording("text"),
    "bool": wording("true or false"), "array": wording("a list"), "object": wording("a set of fields"),
    "null": wording("empty"),
}  # fmt: skip


def read(data: object, type_: type[Value], root: str = "") -> Value:
    """Return decoded JSON as a value. Raises InputError naming the field: `segments[0].name`.

    root: what the data is called, when its own fields have no name to begin with.
    """
    try:
        return msgspec.convert(data, type_)
    except msgspec.ValidationError as error:
        raise unusable(error, root) from None


def unusable(error: msgspec.ValidationError, root: str = "") -> InputError:
    """Return the mistake in our words, with its field."""
    field = ".".join(filter(None, (root, refused_field(error)))).replace(".[", "[")
    return InputError(_said(PATH.sub("", str(error))), field)


def _said(message: str) -> str:
    if missing := MISSING.search(message):
        return wording(f"“{missing['name']}” is missing")
    if unknown := UNKNOWN.search(message):
        return wording(f"there is no field “{unknown['name']}”")
    if choice := _CHOICE.search(message):
        return wording(f"{choice['value']} is none of the choices")
    if kind := _KIND.search(message):
        wanted = " or ".join(_KINDS.get(each, each) for each in kind["wanted"].split(" | "))
        return wording(f"this has to be {wanted}, not {_KINDS.get(kind['given'], kind['given'])}")
    if limit := _LIMIT.search(message):
        return _beyond(limit["compares"], limit["limit"], in_length=bool(limit["length"]))
    return message


def _beyond(compares: str, limit: str, *, in_length: bool) -> str:
    """Return what a number, or the length of a text, has to be."""
    if in_length:
        return (
            wording(f"this has at least {limit} characters")
            if compares == ">="
            else wording(f"this has at most {limit} characters")
        )
    limit = limit.removesuffix(".0")
    match compares:
        case ">":
            return wording(f"this has to be above {limit}")
        case ">=":
            return wording(f"this has to be {limit} or more")
        case "<":
            return wording(f"this has to be below {limit}")
        case _:
            return wording(f"this has to be {limit} or less")
