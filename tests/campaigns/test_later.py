from __future__ import annotations

from typing import Any

import pytest

from app.campaigns.later import LATEST_S, MOST, SOON_S, marks_of, next_mark
from app.campaigns.templates import TEMPLATES
from app.rules.expression import read_rule


def var(name: str) -> dict[str, str]:
    return {"var": name}


@pytest.mark.parametrize(
    ("rule", "marks"),
    [
        (True, set()),
        ({">": [var("cart.subtotal"), 100]}, set()),
        ({"in": ["champions", var("profile.segments")]}, set()),
        ({">=": [var("checkout.dwell_s"), 60]}, {61}),
        ({"<": [60, var("checkout.dwell_s")]}, {61}),
        ({"<": [30, var("checkout.dwell_s"), 90]}, {31, 91}),
        ({"!": {">=": [var("checkout.dwell_s"), 2.5]}}, {4}),
        ({">=": [var("checkout.dwell_s"), 86_400]}, {LATEST_S}),
        ({">=": [var("visit.dwell_s"), 180]}, {*SOON_S, 195}),
        ({"or": [{">=": [var("visit.idle_s"), 600]}, var("visit.exit_intent")]}, {*SOON_S, 615}),
        ({">=": [var("visit.errors"), 2]}, {*SOON_S, 60}),
        ({">=": [var("checkout.errors"), 1]}, {60}),
        ({"<": [var("intent.now"), 0.2]}, {*SOON_S, 60}),
        ({">": [var("visit.viewed_dearest_price"), 1000]}, {*SOON_S}),
        ({">=": [var("checkout.dwell_s"), var("visit.idle_s")]}, {*SOON_S, 60}),
        ({">=": [{"+": [var("checkout.dwell_s"), 5]}, 60]}, {60}),
    ],
)
def test_a_rule_may_say_something_else_when_a_time_of_its_is_over(rule: Any, marks: set[int]) -> None:
    assert marks_of(read_rule(rule)) == marks


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("viewed-dear", {*SOON_S}),
        ("hesitant-helped", {*SOON_S, 61, 195}),
        ("high-value-leaves", {*SOON_S, 615}),
        ("cold-introduced", {*SOON_S}),
        ("loyal-thanked", set()),
        ("free-shipping", set()),
    ],
)
def test_what_is_shipped_is_asked_for_when_it_may_apply(name: str, marks: set[int]) -> None:
    assert marks_of(read_rule(TEMPLATES[name].campaign.rule)) == marks


@pytest.mark.parametrize(
    ("stayed_s", "seconds"), [(0, 5), (4.9, 1), (5, 56), (60.5, 1), (61, 134), (195, None), (10_000, None)]
)
def test_the_next_mark_is_so_many_seconds_away(stayed_s: float, seconds: int | None) -> None:
    assert next_mark({195, 5, 61}, stayed_s) == seconds


def test_a_page_is_asked_for_at_the_first_marks_only() -> None:
    many = range(10, 1_000, 10)
    asked = [mark for mark in many if next_mark(many, mark - 1) == 1]
    assert asked == list(many)[:MOST]
    assert next_mark([], 0) is None
