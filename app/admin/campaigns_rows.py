"""A rule as rows that a merchant fills in: groups of conditions, joined by all, any or none. Pure.

Two levels of joining are shown, which most rules are; what is deeper, calculates, or compares two fields
is edited as JSON. A rule that becomes rows means the same when it is made of them again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from unicodedata import category

import msgspec

from app.admin.language import Lazy, _, lazy, spoken
from app.admin.segment_titles import TITLES, rule_name, title
from app.admin.typed import NUMBER, check_marks, fraction_of, plain
from app.errors import InputError
from app.profiles.segment_names import kept_name, same_name
from app.rules.fields import FIELDS, Field, Kind
from app.rules.locale import locale
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
    FieldValue,
    Flag,
    Known,
    Not,
    OneOf,
    Overlap,
    Rule,
)

Join = Literal["all", "any", "none"]
# What is asked of a field, by its kind, in the words of the choice.
ASKED: Mapping[str, Lazy] = {
    ">": lazy("is above"),
    ">=": lazy("is at least"),
    "<": lazy("is below"),
    "<=": lazy("is at most"),
    "==": lazy("is"),
    "!=": lazy("is not"),
    "between": lazy("is from … to …"),
    "inside": lazy("is above … and below …"),
    "in": lazy("is one of"),
    "some": lazy("include one of"),
    "all": lazy("are only"),
    "none": lazy("include none of"),
    "yes": lazy("is so"),
    "no": lazy("is not so"),
    "known": lazy("is known"),
    "unknown": lazy("is not known"),
}
_ORDERED = (">", ">=", "<", "<=", "==", "!=", "between", "inside", "known", "unknown")
ASKED_OF: Mapping[Kind, tuple[str, ...]] = {
    "number": _ORDERED,
    "money": _ORDERED,
    "date": _ORDERED,
    "text": ("==", "in", "!=", "known", "unknown"),
    "texts": ("some", "none", "all", "known", "unknown"),
    "flag": ("yes", "no"),
}
_RANGES = {"between": "<=", "inside": "<"}
_LARGEST = 1e12
_COMMAS = ",،、"
# Their names can have the other commas in them.
_NAMED_BY_SHOP = ("product_type", "vendor", "tag")


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One condition as it was typed. value: several go with commas; upto: the other end of a range."""

    field: str = ""
    compare: str = ""
    value: str = ""
    upto: str = ""


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Conditions of which all, any or none must hold."""

    match: Join = "all"
    conditions: tuple[Row, ...] = ()


class Rows(msgspec.Struct, frozen=True):
    """A rule: groups of which all or any must hold. No group at all: everyone."""

    match: Literal["all", "any"] = "all"
    groups: tuple[Group, ...] = ()


def rows_of(rule: Rule) -> Rows | None:
    """Return the rule as rows, None for one that rows can't say."""
    if isinstance(rule.root, BooleanLiteral):
        return Rows() if rule.root.value else None
    match, parts = _parts(rule.root)
    single: Join = "any" if match == "any" else "all"
    groups: list[Group] = []
    for part in parts:
        group = _group(part, single)
        if group is None:
            return None
        # Conditions that stand side by side are one group.
        if groups and _row(part) and groups[-1].match == single == group.match and single != "none":
            group = Group(single, (*groups.pop().conditions, *group.conditions))
        groups.append(group)
    return Rows(match, tuple(groups))


def rule_of(rows: Rows, currency: str = "") -> Any:
    """Return the JSONLogic that the rows say. Raises InputError naming the row: `groups[0].conditions[1]`."""
    wanted = [(at, group) for at, group in enumerate(rows.groups) if group.conditions]
    flat: Join = "any" if rows.match == "any" else "all"
    said: list[Any] = []
    for at, group in wanted:
        parts = [
            condition_of(each, f"groups[{at}].conditions[{n}]", currency)
            for n, each in enumerate(group.conditions)
        ]
        said += parts if group.match == flat and len(wanted) > 1 else [_joined(group.match, parts)]
    return True if not said else said[0] if len(said) == 1 else {_word(flat): said}


def _parts(root: Condition) -> tuple[Literal["all", "any"], Sequence[Condition]]:
    """Return how the groups are joined, and what becomes one each."""
    if isinstance(root, AnyOf) and not all(_row(each) for each in root.parts):
        return "any", root.parts
    return "all", root.parts if isinstance(root, AllOf) else (root,)


def _joined(match: Join, parts: Sequence[Any]) -> Any:
    joined = parts[0] if len(parts) == 1 else {_word(match): list(parts)}
    return {"!": [joined]} if match == "none" else joined


def _word(match: Join) -> str:
    return "and" if match == "all" else "or"


def condition_of(row: Row, place: str, currency: str = "") -> Any:
    """Return the JSONLogic of one row. Raises InputError naming what of it is wrong.

    currency: of amounts, empty for one of two decimals.
    """
    field = FIELDS.get(row.field)
    if field is None:
        raise InputError(_("choose what this is about"), f"{place}.field")
    if row.compare not in ASKED_OF[field.kind]:
        raise InputError(_("choose how it is compared"), f"{place}.compare")
    read = {"var": field.name}
    match row.compare:
        case "yes":
            return read
        case "no":
            return {"!": [read]}
        case "known" | "unknown":
            return {"!=" if row.compare == "known" else "==": [read, None]}
        case "between" | "inside":
            low = _value(field, row.value, f"{place}.value", currency)
            return {_RANGES[row.compare]: [low, read, _value(field, row.upto, f"{place}.upto", currency)]}
        case "in":
            return {"in": [read, _list(field, row.value, f"{place}.value", currency)]}
        case "some" | "all" | "none":
            asked = {"in": [{"var": ""}, _list(field, row.value, f"{place}.value", currency)]}
            return {row.compare: [read, asked]}
        case _:
            return {row.compare: [read, _value(field, row.value, f"{place}.value", currency)]}


