"""The values that a rule's terms can take while each fact is in its range (interval arithmetic). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import reduce
from math import inf, isfinite

from app.rules.nodes import Arithmetic, Comparison, Constant, Count, FieldValue, Scalar, Term
from app.rules.space import Space
from app.rules.spans import Numbers, Span, Texts, Values


def satisfying(comparison: Comparison, there: Values) -> Values:
    """Return the values for which the comparison holds with some value in `there`."""
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


def values_of(term: Term, space: Space) -> Values:
    """Return all values that the term can take."""
    match term:
        case FieldValue(field):
            return space.of(field).values
        case Count(field):
            return space.lengths(field)
        case Constant(value):
            return one_of([value], term.dated)
    least, most = hull(term, space)
    return Numbers((((least, 0), (most, 0)),)) if least <= most else Numbers(())


def hull(term: Term, space: Space) -> tuple[float, float]:
    """Return the least and the most that a calculation can give; the least above the most if nothing."""
    if not isinstance(term, Arithmetic):
        values = values_of(term, space)
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


def one_of(choices: Iterable[Scalar], dated: bool = False) -> Values:
    """Return the set of just these values, which are of one kind."""
    if dated:
        return Numbers.of(date.fromisoformat(str(each)).toordinal() for each in choices)
    texts = frozenset(each for each in choices if isinstance(each, (bool, str)))
    return Texts(texts, False) if texts else Numbers.of(float(each) for each in choices)
