"""What a rule decides, beside a plain reading of the documentation and beside JSONLogic itself."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from datalogic_py import Engine, EvaluateError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.errors import RuleError
from app.rules.compiled import compiled, matching_of
from app.rules.expression import read_rule, reads
from app.rules.fields import FIELDS
from app.rules.index import bits
from app.rules.lists import LONG, answered_ahead
from app.rules.program import program
from tests.rules import judge, made

# Moments, dates and lengths of time, each as it can be written in several ways.
SAID_TWICE = (
    "1d", "24h", "1440m", "86400s", "86400", "2026-11-25T00:00:00Z", "2026-11-25T01:00:00+01:00",
    "2026-11-25", "20261125", "0d", "0h", "0", "", "true", "null",
)  # fmt: skip
JSONLOGIC = Engine(config={"division_by_zero": "throw_error"})
LOYAL_AND_RICH: Any = {
    "and": [
        {">": [{"var": "cart.subtotal"}, 80]},
        {"or": [{">=": [{"var": "profile.orders"}, 4]}, {"in": ["champions", {"var": "profile.segments"}]}]},
    ]
}


def read(stored: Any) -> Any:
    """Return the rule, if made by chance it can be one."""
    try:
        return read_rule(stored)
    except RuleError:
        assume(False)


def told_apart(data: Any) -> Any:
    """Return the same without the two texts that the library takes for one length of time."""
    return json.loads(json.dumps(data).replace("24h", "a day"))


def nested(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts as JSONLogic's own `var` finds them: `{"cart": {"subtotal": 80}}`."""
    groups: dict[str, Any] = {}
    for name, value in facts.items():
        group, _, own = name.partition(".")
        groups.setdefault(group, {})[own] = value
    return groups


def test_a_rule_reads_the_fields_it_names_and_no_other() -> None:
    assert reads(read_rule(LOYAL_AND_RICH)) == {"cart.subtotal", "profile.orders", "profile.segments"}


def test_a_rule_holds_for_the_facts_it_speaks_of() -> None:
    holds = compiled(read_rule(LOYAL_AND_RICH))
    assert holds({"cart.subtotal": 80.01, "profile.orders": 4})
    assert holds({"cart.subtotal": 90, "profile.orders": 1, "profile.segments": ("new", "champions")})
    assert not holds({"cart.subtotal": 80, "profile.orders": 4})
    assert not holds({})


@settings(max_examples=400, deadline=None)
@given(stored=made.rules, facts=made.facts)
def test_a_rule_decides_what_the_documentation_says(stored: Any, facts: dict[str, Any]) -> None:
    assert compiled(read(stored))(facts) is judge.holds(stored, facts)


@settings(max_examples=400, deadline=None)
@given(stored=made.plain_rules, facts=made.all_facts)
def test_with_all_facts_known_a_rule_decides_what_jsonlogic_says(stored: Any, facts: dict[str, Any]) -> None:
    stored = told_apart(stored)
    rule, facts = read(stored), told_apart(facts)
    try:
        said = JSONLOGIC.eval(stored, nested(facts))
    except EvaluateError:
        assume(False)  # it divided by zero, which ends the whole rule there and one comparison here
    assert compiled(rule)(facts) is bool(said)


@settings(max_examples=120, deadline=None)
@given(many=st.lists(made.rules, min_size=1, max_size=12), facts=made.facts)
def test_many_rules_at_once_decide_what_each_decides_alone(many: list[Any], facts: dict[str, Any]) -> None:
    rules = [read(each) for each in many]
    alone = [at for at, rule in enumerate(rules) if compiled(rule)(facts)]
    assert list(matching_of(rules)(facts)) == alone


@settings(max_examples=300, deadline=None)
@given(many=st.lists(made.rules, min_size=1, max_size=6), facts=made.facts, more=st.integers(0, 2 * LONG))
def test_of_long_lists_rules_decide_what_the_documentation_says(
    many: list[Any], facts: dict[str, Any], more: int
) -> None:
    others = tuple(f"other {at}" for at in range(more))
    facts |= {name: (*facts[name], *others) for name in made.LISTS if facts.get(name) is not None}
    rules = [read(each) for each in many]
    expected = [at for at, stored in enumerate(many) if judge.holds(stored, facts)]
    assert list(matching_of(rules)(facts)) == expected


