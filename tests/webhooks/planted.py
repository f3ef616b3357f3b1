"""A payload with a marker in everything that is not to be kept."""

from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

from webhooks.kept import Kept

MARKER = "planted-7f3a"
OURS = {"properties", "note_attributes"}  # of these, what is ours alone is kept


def planted(value: Any, kind: type[Kept] | None) -> Any:
    """Return the payload with a marker in every text that is not kept, and in fields beside them."""
    if isinstance(value, list):
        return [planted(item, kind) for item in value]
    if not isinstance(value, dict):
        return MARKER
    hints = get_type_hints(kind) if kind else {}
    filled = {name: _field(item, name, hints.get(name)) for name, item in value.items()}
    return filled | {MARKER: MARKER, "note": {"first_name": MARKER, "phone": [MARKER]}}


def _field(value: Any, name: str, hint: Any) -> Any:
    if name == "email":
        return f"{MARKER}@example.com"
    kinds = list(kinds_of(hint)) if hint is not None else []
    if kinds and value is not None:
        return planted(value, kinds[0])
    return planted(value, None) if hint is None or name in OURS else value


def kinds_of(hint: Any) -> Iterator[type[Kept]]:
    """Yield the kinds of object a field or its items may be."""
    for part in get_args(hint) or (hint,):
        if get_args(part):
            yield from kinds_of(part)
        elif isinstance(part, type) and issubclass(part, Kept):
            yield part
