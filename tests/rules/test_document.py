"""The document for editors, and docs/rules.md for people, beside what the code takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.errors import RuleError
from app.rules.document import OPERATORS, fields_document
from app.rules.expression import read_rule
from app.rules.fields import FIELDS, Field
from app.rules.findings import findings

DOCS = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")


def asked(field: Field, operator: str) -> Any:
    """Return a rule that asks this of the field."""
    here, example = {"var": field.name}, field.example
    if operator == "var":
        return here
    if operator == "length":
        return {">": [{"length": [here]}, 1]}
    if operator in ("some", "all", "none"):
        return {operator: [here, {"in": [{"var": ""}, [example]]}]}
    if operator == "in":
        return {"in": [example, here]} if field.kind == "texts" else {"in": [here, [example]]}
    if operator in ("+", "-", "*", "/", "min", "max"):
        return {">": [{operator: [here, 2]}, 1]}
    return {operator: [here, example]}


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_what_the_document_says_may_be_asked_of_a_field_is_taken_and_nothing_else(field: Field) -> None:
    every = {each for operators in OPERATORS.values() for each in operators}
    for operator in sorted(every):
        if operator in OPERATORS[field.kind]:
            assert read_rule(asked(field, operator))
        else:
            with pytest.raises(RuleError):
                read_rule(asked(field, operator))


def test_the_document_is_json_and_speaks_the_merchants_language() -> None:
    document = json.loads(json.dumps(fields_document("EUR", "de-DE")))
    by_name = {each["name"]: each for each in document["fields"]}
    assert set(by_name) == set(FIELDS)
    assert by_name["cart.subtotal"] == {
        "name": "cart.subtotal", "group": "cart", "kind": "money",
        "label": "die Zwischensumme des Warenkorbs",
        "needs": "none", "example": 80.0, "operators": list(OPERATORS["money"]), "unit": "EUR", "least": 0,
    }  # fmt: skip
    assert by_name["time.weekday"]["choices"][0] == {"value": "monday", "label": "Montag"}
    assert by_name["profile.segments"]["names"] == "segment"
    assert document["language"] == "de"


def test_the_guide_lists_every_field_as_it_is() -> None:
    rows = re.findall(
        r"^\| `(\S+)` \| (\w+) \| ([^|]*) \| (\w+) \| ([^|]*) \| `([^`]*)` \|$", DOCS, re.MULTILINE
    )
    assert [row[0] for row in rows] == list(FIELDS)
    for name, kind, unit, needs, label, example in rows:
        field = FIELDS[name]
        assert (kind, needs, label.strip()) == (field.kind, field.needs, field.label), name
        assert json.loads(example) == field.example, name
        assert unit.strip() == unit_of(field), name


def unit_of(field: Field) -> str:
    """Return what the guide says of a field's unit and range."""
    if field.choices:
        return ", ".join(field.choices)
    if field.kind == "money":
        return "shop currency"
    ranged = f"{field.least:g} to {field.most:g}" if field.most is not None else ""
    return " ".join(filter(None, [field.unit, ranged])) or ("whole" if field.whole else "")


def test_every_rule_in_the_guide_is_read_and_fine() -> None:
    blocks = re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)
    assert len(blocks) >= 7
    for block in blocks:
        assert [each for each in findings(read_rule(json.loads(block))) if each.stops] == [], block


def test_the_guide_names_every_operator_and_every_limit() -> None:
    for operator in {each for operators in OPERATORS.values() for each in operators} | {"and", "or", "!"}:
        assert f"`{operator}`" in DOCS, operator
    for limit in fields_document("EUR")["limits"].values():
        assert f"{limit:,}" in DOCS or f"{limit:.6f}" in DOCS or f"{limit:,.0f}" in DOCS, limit