def test_of_long_lists_the_library_is_told_answers_and_compares_no_texts() -> None:
    """With each text of a cart it compared each of a rule: 500 rules that a merchant made held up all shops
    of the process for seconds."""
    tags = {"var": "cart.tags"}
    asked: list[Any] = [
        {"some": [tags, {"in": [{"var": ""}, [f"text {at}" for at in range(900)]]}]},
        {"!": [{"in": ["text 1", tags]}]},
        {"in": [{"var": "product.vendor"}, tags]},
    ]
    root, questions = answered_ahead(read_rule({"or": [{"and": asked}, *asked]}).root, "list")
    assert len(questions) == 6
    assert "text" not in json.dumps(program(root))
    assert "product.vendor" not in json.dumps(program(root))


def test_rules_that_nobody_wants_any_more_are_not_asked() -> None:
    matching, wanted = matching_of([read_rule(True)] * 40), [0, 3, 39]

    def still() -> int:
        return bits(wanted)

    found = matching({}, still)
    assert [next(found), next(found)] == [0, 3]
    wanted.remove(39)
    assert list(found) == [39]  # it was asked together with the first ones
    assert list(matching({}, still)) == [0, 3]


strange = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(2**62, 2**70), st.floats(), st.text(max_size=4),
    st.just("\ud800"), st.tuples(st.text(max_size=3)), st.tuples(st.integers()),
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(
    many=st.lists(made.rules, min_size=1, max_size=6),
    facts=st.fixed_dictionaries({}, optional={name: strange for name in FIELDS if name in made.USED}),
)
def test_facts_of_any_kind_are_decided_on(many: list[Any], facts: dict[str, Any]) -> None:
    rules = [read(each) for each in many]
    alone = [at for at, rule in enumerate(rules) if compiled(rule)(facts)]
    assert list(matching_of(rules)(facts)) == alone


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({"<": [{"var": "profile.orders"}, 2]}, False),
        ({"!=": [{"var": "profile.orders"}, 2]}, False),
        ({"!": [{">": [{"var": "profile.orders"}, 2]}]}, True),
        ({"==": [{"var": "profile.orders"}, None]}, True),
        ({"none": [{"var": "cart.tags"}, {"in": [{"var": ""}, ["a"]]}]}, False),
        ({"<": [{"+": [{"var": "profile.orders"}, 1]}, 2]}, False),
    ],
)
def test_what_is_not_known_is_less_than_nothing_and_equal_to_nothing(stored: Any, expected: bool) -> None:
    assert compiled(read_rule(stored))({}) is expected


def test_a_division_by_zero_spoils_its_own_comparison_only() -> None:
    each_line = {">": [{"/": [{"var": "cart.subtotal"}, {"var": "cart.lines"}]}, 10]}
    holds = compiled(read_rule({"or": [each_line, {"==": [{"var": "cart.lines"}, 0]}]}))
    assert holds({"cart.subtotal": 30, "cart.lines": 2})
    assert not holds({"cart.subtotal": 20, "cart.lines": 2})
    assert holds({"cart.subtotal": 30, "cart.lines": 0})


def test_half_a_character_in_a_fact_makes_it_unknown() -> None:
    rule = read_rule({"==": [{"var": "product.vendor"}, None]})
    assert compiled(rule)({"product.vendor": "\ud800"})
    found = matching_of([rule, read_rule(True)])({"product.vendor": "\ud800", "time.hour": 2**80})
    assert list(found) == [0, 1]


@pytest.mark.parametrize("one", SAID_TWICE)
@pytest.mark.parametrize("other", SAID_TWICE)
def test_two_texts_are_equal_when_their_letters_are(one: str, other: str) -> None:
    vendor, tags = {"var": "product.vendor"}, {"var": "cart.tags"}
    each_in = {"in": [{"var": ""}, [one]]}
    asked = [
        {"==": [vendor, one]}, {"in": [vendor, ["x", one]]}, {"in": [one, tags]}, {"some": [tags, each_in]},
        {"!": [{"!=": [vendor, one]}]}, {"!": [{"none": [tags, each_in]}]},
    ]  # fmt: skip
    assert not compiled(read_rule({"in": [vendor, ["", one]]}))({})
    facts = {"product.vendor": other, "cart.tags": (other,)}
    assert [compiled(read_rule(each))(facts) for each in asked] == [one == other] * len(asked)
    assert compiled(read_rule({"in": [vendor, tags]}))({"product.vendor": other, "cart.tags": (one,)}) is (
        one == other
    )


def test_a_rule_is_run_by_whatever_thread_asks() -> None:
    matching = matching_of([read_rule(LOYAL_AND_RICH)])
    found: list[list[int]] = []
    facts = {"cart.subtotal": 90, "profile.orders": 4}
    threads = [threading.Thread(target=lambda: found.append(list(matching(facts)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[0]] * 4
