from __future__ import annotations

import pytest

from app.errors import InputError
from app.profiles.merchant_json import read
from app.profiles.thresholds import Rule

GOOD = {"measure": "orders", "compare": "at_least", "value": 3}


@pytest.mark.parametrize(
    ("data", "field", "says"),
    [
        ([], "rule", "this has to be a set of fields, not a list"),
        ({"conditions": []}, "rule.name", "“name” is missing"),
        ({"name": 7, "conditions": []}, "rule.name", "this has to be text, not a whole number"),
        ({"name": "a", "conditions": 3}, "rule.conditions", "this has to be a list, not a whole number"),
        ({"name": "a", "conditions": [], "hue": 1}, "rule.hue", "there is no field “hue”"),
        (
            {"name": "a", "conditions": [GOOD | {"measure": "shoes"}]},
            "rule.conditions[0].measure",
            "'shoes' is none of the choices",
        ),
        (
            {"name": "a", "conditions": [GOOD | {"value": []}]},
            "rule.conditions[0].value",
            "this has to be a whole number or text, not a list",
        ),
        (
            {"name": "a", "conditions": [GOOD | {"within_days": "ten"}]},
            "rule.conditions[0].within_days",
            "this has to be a whole number or empty, not text",
        ),
    ],
)
def test_a_mistake_is_told_in_words_with_its_field(data: object, field: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        read(data, Rule, "rule")
    assert (refused.value.field, str(refused.value)) == (field, says)
