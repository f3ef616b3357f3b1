"""What each fact can be, as far as it was worked out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from app.rules.fields import Field
from app.rules.spans import Lists, Numbers, Range, Texts, Values


@dataclass(frozen=True, slots=True)
class Space:
    """What each fact can be. declared: facts keep to what their field says of them.

    ranges: of the facts that something is known of. known: no fact is missing.
    """

    ranges: Mapping[str, Range]
    declared: bool = True
    known: bool = False

    def of(self, field: Field) -> Range:
        """Return what a field's fact can be."""
        return self.ranges.get(field.name) or Range(all_of(field, self.declared), not self.known)

    def lengths(self, field: Field) -> Numbers:
        """Return how many texts a list can have."""
        found = self.ranges.get(f"length {field.name}")
        return found.values if found else Numbers((((0, 0), (inf, 0)),))  # type: ignore[return-value]

    def narrowed(self, name: str, to: Range) -> Space | None:
        """Return the space with this fact in this range only, None where that leaves nothing."""
        return Space({**self.ranges, name: to}, self.declared, self.known) if to else None


ANYTHING = Space({})
ALL_KNOWN = Space({}, known=True)
UNDECLARED = Space({}, declared=False)


def all_of(field: Field, declared: bool) -> Values:
    """Return all that a field's fact can be."""
    if field.kind == "texts":
        return Lists()
    if field.is_number:
        least, most = (field.least, field.most) if declared else (None, None)
        return Numbers((((-inf if least is None else least, 0), (inf if most is None else most, 0)),))
    if field.kind == "date":
        return Numbers()
    if declared and field.kind == "flag":
        return Texts(frozenset({True, False}), False)
    if declared and field.choices:
        return Texts(frozenset(field.choices), False)
    return Texts()