def _value(field: Field, text: str, place: str, currency: str) -> Any:
    """Return what was typed as the field has it: shares are typed in percent."""
    text = text.strip()
    if not text:
        raise InputError(_("fill this in"), place)
    if not field.is_number:
        return _named(field, text)
    fraction = fraction_of(currency) if field.kind == "money" else NUMBER
    number = typed_number(text, place, typed(field, field.example), fraction)
    if field.unit == "share":
        number = round(number / 100, 8)
    return int(number) if number.is_integer() else number


def typed_number(text: str, place: str, example: str = "10", fraction: str = NUMBER) -> float:
    """Return the number that was typed. Raises InputError naming the place. fraction: see `check_marks`."""
    check_marks(text, place, fraction)
    try:
        number = float(plain(text).replace(",", ".").removesuffix("%"))
    except ValueError:
        raise InputError(_("this is a number, such as %(example)s", example=str(example)), place) from None
    if not abs(number) <= _LARGEST:  # neither too large nor "nan"
        raise InputError(_("this number is too large"), place)
    return number


def _list(field: Field, text: str, place: str, currency: str) -> list[Any]:
    commas = "," if field.names in _NAMED_BY_SHOP else _COMMAS
    parts = [part for part in (each.strip() for each in re.split(f"[{commas}]", text)) if part]
    if not parts:
        raise InputError(_("name at least one"), place)
    return [_value(field, part, place, currency) for part in dict.fromkeys(parts)]


def _named(field: Field, text: str) -> str:
    if field.names == "segment":  # none of the shop's own is called as one that is worked out
        same = same_name(text)
        worked_out = (name for name in TITLES if same in (name, same_name(title(name))))
        return next(worked_out, None) or kept_name(text)
    for value in field.choices:
        if text == typed(field, value):
            return value
    if field.names == "collection":
        return _handle(text)
    if field.choices:
        return "_".join(text.lower().replace("-", " ").split())
    return text


def _handle(text: str) -> str:
    """Return the handle that Shopify makes of a title: its words. A handle is its own, in any script."""
    said = text.lower().replace("'", "").replace("’", "")
    words = "".join(each if each in "-_" or category(each)[0] in "LMN" else " " for each in said).split()
    if len(words) > 1:
        words = [each.strip("-") for each in words]
    return "-".join(filter(None, words)) or text


def typed(field: Field, value: Any) -> str:
    """Return a value as it is typed: the other way round of what is read from a row."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        number = round(value * 100, 6) if field.unit == "share" else value
        return f"{number:.6f}".rstrip("0").rstrip(".")
    if field.names == "segment":
        return rule_name(value)
    return locale(spoken().language).choices.get(field.name, {}).get(value, str(value))


def _group(part: Condition, single: Join) -> Group | None:
    """Return what becomes of one part. single: how a condition on its own is joined."""
    if row := _row(part):
        return Group(single, (row,))
    match part:
        case AllOf(parts):
            return _whole("all", parts)
        case AnyOf(parts):
            return _whole("any", parts)
        case Not(AnyOf(parts)):
            return _whole("none", parts)
        case Not(inner):
            return _whole("none", (inner,))
    return None


def _whole(match: Join, parts: Sequence[Condition]) -> Group | None:
    rows = [row for each in parts if (row := _row(each))]
    return Group(match, tuple(rows)) if len(rows) == len(parts) else None


def _row(part: Condition) -> Row | None:
    """Return a condition as a row, None for what is more than one."""
    match part:
        case Flag(field):
            return Row(field.name, "yes")
        case Not(Flag(field)):
            return Row(field.name, "no")
        case Known(field, known):
            return None if field.kind == "flag" else Row(field.name, "known" if known else "unknown")
        case OneOf(field, choices):
            return _listed(field, "in", choices) if field.kind == "text" else None
        case Contains(field, Constant(text)):
            return _listed(field, "some", (text,))
        case Overlap(quantifier, field, choices):
            return _listed(field, quantifier, choices)
        case Compare(comparison, terms):
            return _compared(comparison, terms)
    return None


def _listed(field: Field, compare: str, choices: Sequence[Any]) -> Row | None:
    said = [typed(field, each) for each in choices]
    return None if any("," in each for each in said) else Row(field.name, compare, ", ".join(said))


def _compared(comparison: Comparison, terms: Sequence[Any]) -> Row | None:
    match terms:
        case (FieldValue(field), Constant(value)) if comparison in ASKED_OF[field.kind]:
            return Row(field.name, comparison, typed(field, value))
        case (Constant(value), FieldValue(field)) if comparison in ASKED_OF[field.kind]:
            return Row(field.name, MIRRORED[comparison], typed(field, value))
        case (Constant(low), FieldValue(field), Constant(high)) if field.kind != "text":
            compare = "between" if comparison == "<=" else "inside"
            return Row(field.name, compare, typed(field, low), typed(field, high))
    return None
