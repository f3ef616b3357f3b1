"""Products that were never sold get their chance: seldom, repeatably, and with its odds written down."""

from __future__ import annotations

import numpy as np
import pytest

from app.offers.choose import EXPLORED, EXPLORED_AMONG, MOST_OFFERS, choose, propensities
from app.offers.wire import Offer
from tests.offers.factories import a_product, a_shop, a_situation, goes_together

LINKS = {(10, other): 0.9 - other / 1000 for other in (20, 30, 40)}
NEW = (50, 60)
SHOP = a_shop(
    *(a_product(n) for n in range(10, 70, 10)),
    model=goes_together(LINKS, items=6, orders=np.array([5, 5, 5, 5, 0, 0], dtype=np.int32)),
)
DECISIONS = [f"decision-{n}" for n in range(2_000)]


def ids(offers: tuple[Offer, ...]) -> list[int]:
    return [int(offer.product.product_id.rpartition("/")[2]) for offer in offers]


def offered(decision_id: str) -> list[int]:
    return ids(choose(SHOP, a_situation(10, decision_id=decision_id)))


def test_one_decision_in_ten_ends_on_a_new_product_and_the_others_never_do() -> None:
    lists = {decision_id: offered(decision_id) for decision_id in DECISIONS}
    explored = [one for one in lists.values() if set(one) & set(NEW)]
    # 2,000 decisions at 0.1: 200 expected, four deviations are 4 * sqrt(2000 * 0.1 * 0.9) = 54.
    assert 146 <= len(explored) <= 254
    assert all(one[:-1] == [20, 30] and one[-1] in NEW for one in explored)
    assert {one[-1] for one in explored} == set(NEW)


def test_the_same_decision_explores_the_same() -> None:
    assert [offered(one) for one in DECISIONS[:50]] == [offered(one) for one in DECISIONS[:50]]


def test_propensities_are_the_odds_of_the_last_place() -> None:
    for decision_id in DECISIONS[:200]:
        situation = a_situation(10, decision_id=decision_id)
        last = EXPLORED / len(NEW) if offered(decision_id)[-1] in NEW else 1 - EXPLORED
        assert propensities(SHOP, situation, MOST_OFFERS) == pytest.approx([1, 1, last])
    assert len(NEW) < EXPLORED_AMONG


def test_nothing_is_left_to_chance_where_nothing_is_new_or_nothing_is_personal() -> None:
    known = a_shop(model=goes_together({(10, 30): 0.9}))
    assert propensities(known, a_situation(10), 3) == [1, 1, 1]
    assert propensities(SHOP, a_situation(10, arm="static"), 3) == [1, 1, 1]
