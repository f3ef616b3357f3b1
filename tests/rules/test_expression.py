"""Reading what is stored: what is refused is refused with its place and what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InputError, RuleError
from app.rules.compiled import compiled
from app.rules.expression import read_rule
from app.rules.fields import FIELDS
from app.rules.findings import findings
from app.rules.size import MOST_DEPTH, MOST_NODES
from app.rules.words import in_words
from tests.rules import made


def var(name: str) -> dict[str, str]:
    return {"var": name}


def nested(levels: int) -> Any:
    rule: Any = True
    for _ in range(levels):
        rule = {"!": [rule]}
    return rule


@pytest.mark.parametrize(
    ("stored", "place", "message"),
    [
        (None, "rule", "here stands nothing, where a condition or a field belongs"),
        ("x", "rule", "here stands a text of length 1, where a condition or a field belongs"),
        ({}, "rule", "an operation has one operator, here are 0"),
        ({"and": []}, "rule.and", "there is no condition in here: add one"),
        (
            {"ang": [True]},
            "rule",
            "there is no operator `ang` for a condition or value here: did you mean `and`?",
        ),
        ({"and": [True, {">": [1]}]}, "rule.and[1].>", "this takes 2 values, here are 1"),
        ({"<": [1, 2, 3, 4]}, "rule.<", "this takes 2 to 3 values, here are 4"),
        (
            {">": [var("cart.subtotl"), 1]},
            "rule.>[0].var",
            "there is no field 'cart.subtotl': did you mean cart.subtotal?",
        ),
        (
            {">": [var("weather"), 1]},
            "rule.>[0].var",
            "there is no field 'weather': docs/rules.md lists them.",
        ),
        (
            {">": [{"var": ["cart.lines", 3]}, 1]},
            "rule.>[0].var",
            "`var` takes the name of one field, and no default",
        ),
        (var("cart.lines"), "rule.var", "cart.lines is not true or false: compare it with something"),
        (
            {">": [var("cart.lines"), "3"]},
            "rule.>[1]",
            "cart.lines is a number, not a text of length 1; for example 3",
        ),
        (
            {"==": [var("shopper.cold"), 1]},
            "rule.==[1]",
            "shopper.cold is true or false, not a number; for example true",
        ),
        ({">": [var("market.country"), "DE"]}, "rule.>", "a text has no order: only == and != go with it"),
        (
            {"==": [var("market.country"), "Germany"]},
            "rule.==[1]",
            "market.country never looks like 'Germany' but like \"DE\"",
        ),
        (
            {"in": [var("time.weekday"), ["frday"]]},
            "rule.in[1][0]",
            "time.weekday is never 'frday': did you mean friday?",
        ),
        (
            {"==": [var("cart.tags"), "x"]},
            "rule.==",
            "a list is looked into with `in`, `some`, `all` or `none`",
        ),
        (
            {"==": [var("cart.lines"), var("shopper.cold")]},
            "rule.==",
            "true or false with a number can't be compared",
        ),
        (
            {"==": [var("time.date"), var("market.country")]},
            "rule.==",
            "a date with a text can't be compared",
        ),
        (
            {">": [var("time.date"), "27.11.2026"]},
            "rule.>[1]",
            "'27.11.2026' is not a date: write it like \"2026-11-27\"",
        ),
        ({">": [{"/": [1, 0]}, 1]}, "rule.>[0]./[1]", "this divides by zero"),
        (
            {">": [{"+": [var("market.country")]}, 1]},
            "rule.>[0].+[0]",
            "`+` calculates with numbers, not with a text",
        ),
        ({"in": [var("cart.lines"), []]}, "rule.in[1]", "the list is empty: nothing is in it"),
        (
            {"in": ["x", var("market.country")]},
            "rule.in[1]",
            "`in` looks into a list: a field that is a list, or texts in [ ]",
        ),
        (
            {"in": [3, var("cart.tags")]},
            "rule.in[0]",
            'cart.tags is a list of texts, not a number; for example "outdoor"',
        ),
        (
            {"some": [var("cart.tags"), {"==": [var(""), "x"]}]},
            "rule.some[1]",
            'write what each is asked as {"in": [{"var": ""}, ["a", "b"]]}',
        ),
        (
            {">": [var("cart.lines"), None]},
            "rule.>",
            "null only goes with == and !=: whether a field is known",
        ),
        (
            {">": [var("cart.lines"), 1e13]},
            "rule",
            "numbers are 0 or between 0.000001 and 1000000000000 in size",
        ),
        (
            {">": [var("cart.lines"), float("nan")]},
            "rule",
            "numbers are 0 or between 0.000001 and 1000000000000 in size",
        ),
        ({"and": [{1, 2}]}, "rule", "the rule is not JSON: it has set in it"),
        ({3: [True]}, "rule", "the rule is not JSON: a name in it is a number"),
        (
            {"==": [var("product.vendor"), "x" * 256]},
            "rule",
            "a text in the rule is longer than 255 characters",
        ),
        (nested(MOST_DEPTH), "rule", "the rule is nested more than 20 levels deep"),
        ({"or": [True] * MOST_NODES}, "rule", "the rule is too long: it has more than 2000 parts"),
        ({">": [{"+": [var("cart.lines")] * 20}, 1]}, "rule.>[0].+", "a calculation has at most 12 steps"),
    ],
)
def test_a_mistake_is_told_with_its_place(stored: Any, place: str, message: str) -> None:
    with pytest.raises(RuleError) as told:
        read_rule(stored)
    assert (told.value.field, str(told.value)) == (place, message)
    assert isinstance(told.value, InputError)


def test_the_deepest_and_the_longest_rule_are_read() -> None:
    assert read_rule(nested(9))
    assert read_rule({"or": [True] * (MOST_NODES - 2)})


def test_what_has_no_end_is_refused() -> None:
    round_and_round: list[Any] = []
    round_and_round.append(round_and_round)
    for endless in (round_and_round, {"and": round_and_round}, {"or": [True] * 1_000_000}):
        with pytest.raises(RuleError):
            read_rule(endless)


def test_a_place_begins_with_what_the_caller_calls_the_rule() -> None:
    with pytest.raises(RuleError) as told:
        read_rule({"and": [3]}, "campaign.rule")
    assert told.value.field == "campaign.rule.and[0]"


def test_what_is_stored_is_kept_as_it_was_and_does_not_follow_later_changes() -> None:
    stored: Any = {"and": [{">": [var("cart.subtotal"), 80.5]}]}
    rule = read_rule(stored)
    stored["and"].append(False)
    assert rule.stored == {"and": [{">": [var("cart.subtotal"), 80.5]}]}
    assert read_rule(rule.stored) == rule


@settings(max_examples=400, deadline=None)
@given(stored=made.rules)
def test_a_rule_reads_the_same_after_a_trip_through_json(stored: Any) -> None:
    try:
        rule = read_rule(stored)
    except RuleError:
        return
    assert read_rule(json.loads(json.dumps(rule.stored))) == rule


names = st.sampled_from("and or ! var in some all none < == != + / - length min x".split())
scraps = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from([*FIELDS, "", "DE", "2026-11-27"])
    | st.sampled_from([*FIELDS, ""]).map(var),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(names | st.text(max_size=2), part, max_size=2),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None)
@given(stored=scraps)
def test_whatever_is_stored_is_read_and_run_or_refused(stored: Any) -> None:
    try:
        rule = read_rule(stored)
    except RuleError:
        return
    assert compiled(rule)({}) in (True, False)
    assert in_words(rule, "EUR")
    findings(rule)


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_every_field_takes_its_own_example(field: Any) -> None:
    assert field.label
    if field.kind == "flag":
        stored: Any = var(field.name)
    elif field.kind == "texts":
        stored = {"in": [field.example, var(field.name)]}
    else:
        stored = {"==": [var(field.name), field.example]}
    fact = (field.example,) if field.kind == "texts" else field.example
    holds = compiled(read_rule(stored))
    assert holds({field.name: fact})
    assert not holds({})
