"""A sentence that was made elsewhere, found again by the format it was made of. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_VALUE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Format:
    """A text with named values. between: what stands around the values, one more than there are names."""

    text: str
    names: tuple[str, ...]
    between: tuple[str, ...]

    @property
    def quoted(self) -> frozenset[str]:
        """Return the names whose values stand in quotation marks."""
        return frozenset(
            name for name, before in zip(self.names, self.between, strict=False) if before.endswith("“")
        )

    def values(self, sentence: str) -> Mapping[str, str] | None:
        """Return the values with which the format says the sentence, None where it can't.

        Each value ends where what follows it is met first: linear, whatever the sentence is. What a format
        begins with is no list: each of a list is a sentence of its own.
        """
        first, last = self.between[0], self.between[-1]
        if not sentence.startswith(first):
            return None
        if not self.names:
            return {} if sentence == first else None
        at, end = len(first), len(sentence) - len(last)
        if end < at or not sentence.endswith(last):
            return None
        found = {}
        for name, follows in zip(self.names[:-1], self.between[1:-1], strict=True):
            ends = sentence.find(follows, at, end)
            if ends < 0:
                return None
            found[name], at = sentence[at:ends], ends + len(follows)
        found[self.names[-1]] = sentence[at:end]
        return None if not first and ", " in found[self.names[0]] else found


def format_of(text: str) -> Format:
    """Return the text as a format to find sentences by."""
    between = [part.replace("%%", "%") for part in _VALUE.split(text)[::2]]
    return Format(text, tuple(_VALUE.findall(text)), tuple(between))


def most_telling_first(texts: Iterable[str]) -> tuple[Format, ...]:
    """Return the texts as formats, those first that say the most themselves."""
    return tuple(sorted(map(format_of, texts), key=lambda each: -len("".join(each.between))))
