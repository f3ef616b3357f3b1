from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.offers.choose import choose
from app.offers.considered import Considered, considered
from app.offers.rerank import NEVER
from app.values import shopify_id
from tests.offers.factories import a_product, a_shop, a_situation, goes_together

LINKS = {(10, 20): 0.9, (10, 30): 0.6, (10, 40): 0.3}


def by_product(found: list[Considered]) -> dict[int, Considered]:
    return {each.product_id: each for each in found}


def test_without_a_model_nothing_was_ranked() -> None:
    assert considered(a_shop(), a_situation(10)) == []


def test_where_there_was_no_place_for_products_none_was_ranked() -> None:
    shop = a_shop(model=goes_together(LINKS))
    assert [considered(shop, a_situation(10, wants=wants)) for wants in ("messages", "message")] == [[], []]
    assert considered(shop, a_situation(10, wants="products"))


def test_what_took_a_product_out_is_told() -> None:
    shop = a_shop(model=goes_together(LINKS))
    found = by_product(considered(shop, a_situation(10, sent_away=(20,))))
    assert ("said_no", NEVER) in found[20].steps
    assert (found[20].place, found[30].place, found[40].place) == (None, 1, 2)


def test_what_moved_a_product_is_told() -> None:
    products = [a_product(n, 99_000 if n == 20 else 500) for n in (10, 20, 30, 40)]
    shop = a_shop(*products, model=goes_together(LINKS), settings={"boosts": {"40": 5}})
    found = by_product(considered(shop, a_situation(10)))
    assert dict(found[20].steps)["price_to_cart"] < 0
    assert dict(found[40].steps)["boosts"] > 0


def test_products_of_one_type_count_against_each_other() -> None:
    products = [a_product(n, product_type="tea" if n > 10 else "cup") for n in (10, 20, 30, 40)]
    found = by_product(considered(a_shop(*products, model=goes_together(LINKS)), a_situation(10)))
    assert [found[n].alike for n in (20, 30, 40)] == [0, 1, 2]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([20, 30, 40]), max_size=2, unique=True),
    st.lists(st.sampled_from([20, 30, 40]), max_size=3, unique=True),
    st.dictionaries(st.sampled_from(["20", "30", "40"]), st.floats(0.1, 10), max_size=3),
)
def test_what_is_told_to_be_chosen_is_what_is_offered(
    sent_away: list[int], viewed: list[int], boosts: dict[str, float]
) -> None:
    shop = a_shop(model=goes_together(LINKS), settings={"boosts": boosts})
    situation = a_situation(10, sent_away=tuple(sent_away), viewed=tuple(viewed))
    told = sorted(
        (each for each in considered(shop, situation) if each.place), key=lambda each: each.place or 0
    )
    offered = [shopify_id(offer.product.product_id) for offer in choose(shop, situation) if offer.product]
    assert [each.product_id for each in told] == offered
    assert [each.total for each in told] == sorted((each.total for each in told), reverse=True)
