"""Challenger and champion meet on carts that neither has learnt from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import msgspec
import numpy as np

from app.recommend.dataset import Dataset
from app.recommend.duel import Champion, duel
from app.recommend.evaluate import hold_out
from app.recommend.fit import FitParameters
from app.recommend.recount import recounted
from app.recommend.report import Report
from app.recommend.terms import Weights
from app.recommend.train import train
from tests.recommend.shops import a_shop

SMALL = FitParameters(dimensions=8, epochs=3)
SHOP = a_shop(900)  # an hour apart, from New Year on
TEST = SHOP.split().test


@cache
def learnt() -> Champion:
    """Return a champion that learnt from the first 600 orders of the shop."""
    trained = train(
        replace(SHOP, baskets=SHOP.baskets.between(0, 600)), SMALL, datetime(2026, 3, 1, tzinfo=UTC)
    )
    return Champion(trained.card, trained.model)


def champion_of(orders: int) -> Champion:
    """Return it as one that was trained after so many orders: when is all that a duel asks of that."""
    then = datetime.fromtimestamp(int(SHOP.baskets.times[orders - 1]), UTC)
    card = msgspec.structs.replace(learnt().card, version=f"after-{orders}", trained_at=then)
    return Champion(card, learnt().model)


def meets(champion: Champion, challenger: Champion, shop: Dataset = SHOP) -> object:
    """Return how they do, both with the same orders counted."""
    return duel(
        champion,
        shop,
        TEST,
        lambda until: recounted(challenger.model, challenger.card, replace(shop, baskets=until)),
        seed=0,
    )


def test_a_champion_beside_itself_is_as_good() -> None:
    champion = champion_of(600)
    found = meets(champion, champion)
    assert found is not None
    assert (found.difference.low, found.difference.high) == (0, 0)  # type: ignore[attr-defined]
    assert found.cases == (TEST.sizes >= 2).sum()  # type: ignore[attr-defined]


def test_a_worse_challenger_is_worse_beyond_chance() -> None:
    champion = champion_of(600)
    backwards = replace(
        champion.model, weights=Weights(together=-1.0), shifts=np.zeros_like(champion.model.shifts)
    )
    found = meets(champion, Champion(champion.card, backwards))
    assert found.difference.high < 0  # type: ignore[union-attr]


def test_only_carts_after_the_champions_training_count() -> None:
    found = meets(champion_of(850), champion_of(600))
    assert found.cases == (SHOP.baskets.between(850, 900).sizes >= 2).sum()  # type: ignore[union-attr]


def test_a_champion_of_today_leaves_nothing_to_compare_on() -> None:
    assert meets(champion_of(900), champion_of(600)) is None


@cache
def held_out(champion: int) -> tuple[Report, int]:
    """Return the report beside the champion of so many orders, and how often it was learnt for the test."""
    stages: list[str] = []
    report = hold_out(SHOP, SMALL, lambda step: stages.append(step.stage), champion=champion_of(champion))
    assert report is not None
    return report, stages.count("learning to test")


def test_a_report_tells_of_the_duel() -> None:
    report, _ = held_out(600)
    assert report.duel is not None
    assert report.duel.champion == "after-600"


def test_the_challenger_meets_the_champion_having_learnt_as_late_orders() -> None:
    report, learnt = held_out(600)
    assert report.recipe.basis == "blend"
    assert learnt == 2 * SMALL.epochs  # for the plain models, then for the champion
    _, learnt = held_out(900)
    assert learnt == SMALL.epochs  # nothing is later than what that has learnt
