"""Drops what identifies somebody from a browser's event. Pure.

Our own pixel leaves these out already; this holds for whatever else sends.
"""

from __future__ import annotations

import re
from typing import Any

from app.values import LARGEST

# Names of fields: how they end, as in `billingAddress`, and whole ones.
_PERSONAL_END = re.compile(r"(mail|phone|address)(_?(line)?_?\d|_?number)?\Z")
_PERSONAL = re.compile(
    r"(first|last|full)_?name|(zip|postal)(_?code)?|post_?code|street|city|company|note|ip"
)
_LONGEST_END = 20
# Of each name one letter: more of it would be looked through again from each of its letters.
_MAIL = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")
_DEEPEST = 4
_LONGEST = 500
_MOST = 100


def minimised(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data without personal fields, e-mail addresses, queries of URLs, and bulk."""
    return {key: value for key, value in _object(data, 1).items() if value is not None}


def _object(data: dict[str, Any], depth: int) -> dict[str, Any]:
    kept = list(data.items())[:_MOST]
    return {_text(key): _value(value, depth) for key, value in kept if not _is_personal(key)}


def _is_personal(name: str) -> bool:
    end = name[-_LONGEST_END:].lower()  # of long names no more is looked through: a batch may be full of them
    return bool(_PERSONAL_END.search(end) or (len(end) == len(name) and _PERSONAL.fullmatch(end)))


def _value(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return _object(value, depth + 1) if depth < _DEEPEST else None
    if isinstance(value, list):
        return [_value(item, depth + 1) for item in value[:_MOST]] if depth < _DEEPEST else None
    if isinstance(value, str):
        return None if _MAIL.search(value) else _text(_without_query(value))
    return None if isinstance(value, int) and abs(value) > LARGEST else value


def _without_query(text: str) -> str:
    return re.split(r"[?#]", text, maxsplit=1)[0] if text.startswith(("http://", "https://", "/")) else text


def _text(text: str) -> str:
    return text.replace("\x00", "")[:_LONGEST]
