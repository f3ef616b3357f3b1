"""What an editor of rules needs to know, as data: the fields, what may be asked of each, the limits. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.rules.fields import FIELDS, Field, Kind
from app.rules.locale import LANGUAGES, locale
from app.rules.size import LARGEST, LONGEST_TEXT, MOST_DEPTH, MOST_NODES, SMALLEST
from app.rules.terms import MOST_OPERATIONS
from app.rules.words import Words

_ORDER = ("<", "<=", ">", ">=", "==", "!=")
# What may be asked of a field, by its kind.
OPERATORS: Mapping[Kind, tuple[str, ...]] = {
    "number": (*_ORDER, "in", "+", "-", "*", "/", "min", "max"),
    "money": (*_ORDER, "in", "+", "-", "*", "/", "min", "max"),
    "date": (*_ORDER, "in"),
    "text": ("==", "!=", "in"),
    "texts": ("in", "some", "all", "none", "length"),
    "flag": ("var", "==", "!="),
}


def fields_document(currency: str, language: str = "en") -> dict[str, Any]:
    """Return the fields by name with their labels, operators and ranges, and the limits of a rule.

    currency: the shop's, which money fields are in.
    """
    words = Words(locale(language), currency, {})
    return {
        "language": words.locale.language,
        "languages": list(LANGUAGES),
        "currency": currency,
        "fields": [_field(each, words) for each in FIELDS.values()],
        "joins": ["and", "or", "!"],
        "limits": {
            "depth": MOST_DEPTH,
            "parts": MOST_NODES,
            "calculation_steps": MOST_OPERATIONS,
            "text_length": LONGEST_TEXT,
            "smallest_number": SMALLEST,
            "largest_number": LARGEST,
        },
    }


def _field(field: Field, words: Words) -> dict[str, Any]:
    choices = words.locale.choices.get(field.name, {})
    said: dict[str, Any] = {
        "name": field.name,
        "group": field.name.partition(".")[0],
        "kind": field.kind,
        "label": words.locale.flags[field.name][0] if field.kind == "flag" else words.name(field),
        "needs": field.needs,
        "example": field.example,
        "operators": list(OPERATORS[field.kind]),
        "unit": words.currency if field.kind == "money" else field.unit,
        "least": field.least,
        "most": field.most,
        "whole": field.whole or None,
        "choices": [{"value": each, "label": choices[each]} for each in field.choices] or None,
        "pattern": field.pattern,
        "names": field.names,
    }
    return {key: value for key, value in said.items() if value is not None}
