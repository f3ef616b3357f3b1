"""A rule as the library is given it: JSONLogic that asks first whether a comparison can be made. Pure.

JSONLogic takes what is not known for 0, which would make every stranger a customer with fewer than two
orders, and ends the whole rule where something is divided by 0. And datalogic takes two texts for equal
that name one moment or one length of time, such as "1d" and "24h".
"""

from __future__ import annotations

import operator
from typing import Any

from app.rules.nodes import (
    AllOf,
    AnyOf,
    BooleanLiteral,
    Compare,
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

_EACH = {"var": ""}
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def program(node: Condition) -> Any:
    """Return what the library is to run."""
    match node:
        case BooleanLiteral(value):
            return value
        case Flag(field):
            return {"===": [_fact(field.name), True]}
        case Known(field, known):
            return {"!==" if known else "===": [_fact(field.name), None]}
        case AllOf(parts):
            return {"and": [program(each) for each in parts]}
        case AnyOf(parts):
            return {"or": [program(each) for each in parts]}
        case Not(part):
            return {"!": [program(part)]}
        case _:
            return _guarded(node)


def _guarded(node: Compare | OneOf | Contains | Overlap) -> Any:
    """Return a comparison behind the questions whether it can be made, where they change anything."""
    if _fails_unknown(node):
        return _plain(node)
    known = [{"!==": [_fact(name), None]} for name in dict.fromkeys(each.name for each in fields_of(node))]
    terms = node.terms if isinstance(node, Compare) else ()
    divisors = [each for term in terms for each in divisors_of(term)]
    # The innermost first: a divisor may be a division itself.
    divided = [{"!==": [_term(each), 0]} for each in reversed(divisors)]
    return {"and": [*known, *divided, _plain(node)]}


def _fails_unknown(node: Compare | OneOf | Contains | Overlap) -> bool:
    """Return whether JSONLogic itself finds it false where a fact is missing: such a one is in no list,
    equal to nothing and, taken for 0, not on this side of the number.
    """
    match node:
        case OneOf(_, choices):
            return not any(map(_like_time, choices))  # as letters, what is missing is the empty text
        case Contains(_, Constant()) | Overlap("some"):
            return True
        case Compare(comparison, (FieldValue(), Constant(bool() | int() | float() as value))):
            ordered = comparison in _ORDERS and not _ORDERS[comparison](0, value)
            return comparison == "==" or ordered
    return False


def _plain(node: Compare | OneOf | Contains | Overlap) -> Any:
    match node:
        case Compare(comparison, terms):
            return _compared(comparison, terms)
        case OneOf(field, choices):
            return _one_of(_fact(field.name), choices)
        case Contains(field, Constant(value)):
            sought = {"some": [_fact(field.name), _equal(_EACH, value)]}
            return sought if _like_time(value) else {"in": [value, _fact(field.name)]}
        case Contains(field, FieldValue(item)):
            # [1]: the facts stand one level above the list's own texts.
            outside = {"val": [[1], item.name]}
            return {"some": [_fact(field.name), {"===": [_letters(_EACH), _letters(outside)]}]}
        case Overlap(quantifier, field, choices):
            return {quantifier: [_fact(field.name), _one_of(_EACH, choices)]}


def _compared(comparison: str, terms: tuple[Term, ...]) -> Any:
    # === and !==, as == and != take "1" for 1.
    exactly = {"==": "===", "!=": "!=="}.get(comparison, comparison)
    written = [_term(each) for each in terms]
    if any(isinstance(each, FieldValue) and each.field.kind == "text" for each in terms):
        written = [_letters(each) for each in written]
    return {exactly: written}


def _one_of(value: Any, choices: tuple[Any, ...]) -> Any:
    if any(map(_like_time, choices)):
        # Not each choice by itself: a cart has thousands of tags, and a rule may name as many.
        return {"in": [_letters(value), [f"={each}" for each in choices]]}
    return {"in": [value, list(choices)]}


def _equal(value: Any, text: Any) -> Any:
    return {"===": [_letters(value), _letters(text)]}


def _letters(value: Any) -> Any:
    """Return a text as letters that can't be taken for a time."""
    return {"cat": ["=", value]}


def _like_time(value: Any) -> bool:
    return isinstance(value, str) and value[:1].isdigit() and not value.isdigit()


def _term(term: Term) -> Any:
    match term:
        case Constant(value):
            return value
        case FieldValue(field):
            return _fact(field.name)
        case Count(field):
            return {"length": [_fact(field.name)]}
        case _:
            return {term.operation: [_term(each) for each in term.parts]}


def _fact(name: str) -> Any:
    """Return how a fact is read: `var` would take the dot in its name for a step into an object."""
    return {"val": [name]}
