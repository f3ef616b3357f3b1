"""Sets of possible values: numbers as intervals, texts as lists, lists by their members. Pure.

Each set is exact or too large, never too small: what is found to be impossible is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import ceil, floor, inf

# A value and which side of it: just below, at, just above. So (3, 1) begins `x > 3`, (3, -1) ends `x < 3`.
End = tuple[float, int]
Span = tuple[End, End]
FIRST, LAST = (-inf, 0), (inf, 0)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A set of numbers: spans in order, apart from one another. Dates are their ordinals."""

    spans: tuple[Span, ...] = ((FIRST, LAST),)

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Numbers:
        """Return the set of just these numbers."""
        return cls(tuple(((each, 0), (each, 0)) for each in sorted(set(numbers))))

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __and__(self, other: Numbers) -> Numbers:
        return Numbers(tuple(_met(self.spans, other.spans)))

    def __or__(self, other: Numbers) -> Numbers:
        return Numbers(tuple(_joined(sorted((*self.spans, *other.spans)))))

    def __invert__(self) -> Numbers:
        ends = [(-inf, -1), *(end for span in self.spans for end in span), (inf, 1)]
        gaps = (((a, i + 1), (b, j - 1)) for (a, i), (b, j) in zip(ends[::2], ends[1::2], strict=True))
        return Numbers(tuple((low, high) for low, high in gaps if low <= high))

    def whole(self) -> Numbers:
        """Return the whole numbers of the set, as spans between whole numbers."""
        rounded = ((_up(low), _down(high)) for low, high in self.spans)
        return Numbers(tuple(each for each in rounded if each[0] <= each[1]))

    @property
    def hull(self) -> tuple[float, float]:
        """Return the least and the greatest number, or what they come near to; there must be one."""
        return self.spans[0][0][0], self.spans[-1][1][0]

    def __contains__(self, number: float) -> bool:
        return any(low <= (number, 0) <= high for low, high in self.spans)


@dataclass(frozen=True, slots=True)
class Texts:
    """A set of texts, or of true and false: these, or all but these."""

    these: frozenset[str | bool] = frozenset()
    all_but: bool = True

    def __bool__(self) -> bool:
        return self.all_but or bool(self.these)

    def __and__(self, other: Texts) -> Texts:
        if self.all_but and other.all_but:
            return Texts(self.these | other.these)
        if other.all_but:
            return Texts(self.these - other.these, False)
        return Texts(other.these - self.these if self.all_but else self.these & other.these, False)

    def __or__(self, other: Texts) -> Texts:
        return ~(~self & ~other)

    def __invert__(self) -> Texts:
        return Texts(self.these, not self.all_but)

    def __contains__(self, text: object) -> bool:
        return (text in self.these) != self.all_but


@dataclass(frozen=True, slots=True)
class Lists:
    """A set of lists: those that hold every one of `must`, none of `barred`, one of `one_of`.

    within: nothing but these. one_of, within: None asks nothing. possible: False for no list at all.
    """

    must: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()
    one_of: frozenset[str] | None = None
    within: frozenset[str] | None = None
    possible: bool = True

    def __bool__(self) -> bool:
        return self.possible

    def __and__(self, other: Lists) -> Lists:
        within = _both(self.within, other.within)
        barred = self.barred | other.barred
        wishes = [each for each in (self.one_of, other.one_of) if each is not None]
        left = [(each if within is None else each & within) - barred for each in wishes]
        must = self.must.union(other.must, *(each for each in left if len(each) == 1))
        fits = not must & barred and all(left) and (within is None or must <= within)
        return Lists(
            must, barred, min(left, key=len, default=None), within, self.possible and other.possible and fits
        )

    def __or__(self, other: Lists) -> Lists:
        if not self or not other:
            return self or other
        return Lists(
            self.must & other.must,
            self.barred & other.barred,
            _either(self.one_of, other.one_of),
            _either(self.within, other.within),
        )


Values = Numbers | Texts | Lists


@dataclass(frozen=True, slots=True)
class Range:
    """What a fact can be: one of the values, or not known."""

    values: Values
    unknown: bool = True

    def __bool__(self) -> bool:
        return self.unknown or bool(self.values)

    def __and__(self, other: Range) -> Range:
        return Range(self.values & other.values, self.unknown and other.unknown)  # type: ignore[operator]

    def __or__(self, other: Range) -> Range:
        return Range(self.values | other.values, self.unknown or other.unknown)  # type: ignore[operator]

    def known(self) -> Range:
        """Return the same without what is not known."""
        return replace(self, unknown=False)


def _met(one: tuple[Span, ...], other: tuple[Span, ...]) -> Iterator[Span]:
    """Yield what two rows of spans have in common, walking along both."""
    i = j = 0
    while i < len(one) and j < len(other):
        low, high = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if low <= high:
            yield low, high
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1


def _joined(spans: list[Span]) -> Iterator[Span]:
    """Yield the spans with those that touch made one."""
    low, high = FIRST, FIRST
    begun = False
    for start, end in spans:
        # (3, -1) and (3, 0) touch: nothing lies between just below 3 and 3.
        if begun and (start <= high or (start[0] == high[0] and start[1] == high[1] + 1)):
            high = max(high, end)
            continue
        if begun:
            yield low, high
        low, high, begun = start, end, True
    if begun:
        yield low, high


def _up(end: End) -> End:
    value, side = end
    if value in (inf, -inf):
        return end
    return (floor(value) + 1 if side > 0 else ceil(value)), 0


def _down(end: End) -> End:
    value, side = end
    if value in (inf, -inf):
        return end
    return (ceil(value) - 1 if side < 0 else floor(value)), 0


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _either(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other
