from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.offers.choose import choose
from app.offers.ranked import RankingCache
from app.offers.situation import Situation
from app.offers.snapshot import ShopSnapshot
from tests.offers.factories import a_product, a_shop, a_situation, goes_together

LINKS = {(10, 30): 0.9, (20, 30): 0.4, (20, 40): 0.8, (40, 10): 0.3}
SHOP = a_shop(model=goes_together(LINKS))
PRODUCTS = st.sampled_from([10, 20, 30, 40, 999])
HISTORIES = st.lists(
    st.tuples(PRODUCTS, st.integers(1, 3), st.just(2.5)), max_size=2, unique_by=lambda x: x[0]
)
SITUATIONS = st.builds(
    lambda cart, history, customer, viewed, sent_away, subtotal, decision: a_situation(
        *cart, history=tuple(history), orders=3 * bool(history), customer_id=customer, viewed=tuple(viewed),
        sent_away=tuple(sent_away), subtotal_minor=subtotal, decision_id=decision,
    ),
    st.lists(PRODUCTS, max_size=2, unique=True), HISTORIES, st.sampled_from([None, 7]),
    st.lists(PRODUCTS, max_size=2, unique=True), st.lists(PRODUCTS, max_size=1),
    st.sampled_from([None, 100, 10_000]), st.sampled_from(["d", "e"]),
)  # fmt: skip


def found(shop: ShopSnapshot, known: RankingCache, *situations: Situation) -> int:
    """Return how many of the situations' rankings were there already."""
    for situation in situations:
        choose(shop, situation, known)
    return known.found


@given(st.lists(SITUATIONS, min_size=2, max_size=6))
def test_a_choice_from_kept_rankings_is_the_one_that_is_made_anew(situations: list[Situation]) -> None:
    known = RankingCache()
    for situation in (*situations, *situations):
        assert choose(SHOP, situation, known) == choose(SHOP, situation)
    assert known.found >= len(situations)


def test_a_cart_is_ranked_once_for_all_who_are_not_known() -> None:
    known = RankingCache()
    assert found(SHOP, known, a_situation(10), a_situation(10, decision_id="e", subtotal_minor=5)) == 1
    assert (known.asked, len(known)) == (2, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"cart": (20,)},
        {"cart": (10, 20)},
        {"customer_id": 7},
        {"history": ((20, 1, 3.0),), "orders": 1},
    ],
)
def test_another_cart_or_shopper_is_ranked_anew(other: dict[str, Any]) -> None:
    asked = a_situation(10)
    assert found(SHOP, RankingCache(), asked, msgspec.structs.replace(asked, **other)) == 0


def test_what_sold_out_meanwhile_is_not_offered_from_a_kept_ranking() -> None:
    known, model = RankingCache(), goes_together(LINKS)
    products = [a_product(n) for n in (10, 20, 30, 40)]
    before = choose(a_shop(*products, model=model), a_situation(10), known)
    products[2] = a_product(30, in_stock=False)
    after = choose(a_shop(*products, model=model), a_situation(10), known)
    assert "30" in str(before)
    assert {offer.product.product_id[-2:] for offer in after if offer.product} == {"20", "40"}


def test_the_ranking_asked_for_longest_ago_goes_when_there_are_too_many() -> None:
    known = RankingCache(most=2)
    first, second, third = a_situation(10), a_situation(20), a_situation(30)
    assert found(SHOP, known, first, second, first, third) == 1
    assert len(known) == 2
    assert found(SHOP, known, first) == 2
    assert found(SHOP, known, second) == 2
