"""The values that conditions compare: fields, constants, calculations; read and checked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.errors import RuleError
from app.rules.fields import FIELDS, Field, Kind, nearest
from app.rules.nodes import Arithmetic, Constant, Count, FieldValue, Term
from app.values import described
from app.wording import wording

MOST_OPERATIONS = 12

_OPERATIONS = {"+": (1, 100), "-": (1, 2), "*": (1, 100), "/": (2, 2), "min": (1, 100), "max": (1, 100)}
_ORDERED: tuple[Kind, ...] = ("number", "date")
_SAID: Mapping[Kind, str] = {
    "number": wording("a number"),
    "text": wording("a text"),
    "flag": wording("true or false"),
    "texts": wording("a list"),
    "date": wording("a date"),
}
# What is asked of each text of a list.
_EACH = '{"in": [{"var": ""}, ["a", "b"]]}'


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a rule something stands: `rule.and[1].>`."""

    path: str

    def __str__(self) -> str:
        return self.path

    def __truediv__(self, operator: str) -> Place:
        return Place(f"{self.path}.{operator}")

    def at(self, index: int) -> Place:
        """Return the place of an argument."""
        return Place(f"{self.path}[{index}]")

    def operation(self, data: object) -> tuple[str, list[Any]]:
        """Return the operator and its arguments. Raises RuleError for what is no operation."""
        if not isinstance(data, dict):
            raise RuleError(f"here stands {described(data)}, where a condition or a field belongs", self.path)
        if len(data) != 1:
            raise RuleError(f"an operation has one operator, here are {len(data)}", self.path)
        [(operator, arguments)] = data.items()
        return operator, list(arguments) if isinstance(arguments, (list, tuple)) else [arguments]

    def need(self, arguments: Sequence[Any], least: int, most: int | None = None) -> None:
        """Raise RuleError unless there are as many arguments as the operator takes."""
        most = most or least
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise RuleError(f"this takes {wanted} values, here are {len(arguments)}", self.path)

    def unknown_operator(self, operator: str, known: tuple[str, ...]) -> RuleError:
        """Return the error for an operator that does not belong here."""
        close, unknown, there = nearest(operator, known), operator[:40], ", ".join(known)
        return RuleError(
            f"there is no operator `{unknown}` for a condition or value here: did you mean `{close}`?"
            if close
            else f"there is no operator `{unknown}` for a condition or value here. There are {there}.",
            self.path,
        )


def read_term(data: object, place: Place) -> Term:
    """Return a value's meaning. Raises RuleError."""
    if isinstance(data, (bool, int, float, str)):
        return Constant(data)
    operator, arguments = place.operation(data)
    inside = place / operator
    if operator == "var":
        return FieldValue(read_field(arguments, inside))
    if operator == "length":
        return _count(arguments, inside)
    if operator not in _OPERATIONS:
        raise place.unknown_operator(operator, ("var", "length", *_OPERATIONS))
    return _arithmetic(operator, arguments, inside)


def read_field(arguments: list[Any], place: Place) -> Field:
    """Return the field that `var` names. Raises RuleError with the name that was most likely meant."""
    if len(arguments) != 1 or not isinstance(arguments[0], str):
        raise RuleError("`var` takes the name of one field, and no default", str(place))
    name = arguments[0]
    if name in FIELDS:
        return FIELDS[name]
    close = nearest(name, FIELDS)
    unknown = name[:60]
    raise RuleError(
        f"there is no field {unknown!r}: did you mean {close}?"
        if close
        else f"there is no field {unknown!r}: docs/rules.md lists them.",
        str(place),
    )


def read_texts(data: object, field: Field, place: Place) -> tuple[str, ...]:
    """Return the texts of `{"in": [{"var": ""}, ["a", "b"]]}`, what is asked of each in a list."""
    match data:
        case {"in": [each, [_, *_] as texts], **more} if each in ({"var": ""}, {"var": [""]}) and not more:
            for at, text in enumerate(texts):
                check_constant(text, field, (place / "in").at(1).at(at))
            return tuple(texts)
    raise RuleError(f"write what each is asked as {_EACH}", str(place))


