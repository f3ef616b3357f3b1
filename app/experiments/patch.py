"""An arm's changes to a shop's settings: a JSON merge patch (RFC 7396). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.errors import InputError

# Who is held out, what may be known of whom and who is told is the same for everybody.
_NOT_BY_ARM = frozenset({"arms", "profile_basis", "retention", "webhook", "write_back", "segments"})
_DEEPEST = 8
# What an arm may change beside the settings: running campaigns by id, and the version of the model.
CAMPAIGNS, MODEL = "campaigns", "model"


def patched(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with the changes: objects are merged, null takes away, all else replaces."""
    merged = dict(document)
    for name, change in changes.items():
        if change is None:
            merged.pop(name, None)
        elif isinstance(change, Mapping):
            before = merged.get(name)
            merged[name] = patched(before if isinstance(before, Mapping) else {}, change)
        else:
            merged[name] = change
    return merged


def check_changes(changes: Mapping[str, Any], field: str) -> None:
    """Return when an arm may change this. Raises InputError naming the setting that it may not."""
    for name in changes:
        if name in _NOT_BY_ARM:
            raise InputError(f"{field}.{name} can't differ between arms: it holds for every shopper", field)
    if _depth(changes) > _DEEPEST:
        raise InputError(f"{field} is nested more than {_DEEPEST} deep", field)


def overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Return a setting that both change, so that one would undo the other; None where there is none."""
    for name in sorted(one.keys() & other.keys()):
        mine, theirs = one[name], other[name]
        if not (isinstance(mine, Mapping) and isinstance(theirs, Mapping)):
            return name
        if (deeper := overlap(mine, theirs)) is not None:
            return f"{name}.{deeper}"
    return None


def _depth(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list | tuple):
        return 1 + max(map(_depth, value), default=0)
    return 0
