from __future__ import annotations

from typing import Any

import pytest

from app.campaigns.recheck import MOST, Marks, marks_of
from app.campaigns.templates import TEMPLATES
from app.rules.expression import read_rule
from tests.campaigns.factories import a_campaign, a_plan


def var(name: str) -> dict[str, str]:
    return {"var": name}


@pytest.mark.parametrize(
    ("rule", "times", "soon"),
    [
        (True, set(), False),
        ({">": [var("cart.subtotal"), 100]}, set(), False),
        ({"in": ["champions", var("profile.segments")]}, set(), False),
        ({">=": [var("checkout.dwell_s"), 60]}, {61}, False),
        ({"<": [60, var("checkout.dwell_s")]}, {61}, False),
        ({"<": [30, var("checkout.dwell_s"), 90]}, {31, 91}, False),
        ({"!": {">=": [var("checkout.dwell_s"), 2.5]}}, {4}, False),
        ({">=": [var("checkout.dwell_s"), 86_400]}, set(), False),
        ({">=": [var("visit.dwell_s"), 180]}, {195}, True),
        ({"or": [{">=": [var("visit.idle_s"), 600]}, var("visit.exit_intent")]}, {615}, True),
        ({">=": [var("visit.errors"), 2]}, {60}, True),
        ({">=": [var("checkout.errors"), 1]}, {60}, False),
        ({"<": [var("intent.now"), 0.2]}, {60}, True),
        ({">": [var("visit.viewed_dearest_price"), 1000]}, set(), True),
        ({">=": [var("checkout.dwell_s"), var("visit.idle_s")]}, {60}, True),
        ({">=": [{"+": [var("checkout.dwell_s"), 5]}, 60]}, {60}, False),
    ],
)
def test_a_rule_may_hold_when_a_time_of_its_is_over(rule: Any, times: set[int], soon: bool) -> None:
    assert marks_of(read_rule(rule)) == Marks(frozenset(times), soon)


@pytest.mark.parametrize(("evidence", "marks"), [(1, (set(), False)), (2, (set(), True)), (3, ({61}, True))])
def test_what_needs_more_evidence_than_a_first_question_has_may_apply_later(
    evidence: int, marks: tuple[set[int], bool]
) -> None:
    assert marks_of(read_rule(True), evidence) == marks


@pytest.mark.parametrize(
    ("name", "times", "soon"),
    [
        ("viewed-dear", set(), True),
        ("hesitant-helped", {61, 195}, True),
        ("high-value-leaves", {615}, True),
        ("cold-introduced", set(), True),
        ("loyal-thanked", set(), False),
        ("free-shipping", set(), False),
    ],
)
def test_what_is_shipped_is_asked_for_when_it_may_apply(name: str, times: set[int], soon: bool) -> None:
    campaign = TEMPLATES[name].campaign
    assert marks_of(read_rule(campaign.rule), campaign.evidence) == (times, soon)


def test_a_page_asks_at_the_first_times_of_what_comes_to_the_top() -> None:
    rules = [{">=": [var("checkout.dwell_s"), seconds]} for seconds in range(90, 0, -10)]
    many = [a_campaign(f"c{number}", rule=rule) for number, rule in enumerate(rules)]
    bar = {"kind": "progress", "key": "progress.free_shipping", "target": "500"}
    plan = a_plan(*many, a_campaign("bar", rule={">": [var("checkout.dwell_s"), 1]}, offer=bar))
    assert [time for time, _ in plan.timed] == [11, 21, 31, 41][:MOST]
    assert [[each.id for each in campaigns] for _, campaigns in plan.timed] == [
        ["c8"],
        ["c7"],
        ["c6"],
        ["c5"],
    ]
