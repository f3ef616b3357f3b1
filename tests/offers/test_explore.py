"""Products that were never sold get their chance: seldom, repeatably, and with its odds written down."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from app.catalog.catalog import Variant
from app.offers.choose import EXPLORED, EXPLORED_AMONG, choose, propensities
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
        offers = choose(SHOP, situation)
        last = EXPLORED / len(NEW) if ids(offers)[-1] in NEW else 1 - EXPLORED
        assert propensities(SHOP, situation, offers) == pytest.approx([1, 1, last])
    assert len(NEW) < EXPLORED_AMONG


def test_propensities_are_the_shares_of_decisions_where_new_ones_were_sent_away_and_stand_first() -> None:
    """Of nine new products two lead and one was sent away, so that five of six are tried."""
    new = range(50, 140, 10)
    links = {(10, 20): 0.9, (10, 50): 0.95, (10, 60): 0.94}
    orders = np.array([5, 5, 5, 5] + [0] * len(new), dtype=np.int32)
    shop = a_shop(*map(a_product, range(10, 140, 10)), model=goes_together(links, items=13, orders=orders))
    shares: Counter[int] = Counter()
    for decision_id in DECISIONS:
        situation = a_situation(10, decision_id=decision_id, sent_away=(70,))
        offers = choose(shop, situation)
        assert ids(offers)[:2] == [50, 60]
        shares[ids(offers)[-1]] += 1
        told = propensities(shop, situation, offers)[-1]
        assert told == pytest.approx(EXPLORED / EXPLORED_AMONG if ids(offers)[-1] in new else 1 - EXPLORED)
    # 40 expected of each, four deviations are 25.
    assert sorted(set(shares) - {20}) == list(new)[3 : 3 + EXPLORED_AMONG]
    assert all(15 <= shares[each] <= 65 for each in set(shares) - {20})


def test_what_is_never_offered_is_neither_tried_nor_a_default() -> None:
    """The last unit may be gone before the order is placed; a merchant's pin outweighs that."""
    last = (Variant(1050, "", 500, in_stock=True, stock=1),)
    products = [a_product(n) for n in (10, 20, 30, 40, 60)]
    model = goes_together(LINKS, items=6, orders=np.array([5, 5, 5, 5, 0, 0], dtype=np.int32))
    shop = a_shop(*products, a_product(50, variants=last), model=model)
    assert shop.unsold == {60}
    assert 50 not in [pick.product_id for pick in shop.defaults]
    tried = {ids(choose(shop, a_situation(10, decision_id=each)))[-1] for each in DECISIONS[:200]}
    assert tried == {40, 60}
    pinned = a_shop(*products, a_product(50, variants=last), model=model, settings={"pinned": [50]})
    assert pinned.defaults[0].product_id == 50


def test_nothing_is_left_to_chance_where_nothing_is_new_or_nothing_is_personal() -> None:
    known = a_shop(model=goes_together({(10, 30): 0.9}))
    for shop, situation in ((known, a_situation(10)), (SHOP, a_situation(10, arm="static"))):
        assert propensities(shop, situation, choose(shop, situation)) == [1, 1, 1]
