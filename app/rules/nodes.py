"""What a rule is made of once it was read: conditions over values, each checked already. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as _field
from typing import Any, Literal

from app.rules.fields import Field

Scalar = bool | int | float | str
Comparison = Literal["<", "<=", ">", ">=", "==", "!="]
Operation = Literal["+", "-", "*", "/", "min", "max"]
Quantifier = Literal["some", "all", "none"]

# Each comparison as it is with its sides exchanged.
MIRRORED: Mapping[Comparison, Comparison] = {
    "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Constant:
    """A value as the merchant wrote it. dated: whether the text is a date."""

    value: Scalar
    dated: bool = False


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A field's value."""

    field: Field


@dataclass(frozen=True, slots=True)
class Count:
    """How many texts a list has."""

    field: Field


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A calculation. `-` has one part or two, `/` two, the others one or more."""

    operation: Operation
    parts: tuple[Term, ...]


Term = Constant | FieldValue | Count | Arithmetic


@dataclass(frozen=True, slots=True)
class BooleanLiteral:
    """True or false, whoever comes."""

    value: bool


@dataclass(frozen=True, slots=True)
class Flag:
    """A field that is true."""

    field: Field


@dataclass(frozen=True, slots=True)
class Known:
    """Whether a field has a value at all."""

    field: Field
    known: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """Two terms, or three for a range: `1 < x < 5`."""

    comparison: Comparison
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """A field's value is one of these."""

    field: Field
    choices: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """A list has this text in it."""

    field: Field
    item: Constant | FieldValue


@dataclass(frozen=True, slots=True)
class Overlap:
    """Some, all or none of a list's texts are among these. Of an empty list none are, and not all."""

    quantifier: Quantifier
    field: Field
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of these hold; at least one part."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of these holds at least; at least one part."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This does not hold."""

    part: Condition


Condition = BooleanLiteral | Flag | Known | Compare | OneOf | Contains | Overlap | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was read. stored: the JSONLogic it came from, as it is kept; not to be changed."""

    root: Condition
    stored: Any = _field(compare=False)


def fields_of(node: Condition | Term) -> Iterator[Field]:
    """Yield the fields a part of a rule reads, one as often as it is read."""
    if isinstance(node, (AllOf, AnyOf, Arithmetic)):
        for part in node.parts:
            yield from fields_of(part)
    elif isinstance(node, Compare):
        for term in node.terms:
            yield from fields_of(term)
    elif isinstance(node, Not):
        yield from fields_of(node.part)
    elif isinstance(node, Contains):
        yield node.field
        yield from fields_of(node.item)
    elif not isinstance(node, (Constant, BooleanLiteral)):
        yield node.field


def divisors_of(node: Term) -> Iterator[Term]:
    """Yield what is divided by in a calculation."""
    if isinstance(node, Arithmetic):
        if node.operation == "/":
            yield node.parts[1]
        for part in node.parts:
            yield from divisors_of(part)
