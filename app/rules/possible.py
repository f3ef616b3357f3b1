"""What the facts can be where a rule holds, field by field. Pure.

What is worked out is never too small: a rule that is found to be impossible is. It may be too large:
fields are looked at one by one, so a rule that only two fields together make impossible can pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from math import inf, isfinite
from operator import or_

from app.rules.fields import Field
from app.rules.nodes import (
    Always,
    Among,
    Arithmetic,
    Compare,
    Comparison,
    Condition,
    Constant,
    Contains,
    Count,
    Either,
    Every,
    Flag,
    Known,
    Not,
    Overlap,
    Read,
    Scalar,
    Term,
    divisors_of,
    fields_of,
)
from app.rules.spans import Lists, Numbers, Range, Span, Texts, Values

# A second look finds what the first could not know yet: a bound that stands further right.
MOST_LOOKS = 4
_MIRRORED: Mapping[Comparison, Comparison] = {
    "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=",
}  # fmt: skip
_OPPOSITE: Mapping[Comparison, Comparison] = {
    "<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==",
}  # fmt: skip


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
        return self.ranges.get(field.name) or Range(_all_of(field, self.declared), not self.known)

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


def possible(condition: Condition, space: Space = ANYTHING) -> Space | None:
    """Return what the facts can be where the condition holds, None where it never does."""
    for _ in range(MOST_LOOKS):
        found = _narrow(condition, space)
        if found is None or found.ranges == space.ranges:
            return found
        space = found
    return space


def _narrow(condition: Condition, space: Space) -> Space | None:
    match condition:
        case Always(value):
            return space if value else None
        case Every(parts):
            return _all(parts, space)
        case Either(parts):
            return _any(parts, space)
        case Not(part):
            return _narrow_not(part, space)
        case Compare():
            return _compare(condition, space)
        case Known(field, known):
            return _known(field, known, space)
        case Contains(field, Read(item)):
            both = space.narrowed(field.name, space.of(field).known())
            return both and both.narrowed(item.name, both.of(item).known())
        case _:
            to = _values(condition)
            return space.narrowed(condition.field.name, space.of(condition.field).known() & Range(to, False))


def _narrow_not(part: Condition, space: Space) -> Space | None:
    match part:
        case Always(value):
            return None if value else space
        case Every(parts):
            return _any([Not(each) for each in parts], space)
        case Either(parts):
            return _all([Not(each) for each in parts], space)
        case Not(inner):
            return _narrow(inner, space)
        case Compare():
            return _any(list(_failures(part)), space)
        case Known(field, known):
            return _known(field, not known, space)
        case Contains(_, Read()):
            return space
        case _:
            to = _other_values(part)
            return space.narrowed(part.field.name, space.of(part.field) & Range(to))


def _all(parts: Iterable[Condition], space: Space) -> Space | None:
    for part in parts:
        if (found := _narrow(part, space)) is None:
            return None
        space = found
    return space


def _any(parts: Iterable[Condition], space: Space) -> Space | None:
    found = [each for each in (_narrow(part, space) for part in parts) if each is not None]
    if not found:
        return None
    shared = set(found[0].ranges).intersection(*(each.ranges for each in found))
    ranges = {name: reduce(or_, (each.ranges[name] for each in found)) for name in shared}
    return Space(ranges, space.declared, space.known)


def _known(field: Field, known: bool, space: Space) -> Space | None:
    here = space.of(field)
    return space.narrowed(field.name, here.known() if known else Range(_no(here.values), here.unknown))


def _no(values: Values) -> Values:
    """Return the empty set of the same kind."""
    if isinstance(values, Numbers):
        return Numbers(())
    return Texts(all_but=False) if isinstance(values, Texts) else Lists(possible=False)


def _failures(compare: Compare) -> Iterable[Condition]:
    """Yield every way in which a comparison does not hold."""
    for field in dict.fromkeys(fields_of(compare)):
        yield Known(field, known=False)
    for term in compare.terms:
        for divisor in divisors_of(term):
            yield Compare("==", (divisor, Constant(0)))
    for pair in _pairs(compare):
        yield Compare(_OPPOSITE[compare.comparison], pair)


def _pairs(compare: Compare) -> Iterable[tuple[Term, Term]]:
    return zip(compare.terms, compare.terms[1:], strict=False)


def _compare(compare: Compare, space: Space) -> Space | None:
    narrowed: Space | None = space
    for field in dict.fromkeys(fields_of(compare)):
        narrowed = narrowed and _known(field, True, narrowed)
    for left, right in _pairs(compare):
        narrowed = narrowed and _side(left, compare.comparison, right, narrowed)
        narrowed = narrowed and _side(right, _MIRRORED[compare.comparison], left, narrowed)
    return narrowed


def _side(term: Term, comparison: Comparison, other: Term, space: Space) -> Space | None:
    """Return the space where the term stands so to something that the other can be."""
    here, there = _reach(term, space), _reach(other, space)
    if not here or not there:
        return None
    left = here & _standing(comparison, there)  # type: ignore[operator]
    if not left:
        return None
    if isinstance(term, Count):
        assert isinstance(left, Numbers)
        return space.narrowed(f"length {term.field.name}", Range(left.whole(), False))
    if not isinstance(term, Read):
        return space
    return space.narrowed(term.field.name, Range(_kept(left, term.field, space), False))


def _standing(comparison: Comparison, there: Values) -> Values:
    """Return all that stands so to something in there."""
    if comparison == "==":
        return there
    if isinstance(there, Texts):
        alone = not there.all_but and len(there.these) == 1
        return ~there if alone else Texts()
    assert isinstance(there, Numbers)
    least, most = there.hull
    if comparison == "!=":
        return ~there if least == most else Numbers()
    span: Span = {
        "<": ((-inf, 0), (most, -1)),
        "<=": ((-inf, 0), (most, 0)),
        ">": ((least, 1), (inf, 0)),
        ">=": ((least, 0), (inf, 0)),
    }[comparison]
    return Numbers((span,))


def _reach(term: Term, space: Space) -> Values:
    """Return all that a term can be."""
    match term:
        case Read(field):
            return space.of(field).values
        case Count(field):
            return space.lengths(field)
        case Constant(value):
            return _one_of([value], term.dated)
    least, most = hull(term, space)
    return Numbers((((least, 0), (most, 0)),)) if least <= most else Numbers(())


def hull(term: Term, space: Space) -> tuple[float, float]:
    """Return the least and the most that a calculation can give; the least above the most if nothing."""
    if not isinstance(term, Arithmetic):
        values = _reach(term, space)
        return values.hull if isinstance(values, Numbers) and values else (inf, -inf)
    hulls = [hull(part, space) for part in term.parts]
    if any(least > most for least, most in hulls):
        return inf, -inf
    if term.operation in ("min", "max"):
        pick = min if term.operation == "min" else max
        return pick(least for least, _ in hulls), pick(most for _, most in hulls)
    if term.operation == "-" and len(hulls) == 1:
        return -hulls[0][1], -hulls[0][0]
    return _widened(reduce(_CALCULATIONS[term.operation], hulls))


def _added(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return a[0] + b[0], a[1] + b[1]


def _taken(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return a[0] - b[1], a[1] - b[0]


def _multiplied(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    products = [0.0 if 0 in (x, y) else x * y for x in a for y in b]
    return min(products), max(products)


def _divided(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    if b[0] <= 0 <= b[1]:
        return -inf, inf
    return _multiplied(a, (1 / b[1], 1 / b[0]))


_CALCULATIONS = {"+": _added, "-": _taken, "*": _multiplied, "/": _divided}


def _widened(hull: tuple[float, float]) -> tuple[float, float]:
    """Return the range a little wider, for what rounding does to a calculation."""
    least, most = hull
    return least - _slack(least), most + _slack(most)


def _slack(number: float) -> float:
    return abs(number) * 1e-9 + 1e-9 if isfinite(number) else 0.0


def _values(condition: Flag | Among | Contains | Overlap) -> Values:
    """Return what the fact is where a condition on it holds."""
    match condition:
        case Flag():
            return Texts(frozenset({True}), False)
        case Among(field, choices):
            return _one_of(choices, field.kind == "date")
        case Contains(_, Constant(value)):
            return _list_with(frozenset({str(value)}))
        case Overlap("some", _, choices):
            return _list_with(frozenset(choices))
        case Overlap("all", _, choices):
            return Lists(one_of=frozenset(choices), within=frozenset(choices))
        case Overlap(_, _, choices):
            return Lists(barred=frozenset(choices))
    raise AssertionError(condition)


def _other_values(condition: Flag | Among | Contains | Overlap) -> Values:
    """Return what the fact is, where it is known, when a condition on it does not hold."""
    match condition:
        case Contains(_, Constant(value)):
            return Lists(barred=frozenset({str(value)}))
        case Overlap("some", _, choices):
            return Lists(barred=frozenset(choices))
        case Overlap("none", _, choices):
            return _list_with(frozenset(choices))
        case Overlap():
            return Lists()
    values = _values(condition)
    assert not isinstance(values, Lists)
    return ~values


def _list_with(choices: frozenset[str]) -> Lists:
    return Lists(must=choices if len(choices) == 1 else frozenset(), one_of=choices)


def _one_of(choices: Iterable[Scalar], dated: bool = False) -> Values:
    """Return the set of just these values, which are of one kind."""
    if dated:
        return Numbers.of(date.fromisoformat(str(each)).toordinal() for each in choices)
    texts = frozenset(each for each in choices if isinstance(each, (bool, str)))
    return Texts(texts, False) if texts else Numbers.of(float(each) for each in choices)


def _all_of(field: Field, declared: bool) -> Values:
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


def _kept(values: Values, field: Field, space: Space) -> Values:
    """Return the values a field's fact can have of these."""
    whole = space.declared and field.whole and isinstance(values, Numbers)
    return values.whole() if whole else values  # type: ignore[union-attr]
