"""What a merchant is told of a rule: true whatever the facts, and told where it is plain to see."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.errors import RuleError
from app.rules.expression import read_rule
from app.rules.fields import FIELDS, Field
from app.rules.findings import Finding, Shop, findings
from app.rules.index import Index
from tests.rules import judge, made

EUR = Shop("EUR")


def var(name: str) -> dict[str, str]:
    return {"var": name}


def told(stored: Any, shop: Shop = EUR) -> list[Finding]:
    return findings(read_rule(stored), shop)


def kinds(stored: Any, shop: Shop = EUR) -> list[tuple[str, str]]:
    return [(each.kind, each.path) for each in told(stored, shop)]


IMPOSSIBLE: list[Any] = [
    {"and": [{">": [var("cart.subtotal"), 100]}, {"<": [var("cart.subtotal"), 50]}]},
    {"and": [{">": [var("visit.pages"), 3]}, {"<": [var("visit.pages"), 4]}]},  # no whole number between
    {">": [var("time.hour"), 23]},
    {"<": [var("cart.lines"), 0]},
    {"==": [var("cart.lines"), 2.5]},
    {"<": [5, var("cart.units"), 5]},
    {">": [{"+": [var("intent.now"), var("intent.visit")]}, 2.5]},
    {"and": [var("shopper.cold"), {"!": [var("shopper.cold")]}, {"!=": [var("shopper.cold"), None]}]},
    {"and": [{"==": [var("profile.orders"), None]}, {">=": [var("profile.orders"), 0]}]},
    {"and": [{"==": [var("time.weekday"), "monday"]}, {"in": [var("time.weekday"), ["friday"]]}]},
    {"and": [{"in": ["a", var("cart.tags")]}, {"none": [var("cart.tags"), {"in": [var(""), ["a"]]}]}]},
    {"and": [{"in": ["a", var("cart.tags")]}, {"all": [var("cart.tags"), {"in": [var(""), ["b"]]}]}]},
    {"<": [{"length": [var("cart.tags")]}, 0]},
    {"and": [{"<": [var("time.date"), "2026-11-02"]}, {">": [var("time.date"), "2026-11-01"]}]},
    {"and": [{">": [var("visit.dwell_s"), var("visit.idle_s")]}, {"<": [var("visit.dwell_s"), 1]}]},
    {  # the second look sees that neither part of the `or` is left
        "and": [
            {"or": [{"<": [var("cart.units"), 2]}, {"<": [var("cart.subtotal"), 5]}]},
            {">": [var("cart.units"), 2]},
            {">": [var("cart.subtotal"), 5]},
        ]
    },
    False,
]


@pytest.mark.parametrize("stored", IMPOSSIBLE)
def test_a_rule_that_can_never_match_is_told(stored: Any) -> None:
    assert kinds(stored) == [("never_matches", "rule")]
    assert told(stored)[0].stops


def test_a_contradiction_names_the_two_that_exclude_each_other() -> None:
    above, below = {">": [var("cart.subtotal"), 100]}, {"<": [var("cart.subtotal"), 50]}
    [found] = told({"and": [above, var("visit.returning"), below]})
    assert found.message == (
        "This rule never matches: it can't be that the cart's subtotal is above €100.00, "
        "and also that the cart's subtotal is below €50.00."
    )


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (True, "This rule matches everyone: it tells nobody apart."),
        (
            {"or": [{">": [var("profile.orders"), 3]}, {"!": [{">": [var("profile.orders"), 3]}]}]},
            "This rule matches everyone: it tells nobody apart.",
        ),
        (
            {">=": [var("cart.lines"), 0]},
            "This rule matches everyone of whom it is known: the number of lines in the cart.",
        ),
        (
            {"or": [{"<": [var("cart.units"), 4]}, {">": [var("cart.units"), 3]}]},
            "This rule matches everyone of whom it is known: the number of items in the cart.",
        ),
    ],
)
def test_a_rule_that_matches_everyone_is_told(stored: Any, message: str) -> None:
    assert [each.message for each in told(stored)] == [message]


def test_parts_that_decide_nothing_are_told_with_their_place() -> None:
    late = {"or": [{">": [var("time.hour"), 23]}, var("shopper.cold")]}
    assert kinds(late) == [("never_holds", "rule.or[0]")]
    twice = {"and": [{">": [var("cart.subtotal"), 100]}, {">": [var("cart.subtotal"), 50]}]}
    assert kinds(twice) == [("always_holds", "rule.and[1]")]


def test_what_can_be_divided_by_zero_is_told_and_what_can_not_is_not() -> None:
    each_item = {">": [{"/": [var("cart.subtotal"), var("cart.units")]}, 20]}
    assert kinds(each_item) == [("divides_by_zero", "rule")]
    assert kinds({">": [{"/": [var("cart.subtotal"), {"max": [var("cart.units"), 1]}]}, 20]}) == []


def test_names_the_shop_does_not_have_are_told_with_what_was_meant() -> None:
    shop = Shop("EUR", {"segment": frozenset({"at_risk"}), "product": frozenset({"801"})})
    stored = {
        "or": [
            {"in": ["at_rsk", var("profile.segments")]},
            {"in": ["802", var("cart.product_ids")]},
            {"some": [var("visit.viewed_product_ids"), {"in": [var(""), ["801", "802"]]}]},
            {"==": [var("product.vendor"), "nobody was asked about vendors"]},
        ]
    }
    assert [(each.message, each.path) for each in told(stored, shop)] == [
        ("The shop has no segment 'at_rsk'. Did you mean 'at_risk'?", "rule.or[0]"),
        ("The shop has no product '802'.", "rule.or[1]"),
    ]


def test_of_many_unknown_names_what_was_meant_is_looked_for_a_few_times() -> None:
    """Each time all names of the shop are compared, which takes a tenth of a second of 5,000."""
    stored = {"some": [var("cart.tags"), {"in": [var(""), [f"skis{number}" for number in range(50)]]}]}
    said = [each.message for each in told(stored, Shop("EUR", {"tag": frozenset({"skis"})}))]
    assert len(said) == 50
    assert [each.endswith(" Did you mean 'skis'?") for each in said] == [True] * 5 + [False] * 45


def test_collections_are_not_held_against_a_shop_of_which_none_is_known_yet() -> None:
    stored = {"in": ["winter-sale", var("cart.collections")]}
    assert told(stored, Shop("EUR", {"collection": frozenset()})) == []
    known = Shop("EUR", {"collection": frozenset({"new"})})
    assert [each.message for each in told(stored, known)] == ["The shop has no collection 'winter-sale'."]


def test_dates_that_have_passed_and_schedules_that_are_missed_are_told() -> None:
    weekend = read_rule({"in": [var("time.weekday"), ["saturday", "sunday"]]})
    shop = Shop("EUR", today=date(2026, 11, 27), schedule=weekend)
    assert kinds({"<": [var("time.date"), "2026-11-27"]}, shop) == [("over", "rule")]
    assert kinds({"<=": [var("time.date"), "2026-11-27"]}, shop) == []
    assert kinds({"==": [var("time.weekday"), "monday"]}, shop) == [("outside_schedule", "rule")]


@pytest.mark.parametrize(
    "stored",
    [
        {"and": [{">": [var("cart.subtotal"), 80]}, {"<": [var("cart.subtotal"), 100]}]},
        {"or": [{">=": [var("profile.orders"), 4]}, {"in": ["champions", var("profile.segments")]}]},
        {"<=": [18, var("time.hour"), 22]},
        {">": [{"*": [var("cart.subtotal"), 0.9]}, var("profile.aov")]},
        {"!": [{"in": [var("market.country"), ["DE", "AT"]]}]},
    ],
)
def test_of_a_rule_that_is_fine_nothing_is_told(stored: Any) -> None:
    assert told(stored) == []


def _as_declared(field: Field) -> st.SearchStrategy[Any]:
    if not field.is_number:
        return made.fact(field)
    most = 6 if field.most is None else field.most
    if field.whole:
        return st.integers(0, int(most))
    return st.sampled_from([0, 0.1, 0.2, 0.3, 0.5, 1]) if most == 1 else made.amounts.filter(lambda n: n >= 0)


declared = st.fixed_dictionaries(
    {}, optional={name: st.none() | _as_declared(FIELDS[name]) for name in made.USED}
)


def read(stored: Any) -> Any:
    try:
        return read_rule(stored)
    except RuleError:
        assume(False)


@settings(max_examples=200, deadline=None)
@given(stored=made.rules, several=st.lists(declared, min_size=1, max_size=8))
def test_what_is_told_is_so(stored: Any, several: list[dict[str, Any]]) -> None:
    found = {each.kind: each for each in findings(read(stored), EUR)}
    for facts in several:
        if "never_matches" in found:
            assert not judge.holds(stored, facts)
        if "matches_everyone" in found and "known" not in found["matches_everyone"].message:
            assert judge.holds(stored, facts)


@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(made.rules, min_size=2, max_size=4),
    several=st.lists(declared, min_size=1, max_size=8),
)
def test_a_part_that_is_said_to_change_nothing_changes_nothing(
    parts: list[Any], several: list[dict[str, Any]]
) -> None:
    for operator, kind in (("and", "always_holds"), ("or", "never_holds")):
        for each in findings(read({operator: parts}), EUR):
            for at in range(len(parts)):
                if each.kind == kind and each.path == f"rule.{operator}[{at}]":
                    without = {operator: parts[:at] + parts[at + 1 :]}
                    for facts in several:
                        assert judge.holds({operator: parts}, facts) is judge.holds(without, facts)


@settings(max_examples=200, deadline=None)
@given(stored=made.rules, facts=made.facts)
def test_the_index_never_leaves_out_a_rule_that_holds(stored: Any, facts: dict[str, Any]) -> None:
    if judge.holds(stored, facts):
        assert Index([read(stored).root]).candidates(facts) == 0b1


def test_the_index_leaves_out_what_plainly_does_not_hold() -> None:
    stored = [
        {"and": [{"==": [var("market.country"), country]}, {">": [var("cart.subtotal"), amount]}]}
        for country in ("DE", "FR")
        for amount in (10, 20, 30)
    ]
    index = Index([read_rule(each).root for each in stored])
    assert index.candidates({"market.country": "FR", "cart.subtotal": 25}) == 0b11000
    assert index.candidates({"market.country": "FR", "cart.subtotal": 10}) == 0
    assert index.candidates({"cart.subtotal": 99}) == 0
