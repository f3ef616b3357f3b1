"""An index that rules out most rules by looking at each fact on its own. Pure.

For every field there is a set of rules, as the bits of a number, for each answer its fact can give: a
number between two thresholds, a text that some rule names, a list that has a text in it, nothing known.
A few lookups and ANDs leave the rules worth running, however many there are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial
from itertools import accumulate
from math import isfinite
from operator import xor

from app.rules.fields import FIELDS, Facts, Kind, Value
from app.rules.nodes import Condition
from app.rules.possible import possible
from app.rules.space import UNDECLARED
from app.rules.spans import Lists, Numbers, Range, Texts

# Beyond this a number is not told apart from its neighbours everywhere.
_LARGEST = 1e15

Look = Callable[[Value], int]


class Index:
    """The rules by what their facts must be."""

    def __init__(self, roots: Sequence[Condition]) -> None:
        spaces = [possible(root, UNDECLARED, looks=1) for root in roots]
        self._any = bits(at for at, space in enumerate(spaces) if space is not None)
        names = dict.fromkeys(name for space in spaces if space for name in space.ranges if name in FIELDS)
        self._looks: list[tuple[str, Look]] = []
        for name in names:
            whole = UNDECLARED.of(FIELDS[name])
            ranges = [space.ranges.get(name, whole) if space else whole for space in spaces]
            self._looks.append((name, _look(FIELDS[name].kind, ranges)))

    def candidates(self, facts: Facts) -> int:
        """Return the rules that can hold, as the bits of a number; every rule that holds is among them."""
        left = self._any
        for name, look in self._looks:
            if not left:
                break
            left &= look(facts.get(name))
        return left


def _look(kind: Kind, ranges: Sequence[Range]) -> Look:
    """Return what tells the rules that a field's fact lets hold."""
    unknown = bits(at for at, each in enumerate(ranges) if each.unknown)
    everyone = bits(range(len(ranges)))
    values = [each.values for each in ranges]
    if kind == "texts":
        free, wanting = _lists([each for each in values if isinstance(each, Lists)])
        return partial(_look_list, free, wanting, unknown, everyone)
    if kind in ("text", "flag"):
        texts = [each for each in values if isinstance(each, Texts)]
        named, others = _texts(texts)
        return partial(_look_text, str if kind == "text" else bool, named, others, unknown, everyone)
    ends, between = _numbers([each for each in values if isinstance(each, Numbers)])
    look = _look_date if kind == "date" else _look_number
    return partial(look, ends, between, unknown, everyone)


def _look_number(
    ends: Sequence[float], between: Sequence[int], unknown: int, everyone: int, value: Value
) -> int:
    if value is None:
        return unknown
    if type(value) not in (int, float) or not -_LARGEST < value < _LARGEST:  # type: ignore[operator]
        return everyone
    at = bisect_left(ends, value)
    # Below each end lies a gap, then the end itself: gap, end, gap, end, gap.
    return between[2 * at + (at < len(ends) and ends[at] == value)]


def _look_date(
    ends: Sequence[float], between: Sequence[int], unknown: int, everyone: int, value: Value
) -> int:
    if value is None:
        return unknown
    try:
        day = date.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return everyone
    if day.isoformat() != value:
        return everyone
    return _look_number(ends, between, unknown, everyone, day.toordinal())


def _look_text(
    type_: type, named: dict[str | bool, int], others: int, unknown: int, everyone: int, value: Value
) -> int:
    if value is None:
        return unknown
    if type(value) is not type_:
        return everyone
    return named.get(value, others)  # type: ignore[arg-type]


def _look_list(free: int, wanting: dict[str, int], unknown: int, everyone: int, value: Value) -> int:
    if value is None:
        return unknown
    if not isinstance(value, (tuple, list)):
        return everyone
    for each in value:
        if type(each) is not str:
            return everyone
        free |= wanting.get(each, 0)
    return free


def _numbers(sets: Sequence[Numbers]) -> tuple[list[float], list[int]]:
    """Return the thresholds in order, and the rules for each gap and threshold between gaps."""
    finite = {end for each in sets for span in each.spans for end, _ in span if isfinite(end)}
    ends = sorted(finite)
    place = {end: 2 * at + 1 for at, end in enumerate(ends)}
    turns = [0] * (2 * len(ends) + 2)
    for at, each in enumerate(sets):
        for (low, low_side), (high, high_side) in each.spans:
            # The rule's bit turns where a span begins, and again right after it ends.
            turns[place[low] + low_side if low in place else 0] ^= 1 << at
            turns[place[high] + high_side + 1 if high in place else -1] ^= 1 << at
    return ends, list(accumulate(turns[:-1], xor))


def _texts(sets: Sequence[Texts]) -> tuple[dict[str | bool, int], int]:
    """Return the rules for each text that one of them names, and those for any other text."""
    names = {text for each in sets for text in each.these}
    named = {text: bits(at for at, each in enumerate(sets) if text in each) for text in names}
    return named, bits(at for at, each in enumerate(sets) if each.all_but)


def _lists(sets: Sequence[Lists]) -> tuple[int, dict[str, int]]:
    """Return the rules that want nothing of a list, and those that each text in it lets hold."""
    free, wanting = 0, dict[str, int]()
    for at, each in enumerate(sets):
        if each.possible and each.one_of is None:
            free |= 1 << at
        for text in (each.possible and each.one_of) or ():
            wanting[text] = wanting.get(text, 0) | 1 << at
    return free, wanting


def bits(places: Iterable[int]) -> int:
    """Return the number whose bits are at these places."""
    found = 0
    for at in places:
        found |= 1 << at
    return found


def places(of: int, most: int) -> list[int]:
    """Return where the lowest bits of a number are, ascending, at most so many."""
    found: list[int] = []
    while of and len(found) < most:
        lowest = of & -of
        found.append(lowest.bit_length() - 1)
        of ^= lowest
    return found
