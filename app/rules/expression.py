"""Parses stored JSONLogic into a rule; every error names its place and what to do. Pure.

The operators are JSONLogic's own (https://jsonlogic.com) and mean what they mean there, except that
a comparison with what is not known is false: docs/rules.md has them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from app.errors import RuleError
from app.rules.nodes import (
    AllOf,
    AnyOf,
    BooleanLiteral,
    Compare,
    Condition,
    Constant,
    Contains,
    FieldValue,
    Flag,
    Known,
    Not,
    OneOf,
    Overlap,
    Rule,
    Term,
    fields_of,
)
from app.rules.size import check_size
from app.rules.terms import Place, check_constant, read_field, read_term, read_terms, read_texts

_COMPARISONS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "==", "!=": "!=", "===": "==", "!==": "!="}
_RANGES = ("<", "<=")


def read_rule(data: object, path: str = "rule") -> Rule:
    """Return the rule that decoded JSON holds. Raises RuleError naming the place: `rule.and[1].>[0]`."""
    check_size(data, path)
    root = _condition(data, Place(path))
    return Rule(root, msgspec.json.decode(msgspec.json.encode(data)))


def reads(rule: Rule) -> frozenset[str]:
    """Return the names of the fields the rule reads."""
    return frozenset(each.name for each in fields_of(rule.root))


def _condition(data: object, place: Place) -> Condition:
    if isinstance(data, bool):
        return BooleanLiteral(data)
    operator, arguments = place.operation(data)
    inside = place / operator
    if operator in _COMPARISONS:
        return _comparison(_COMPARISONS[operator], arguments, inside)
    if operator not in _READERS:
        raise place.unknown_operator(operator, (*_READERS, *_COMPARISONS))
    return _READERS[operator](arguments, inside)


def _every(arguments: list[Any], place: Place) -> Condition:
    return AllOf(_conditions(arguments, place))


def _either(arguments: list[Any], place: Place) -> Condition:
    return AnyOf(_conditions(arguments, place))


def _conditions(arguments: list[Any], place: Place) -> tuple[Condition, ...]:
    if not arguments:
        raise RuleError("there is no condition in here: add one", str(place))
    return tuple(_condition(each, place.at(at)) for at, each in enumerate(arguments))


def _not(arguments: list[Any], place: Place) -> Condition:
    place.need(arguments, 1)
    return Not(_condition(arguments[0], place.at(0)))


def _flag(arguments: list[Any], place: Place) -> Condition:
    field = read_field(arguments, place)
    if field.kind != "flag":
        raise RuleError(f"{field.name} is not true or false: compare it with something", str(place))
    return Flag(field)


def _comparison(comparison: str, arguments: list[Any], place: Place) -> Condition:
    place.need(arguments, 2, 3 if comparison in _RANGES else 2)
    if None in arguments:
        return _known(comparison, arguments, place)
    return Compare(comparison, read_terms(comparison, arguments, place))  # type: ignore[arg-type]


def _known(comparison: str, arguments: list[Any], place: Place) -> Condition:
    """Return what `!= null` and `== null` ask: whether a field is known."""
    others = [each for each in arguments if each is not None]
    if comparison not in ("==", "!=") or len(others) != 1:
        raise RuleError("null only goes with == and !=: whether a field is known", str(place))
    term = read_term(others[0], place)
    if not isinstance(term, FieldValue):
        raise RuleError("only a field can be known or not", str(place))
    return Known(term.field, comparison == "!=")


def _in(arguments: list[Any], place: Place) -> Condition:
    place.need(arguments, 2)
    item, where = (arguments[0], arguments[1])
    if isinstance(where, list):
        return _among(read_term(item, place.at(0)), where, place.at(1))
    held = read_term(where, place.at(1))
    if not isinstance(held, FieldValue) or held.field.kind != "texts":
        raise RuleError("`in` looks into a list: a field that is a list, or texts in [ ]", str(place.at(1)))
    sought = read_term(item, place.at(0))
    if isinstance(sought, Constant):
        check_constant(sought.value, held.field, place.at(0))
        return Contains(held.field, sought)
    if isinstance(sought, FieldValue) and sought.field.kind == "text":
        return Contains(held.field, sought)
    raise RuleError(f"{held.field.name} holds texts: look for a text in it", str(place.at(0)))


def _among(item: Term, choices: list[Any], place: Place) -> Condition:
    if not isinstance(item, FieldValue) or item.field.kind in ("flag", "texts"):
        raise RuleError("`in` with a list asks of one field that is a number, a text or a date", str(place))
    if not choices:
        raise RuleError("the list is empty: nothing is in it", str(place))
    for at, each in enumerate(choices):
        check_constant(each, item.field, place.at(at))
    return OneOf(item.field, tuple(choices))


def _overlap(quantifier: str) -> Callable[[list[Any], Place], Condition]:
    def read(arguments: list[Any], place: Place) -> Condition:
        place.need(arguments, 2)
        held = read_term(arguments[0], place.at(0))
        if not isinstance(held, FieldValue) or held.field.kind != "texts":
            raise RuleError(f"`{quantifier}` asks of a field that is a list", str(place.at(0)))
        choices = read_texts(arguments[1], held.field, place.at(1))
        return Overlap(quantifier, held.field, choices)  # type: ignore[arg-type]

    return read


_READERS: dict[str, Callable[[list[Any], Place], Condition]] = {
    "and": _every,
    "or": _either,
    "!": _not,
    "var": _flag,
    "in": _in,
    "some": _overlap("some"),
    "all": _overlap("all"),
    "none": _overlap("none"),
}
__all__ = ["Rule", "RuleError", "read_rule", "reads"]