def read_terms(comparison: str, arguments: Sequence[Any], place: Place) -> tuple[Term, ...]:
    """Return what a comparison compares. Raises RuleError unless it can be compared so."""
    terms = [read_term(each, place.at(at)) for at, each in enumerate(arguments)]
    fields = [term.field for term in terms if isinstance(term, FieldValue)]
    for at, term in enumerate(terms):
        if isinstance(term, Constant) and fields:
            check_constant(term.value, fields[0], place.at(at))
            terms[at] = Constant(term.value, dated=fields[0].kind == "date")
    _check_alike(comparison, terms, place)
    return tuple(terms)


def _check_alike(comparison: str, terms: Sequence[Term], place: Place) -> None:
    fields = [term.field for term in terms if isinstance(term, FieldValue)]
    kinds = {_kind(term) for term in terms}
    if "texts" in kinds:
        raise RuleError("a list is looked into with `in`, `some`, `all` or `none`", str(place))
    if len(kinds) > 1:
        one, other, *_more = (_SAID[kind] for kind in sorted(kinds))
        raise RuleError(f"{one} with {other} can't be compared", str(place))
    [kind] = kinds
    if kind not in _ORDERED and comparison not in ("==", "!="):
        raise RuleError(f"{_SAID[kind]} has no order: only == and != go with it", str(place))
    if not fields and kind != "number":
        raise RuleError("this compares no field", str(place))


def check_constant(value: object, field: Field, place: Place) -> None:
    """Raise RuleError, saying what a value looks like, for one that the field can never have."""
    if field.kind == "flag":
        fits = isinstance(value, bool)
    elif field.is_number:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        fits = isinstance(value, str)
    if not fits:
        kind = _SAID[_plain(field.kind)] if field.kind != "texts" else wording("a list of texts")
        raise RuleError(
            f"{field.name} is {kind}, not {described(value)}; for example {_example(field)}", str(place)
        )
    if isinstance(value, str):
        _check_text(value, field, place)


def _check_text(text: str, field: Field, place: Place) -> None:
    if field.choices and text not in field.choices:
        close = nearest(text, field.choices)
        choices = ", ".join(field.choices)
        meant = wording(f"did you mean {close}?") if close else wording(f"it is one of {choices}.")
        raise RuleError(f"{field.name} is never {text[:60]!r}: {meant}", str(place))
    if field.pattern and not re.fullmatch(field.pattern, text, re.ASCII):
        raise RuleError(f"{field.name} never looks like {text[:60]!r} but like {_example(field)}", str(place))
    if field.kind == "date" and not _is_date(text):
        raise RuleError(f"{text[:60]!r} is not a date: write it like {_example(field)}", str(place))


def _count(arguments: list[Any], place: Place) -> Count:
    place.need(arguments, 1)
    term = read_term(arguments[0], place.at(0))
    if not isinstance(term, FieldValue) or term.field.kind != "texts":
        raise RuleError("`length` counts a field that is a list", str(place))
    return Count(term.field)


def _arithmetic(operator: str, arguments: list[Any], place: Place) -> Arithmetic:
    place.need(arguments, *_OPERATIONS[operator])
    parts = tuple(read_term(each, place.at(at)) for at, each in enumerate(arguments))
    for at, part in enumerate(parts):
        if _kind(part) != "number":
            raise RuleError(
                f"`{operator}` calculates with numbers, not with {_SAID[_kind(part)]}", str(place.at(at))
            )
    made = Arithmetic(operator, parts)  # type: ignore[arg-type]
    if _operations(made) > MOST_OPERATIONS:
        raise RuleError(f"a calculation has at most {MOST_OPERATIONS} steps", str(place))
    if operator == "/" and isinstance(parts[1], Constant) and not parts[1].value:
        raise RuleError("this divides by zero", str(place.at(1)))
    return made


def _operations(term: Term) -> int:
    if not isinstance(term, Arithmetic):
        return 0
    return max(len(term.parts) - 1, 1) + sum(map(_operations, term.parts))


def _kind(term: Term) -> Kind:
    if isinstance(term, FieldValue):
        return _plain(term.field.kind)
    if not isinstance(term, Constant):
        return "number"
    if isinstance(term.value, str):
        return "date" if term.dated else "text"
    return "flag" if isinstance(term.value, bool) else "number"


def _plain(kind: Kind) -> Kind:
    return "number" if kind == "money" else kind


def _example(field: Field) -> str:
    if isinstance(field.example, bool):
        return "true"
    return f'"{field.example}"' if isinstance(field.example, str) else f"{field.example:g}"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
