"""Who may serve: a challenger that holds its own, on figures that say so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from app.recommend.assemble import Recipe
from app.recommend.card import OURS, Card, Decision
from app.recommend.duel import Duel
from app.recommend.gate import decide
from app.recommend.judge import RankingMetrics
from app.recommend.metrics import Interval
from app.recommend.neighbours import CosineParameters
from app.recommend.report import Report
from app.recommend.terms import Weights


def a_report(ours: float = 0.2, popularity: float = 0.1, **changes: Any) -> Report:
    figures = {
        OURS: RankingMetrics(0.2, ours, 0.4, 0.5),
        "popularity": RankingMetrics(0.1, popularity, 0.2, 0.01),
    }
    fields: dict[str, Any] = {
        "cases": 50,
        "discoveries": 0,
        "cold_cases": 0,
        "seed": 0,
        "counts": {"products": 9},
        "figures": figures,
        "interval": Interval(ours, 0, 1),
        "differences": {"popularity": Interval(ours - popularity, -0.1, 0.1)},
        "discovery": {},
        "discovery_differences": {},
        "rungs": {},
        "rung_losses": {},
        "segments": {},
        "same_kind_really": 0.1,
        "recipe": Recipe("blend", Weights(), CosineParameters()),
    }
    return Report(**(fields | changes))


@pytest.mark.parametrize(("ours", "serves"), [(0.2, True), (0.1, True), (0.0999, False)])
def test_a_model_worse_than_popularity_does_not_serve(ours: float, serves: bool) -> None:
    decision = decide(a_report(ours, 0.1), "blend")
    assert decision.publish is serves
    assert "popularity's 0.1000 on 50 later carts" in decision.reason


@pytest.mark.parametrize(("high", "serves"), [(0.001, True), (-0.001, False)])
def test_a_model_worse_than_a_plain_one_beyond_chance_does_not_serve(high: float, serves: bool) -> None:
    report = a_report(differences={"own repeats": Interval(-0.01, -0.02, high)})
    assert decide(report, "blend").publish is serves


@pytest.mark.parametrize(("high", "serves"), [(0.001, True), (-0.001, False)])
def test_a_champion_that_is_better_beyond_chance_stays(high: float, serves: bool) -> None:
    decision = decide(a_report(duel=Duel("v7", 40, Interval(-0.03, -0.05, high))), "blend")
    assert decision.publish is serves
    assert serves or decision.reason == (
        "the champion v7 is better by 0.0300 NDCG@10 on 40 carts that neither has seen"
    )


def test_a_shop_with_nothing_to_test_on_is_served_by_default_weights() -> None:
    assert decide(None, "content").publish
    assert "content with default weights" in decide(None, "content").reason


def test_an_untested_model_does_not_take_the_place_of_a_tested_champion() -> None:
    tested = Card(
        trained_at=datetime(2026, 11, 24, tzinfo=UTC), basis="blend", weights=Weights(), counts={},
        parameters={}, figures={OURS: {"ndcg_at_10": 0.2}}, decision=Decision(True, ""), libraries={},
        version="v7",
    )  # fmt: skip
    decision = decide(None, "content", tested)
    assert not decision.publish
    assert decision.reason == "too few later orders to test on; the champion v7 was tested and stays"
    assert decide(None, "content", msgspec.structs.replace(tested, figures={})).publish
