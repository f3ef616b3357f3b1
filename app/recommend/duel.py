"""Compares challenger and champion on carts later than all that either was trained on. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.recommend.appeal import with_appeal
from app.recommend.card import Card
from app.recommend.cases import make_cases
from app.recommend.dataset import Baskets, Dataset
from app.recommend.judge import ndcg_of
from app.recommend.metrics import Interval, paired_interval
from app.recommend.model import Model
from app.recommend.recount import recounted

MOST_CASES = 3_000
FEWEST_CASES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Champion:
    """The version that serves."""

    card: Card
    model: Model


@dataclass(frozen=True, slots=True)
class Duel:
    """The result. difference: NDCG@10 of the challenger minus the champion's. cases: how many carts."""

    champion: str
    cases: int
    difference: Interval


def duel(
    champion: Champion,
    dataset: Dataset,
    test: Baskets,
    challenger_until: Callable[[Baskets], Model],
    seed: int,
) -> Duel | None:
    """Return how the challenger compares with the champion, None with fewer than 20 carts to compare on.

    Both have neighbours and best sellers counted up to the same moment: the later of the champion's
    training and the test's begin. challenger_until: the challenger that has learnt these orders.
    """
    trained_at = int(champion.card.trained_at.timestamp())
    first = int(np.searchsorted(test.times, trained_at, side="right"))
    later = test.between(first, len(test))
    until = dataset.baskets.between(0, len(dataset.baskets) - len(later))
    cases = make_cases(dataset, until, later, most=MOST_CASES, seed=seed)
    if len(cases) < FEWEST_CASES or not len(until):
        return None
    # The challenger learns products' appeal only once it may serve.
    theirs = with_appeal(recounted(champion.model, champion.card, replace(dataset, baskets=until)), None)
    ours, champions = (ndcg_of(model, cases) for model in (challenger_until(until), theirs))
    return Duel(champion.card.version, len(cases), paired_interval(ours, champions, seed))
