"""Matches a finished sentence against the formats it may have been made from, to translate it. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_VALUE = re.compile(r"%\((\w+)\)s")
_LETTERS = 6  # of its beginning or its end a format is looked for by


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


class Formats:
    """Formats to find sentences by, kept by how they begin, else by how they end: few are tried for each."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._all = most_telling_first(texts)
        self._whole: dict[str, list[int]] = defaultdict(list)
        self._begins: dict[str, list[int]] = defaultdict(list)
        self._ends: dict[str, list[int]] = defaultdict(list)
        self._others: list[tuple[str, int]] = []  # by the longest that they say themselves
        for place, each in enumerate(self._all):
            first, last = each.between[0], each.between[-1]
            if not each.names:
                self._whole[first].append(place)
            elif len(first) >= _LETTERS:
                self._begins[first[:_LETTERS]].append(place)
            elif len(last) >= _LETTERS:
                self._ends[last[-_LETTERS:]].append(place)
            else:
                self._others.append((max(each.between, key=len), place))

    def find(self, sentence: str) -> tuple[Format, Mapping[str, str]] | None:
        """Return the most telling format that says the sentence, with its values; None where none does."""
        for place in sorted(self._worth_trying(sentence)):
            if (values := self._all[place].values(sentence)) is not None:
                return self._all[place], values
        return None

    def _worth_trying(self, sentence: str) -> list[int]:
        return [
            *self._whole.get(sentence, ()),
            *self._begins.get(sentence[:_LETTERS], ()),
            *self._ends.get(sentence[-_LETTERS:], ()),
            *(place for says, place in self._others if says in sentence),
        ]
