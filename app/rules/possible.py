"""The range of each field where a rule can hold, by interval analysis. Pure.

What is worked out is never too small: a rule that is found to be impossible is. It may be too large:
fields are looked at one by one, so a rule that only two fields together make impossible can pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_

from app.rules.fields import Field
from app.rules.intervals import one_of, satisfying, values_of
from app.rules.nodes import (
    MIRRORED,
    AllOf,
    AnyOf,
    BooleanLiteral,
    Compare,
    Comparison,
    Condition,
    Constant,
    Contains,
    Count,
    FieldValue,
    Flag,
    Known,
    Not,
    OneOf,
    Overlap,
    Term,
    divisors_of,
    fields_of,
)
from app.rules.space import ANYTHING, Space
from app.rules.spans import Lists, Numbers, Range, Texts, Values

# A second look finds what the first could not know yet: a bound that stands further right.
MOST_LOOKS = 4
_OPPOSITE: Mapping[Comparison, Comparison] = {
    "<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==",
}  # fmt: skip

# What is asked of one fact alone.
Simple = Flag | OneOf | Contains | Overlap | Compare


def possible(condition: Condition, space: Space = ANYTHING, looks: int = MOST_LOOKS) -> Space | None:
    """Return what the facts can be where the condition holds, None where it never does."""
    for _ in range(looks):
        found = _narrow(condition, space)
        if found is None or found.ranges == space.ranges:
            return found
        space = found
    return space


def _narrow(condition: Condition, space: Space) -> Space | None:
    match condition:
        case BooleanLiteral(value):
            return space if value else None
        case AllOf(parts):
            return _all(parts, space)
        case AnyOf(parts):
            return _any(parts, space)
        case Not(part):
            return _narrow_not(part, space)
        case Compare() if not _is_simple(condition):
            return _compare(condition, space)
        case Known(field, known):
            return _known(field, known, space)
        case Contains(field, FieldValue(item)):
            both = space.narrowed(field.name, space.of(field).known())
            return both and both.narrowed(item.name, both.of(item).known())
        case _:
            return _within(_field(condition), Range(_values(condition), unknown=False), space)


def _narrow_not(part: Condition, space: Space) -> Space | None:
    match part:
        case BooleanLiteral(value):
            return None if value else space
        case AllOf(parts):
            return _any([Not(each) for each in parts], space)
        case AnyOf(parts):
            return _all([Not(each) for each in parts], space)
        case Not(inner):
            return _narrow(inner, space)
        case Compare() if not _is_simple(part):
            return _any(list(_failures(part)), space)
        case Known(field, known):
            return _known(field, not known, space)
        case Contains(_, FieldValue()):
            return space
        case _:
            return _within(_field(part), Range(_other_values(part)), space)


def _within(field: Field, wanted: Range, space: Space) -> Space | None:
    both = space.of(field) & wanted
    return space.narrowed(field.name, Range(_kept(both.values, field, space), both.unknown))


def _is_simple(compare: Compare) -> bool:
    """Return whether a field is compared with a constant, as nearly everything is."""
    first, second, *more = compare.terms
    return isinstance(first, FieldValue) and isinstance(second, Constant) and not more


def _field(condition: Simple) -> Field:
    if not isinstance(condition, Compare):
        return condition.field
    assert isinstance(condition.terms[0], FieldValue)
    return condition.terms[0].field


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
        narrowed = narrowed and _side(right, MIRRORED[compare.comparison], left, narrowed)
    return narrowed


def _side(term: Term, comparison: Comparison, other: Term, space: Space) -> Space | None:
    """Return the space in which the comparison holds with some value of the other term, None if nowhere."""
    here, there = values_of(term, space), values_of(other, space)
    if not here or not there:
        return None
    left = here & satisfying(comparison, there)  # type: ignore[operator]
    if not left:
        return None
    if isinstance(term, Count):
        assert isinstance(left, Numbers)
        return space.narrowed(f"length {term.field.name}", Range(left.whole(), False))
    if not isinstance(term, FieldValue):
        return space
    return space.narrowed(term.field.name, Range(_kept(left, term.field, space), False))


def _values(condition: Simple) -> Values:
    """Return what the fact is where a condition on it holds."""
    match condition:
        case Compare(comparison, (_, Constant(value, dated))):
            return satisfying(comparison, one_of([value], dated))
        case Flag():
            return Texts(frozenset({True}), False)
        case OneOf(field, choices):
            return one_of(choices, field.kind == "date")
        case Contains(_, Constant(value)):
            return _list_with(frozenset({str(value)}))
        case Overlap("some", _, choices):
            return _list_with(frozenset(choices))
        case Overlap("all", _, choices):
            return Lists(one_of=frozenset(choices), within=frozenset(choices))
        case Overlap(_, _, choices):
            return Lists(barred=frozenset(choices))
    raise AssertionError(condition)


def _other_values(condition: Simple) -> Values:
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


def _kept(values: Values, field: Field, space: Space) -> Values:
    """Return the values a field's fact can have of these."""
    whole = (space.declared and field.whole) or field.kind == "date"
    return values.whole() if whole and isinstance(values, Numbers) else values
