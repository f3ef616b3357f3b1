"""Limits on stored data before it is read as a rule: its size, its depth and its kinds of values. Pure."""

from __future__ import annotations

from math import isfinite
from typing import Any

from app.errors import RuleError
from app.values import described

MOST_DEPTH = 20
MOST_NODES = 2_000
LONGEST_TEXT = 255
LARGEST, SMALLEST = 1e12, 1e-6


def check_size(data: object, path: str) -> None:
    """Raise RuleError for what is too deep, too long or not JSON; without recursion, so for anything."""
    waiting: list[tuple[object, int]] = [(data, 1)]
    nodes = 0
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if nodes > MOST_NODES:
            raise RuleError(f"the rule is too long: it has more than {MOST_NODES} parts", path)
        if depth > MOST_DEPTH:
            raise RuleError(f"the rule is nested more than {MOST_DEPTH} levels deep", path)
        within = _parts(node, path)
        if len(within) > MOST_NODES:
            raise RuleError(f"the rule is too long: it has more than {MOST_NODES} parts", path)
        waiting.extend((each, depth + 1) for each in within)


def _parts(node: object, path: str) -> list[Any]:
    """Return what a piece of JSON has in it."""
    if isinstance(node, dict):
        for key in node:
            _check_text(key, path)
        return list(node.values())
    if isinstance(node, (list, tuple)):
        return list(node)
    _check_plain(node, path)
    return []


def _check_plain(node: object, path: str) -> None:
    if isinstance(node, str):
        _check_text(node, path)
    elif isinstance(node, (int, float)) and not isinstance(node, bool):
        if not isfinite(node) or abs(node) > LARGEST or 0 < abs(node) < SMALLEST:
            raise RuleError(f"numbers are 0 or between {SMALLEST:.6f} and {LARGEST:.0f} in size", path)
    elif node is not None and not isinstance(node, bool):
        raise RuleError(f"the rule is not JSON: it has {type(node).__name__} in it", path)


def _check_text(text: object, path: str) -> None:
    if not isinstance(text, str):
        raise RuleError(f"the rule is not JSON: a name in it is {described(text)}", path)
    if len(text) > LONGEST_TEXT:
        raise RuleError(f"a text in the rule is longer than {LONGEST_TEXT} characters", path)
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise RuleError("a text in the rule has half a character in it", path)
