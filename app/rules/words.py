"""A rule in a merchant's words. Pure: the languages are tables.

"The cart's subtotal is above €80.00 and the shopper has been here before"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.rules.fields import Field
from app.rules.locale import Locale, locale
from app.rules.nodes import (
    MIRRORED,
    AllOf,
    AnyOf,
    Arithmetic,
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
    Rule,
    Scalar,
    Term,
)

MOST_NAMED = 8
_SIGNS = {"+": " + ", "-": " − ", "*": " × ", "/": " ÷ "}


def in_words(rule: Rule, currency: str, language: str = "en", names: Mapping[str, str] | None = None) -> str:
    """Return the rule as a sentence without its full stop.

    currency: the shop's. names: what ids and names are shown as, `{"801…": "Skis"}`, those of collections
    by collection_key, those of segments by segment_key.
    """
    said = Words(locale(language), currency, names or {}).condition(rule.root)
    begins = len(said) - len(said.lstrip("("))
    return said[:begins] + said[begins : begins + 1].upper() + said[begins + 1 :]


@dataclass(frozen=True, slots=True)
class Words:
    """A language, in a shop."""

    locale: Locale
    currency: str
    names: Mapping[str, str]

    def condition(self, node: Condition, holds: bool = True) -> str:
        """Return what a condition asks; holds: False for that it does not hold."""
        match node:
            case BooleanLiteral(value):
                return self.locale.joins["always" if value == holds else "never"]
            case Not(part):
                return self._not(part) if holds else self.condition(part)
            case AllOf(parts) | AnyOf(parts):
                word = "and" if isinstance(node, AllOf) else "or"
                said = self.locale.listed([self._inner(each) for each in parts], word)
                return said if holds else self.locale.joins["not"].format(a=said)
            case Flag(field):
                return self.locale.flags[field.name][0 if holds else 1]
            case _:
                return self._comparison(node, holds)

    def _not(self, part: Condition) -> str:
        return self.condition(part, holds=False)

    def _inner(self, node: Condition) -> str:
        said = self.condition(node)
        return f"({said})" if isinstance(node, (AllOf, AnyOf)) and len(node.parts) > 1 else said

    def _comparison(self, node: Known | Compare | OneOf | Contains | Overlap, holds: bool) -> str:
        if isinstance(node, Compare):
            return self._compare(node, holds)
        name = self.name(node.field)
        match node:
            case Known(_, known):
                return self._say("known", known == holds, a=name)
            case OneOf(field, choices):
                return self._say("among", holds, a=name, b=self._choices(choices, field, "either"))
            case Contains(field, item):
                return self._say("contains", holds, a=name, b=self.term(item, field))
            case Overlap(quantifier, field, choices):
                return self._say(quantifier, holds, a=name, b=self._choices(choices, field, "comma"))

    def _say(self, key: str, holds: bool, **said: str) -> str:
        return self.locale.says[key][0 if holds else 1].format(**said)

    def _compare(self, node: Compare, holds: bool) -> str:
        terms, key = node.terms, node.comparison
        measure = _measure(terms)
        if len(terms) == 3:
            low, middle, high = (self.term(each, measure) for each in terms)
            return self._say("between" if key == "<=" else "inside", holds, a=middle, b=low, c=high)
        if isinstance(terms[0], Constant):
            terms, key = (terms[1], terms[0]), MIRRORED[key]
        if (
            isinstance(terms[0], FieldValue)
            and terms[0].field.kind == "flag"
            and isinstance(terms[1], Constant)
        ):
            yes = (terms[1].value is True) == (key == "==")
            return self.locale.flags[terms[0].field.name][0 if yes == holds else 1]
        return self._say(key, holds, a=self.term(terms[0], measure), b=self.term(terms[1], measure))

    def term(self, term: Term, measure: Field | None = None) -> str:
        """Return a value in words. measure: the field whose unit plain numbers are in."""
        match term:
            case Constant(value):
                return self._value(value, measure)
            case FieldValue(field):
                return self.name(field)
            case Count(field):
                return self.locale.terms["length"].format(a=self.name(field))
            case Arithmetic(operation, parts):
                return self._calculation(operation, parts)

    def _calculation(self, operation: str, parts: tuple[Term, ...]) -> str:
        said = [
            f"({self.term(each, None)})" if isinstance(each, Arithmetic) else self.term(each, None)
            for each in parts
        ]
        if operation in ("min", "max"):
            return self.locale.terms[operation].format(a=self.locale.listed(said, "and"))
        return _SIGNS[operation].join(said) if len(said) > 1 or operation != "-" else f"−{said[0]}"

    def _choices(self, choices: tuple[Scalar, ...], field: Field, last: str) -> str:
        said = [self._value(each, field) for each in choices[:MOST_NAMED]]
        if len(choices) > MOST_NAMED:
            return self.locale.joins["comma"].format(a=self.locale.listed(said, "comma"), b="…")
        return self.locale.listed(said, last)

    def name(self, field: Field) -> str:
        """Return what a field is called."""
        if field.kind == "flag":
            return self.locale.units.quoted.format(a=self.locale.flags[field.name][0])
        return self.locale.fields.get(field.name, field.label)

    def _value(self, value: Scalar, field: Field | None) -> str:
        if isinstance(value, str):
            return self._text(value, field)
        if field is None or isinstance(value, bool):
            return self.locale.number(value)
        if field.kind == "money":
            return self.locale.money(value, self.currency)
        if field.unit in ("seconds", "days"):
            units = self.locale.units
            return self.locale.amount(units.days if field.unit == "days" else units.seconds, value)
        return self.locale.share(value) if field.unit == "share" else self.locale.number(value)

    def _text(self, value: str, field: Field | None) -> str:
        if field and value in self.locale.choices.get(field.name, {}):
            return self.locale.choices[field.name][value]
        if field and field.names == "collection":
            return self.locale.units.quoted.format(a=self.names.get(collection_key(value), value))
        if field and field.names == "segment":
            name = self.names.get(segment_key(value)) or value.replace("_", " ")
            return self.locale.units.quoted.format(a=name)
        if value in self.names:
            return self.locale.units.quoted.format(a=self.names[value])
        return self.locale.units.quoted.format(a=value) if field and field.names else value


def collection_key(handle: str) -> str:
    """Return what a collection's title is found by among names: a handle can be a product's id as well."""
    return f"collections/{handle}"


def segment_key(name: str) -> str:
    """Return what a segment's title is found by among names."""
    return f"segments/{name}"


def _measure(terms: tuple[Term, ...]) -> Field | None:
    """Return the field that tells the unit of the plain numbers beside it: money, seconds, a share."""
    read = [term.field for term in terms if isinstance(term, FieldValue)]
    if read:
        return read[0]
    for term in terms:
        if isinstance(term, Arithmetic) and term.operation in ("+", "-", "min", "max"):
            return _measure(term.parts)
        if isinstance(term, Arithmetic) and term.operation == "*":
            factors = [part.field for part in term.parts if isinstance(part, FieldValue)]
            return factors[0] if len(factors) == 1 and factors[0].kind == "money" else None
    return None
