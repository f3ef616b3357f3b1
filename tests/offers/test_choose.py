import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.offers.choose import MOST_OFFERS, choose, offer_id
from app.offers.wire import Message, Offer, OfferedProduct, Why
from app.recommend.model import Weights
from tests.offers.factories import a_product, a_shop, a_situation, goes_together

PRODUCTS = [a_product(n) for n in (10, 20, 30, 40)]


def ids(offers: tuple[Offer, ...]) -> list[int]:
    return [int(offer.product.product_id.rpartition("/")[2]) for offer in offers]


def test_what_goes_with_the_cart_is_offered_first_and_says_with_what() -> None:
    shop = a_shop(model=goes_together({(10, 30): 0.9}))
    best = choose(shop, a_situation(10))[0]
    assert best == Offer(
        offer_id=offer_id("d", 30),
        kind="upsell",
        slot="main",
        product=OfferedProduct(
            product_id="gid://shopify/Product/30",
            variant_id="gid://shopify/ProductVariant/1030",
            title="Product 30",
            price="5.00",
            currency="USD",
            image=None,
        ),
        message=Message("upsell.bought_together", {"with": "Product 10"}),
        why=(Why("bought_together", 1.0, "gid://shopify/Product/10"),),
    )


def test_prices_have_the_decimals_of_the_shops_currency() -> None:
    shop = a_shop(*PRODUCTS, model=goes_together({}), currency="JPY")
    assert choose(shop, a_situation(10))[0].product.price == "500"


@pytest.mark.parametrize(
    "products",
    [
        [a_product(10), a_product(30, in_stock=False), a_product(40)],
        [a_product(10), a_product(30, published=False), a_product(40)],
        [a_product(10), a_product(40)],
    ],
)
def test_what_cannot_be_bought_is_never_offered(products: list[object]) -> None:
    shop = a_shop(*products, model=goes_together({(10, 30): 0.9}))
    assert ids(choose(shop, a_situation(10))) == [40]


def test_what_the_merchant_excludes_is_never_offered() -> None:
    shop = a_shop(model=goes_together({(10, 30): 0.9}), excluded=frozenset({30}))
    assert 30 not in ids(choose(shop, a_situation(10)))
    assert 30 not in ids(choose(shop, a_situation(10, arm="static")))


@given(
    st.lists(st.sampled_from([10, 20, 30, 40, 999]), max_size=6), st.sampled_from(["personalised", "static"])
)
def test_what_is_in_the_cart_is_never_offered(cart: list[int], arm: str) -> None:
    shop = a_shop(model=goes_together({(10, 30): 0.9, (20, 10): 0.5}))
    offered = ids(choose(shop, a_situation(*cart, arm=arm)))
    assert not set(offered) & set(cart)
    assert len(offered) == len(set(offered)) <= MOST_OFFERS


def test_a_holdout_gets_nothing() -> None:
    assert choose(a_shop(model=goes_together({})), a_situation(10, arm="holdout")) == ()


def test_what_costs_more_than_twice_the_cart_ranks_lower() -> None:
    dear = [a_product(10), a_product(20), a_product(30, price_minor=2_001), a_product(40)]
    shop = a_shop(*dear, model=goes_together({(10, 30): 0.5, (10, 20): 0.45}))
    assert ids(choose(shop, a_situation(10, subtotal_minor=1_000)))[0] == 20  # 20.01 > 2 x 10.00
    assert ids(choose(shop, a_situation(10, subtotal_minor=1_001)))[0] == 30
    assert ids(choose(shop, a_situation(10, subtotal_minor=None)))[0] == 30


def test_offers_are_of_different_kinds_where_scores_are_close() -> None:
    typed = [
        a_product(10),
        *(a_product(n, product_type="Tea") for n in (20, 30)),
        a_product(40, product_type="Cups"),
    ]
    links = {(10, 20): 0.50, (10, 30): 0.48, (10, 40): 0.46}
    shop = a_shop(*typed, model=goes_together(links))
    assert ids(choose(shop, a_situation(10))) == [20, 40, 30]


def test_what_the_visit_looked_at_comes_up() -> None:
    shop = a_shop(model=goes_together({(10, 20): 0.50, (10, 30): 0.48}))
    assert ids(choose(shop, a_situation(10)))[0] == 20
    assert ids(choose(shop, a_situation(10, viewed=(30,))))[0] == 30


def test_what_the_shopper_said_no_to_does_not_come_back_not_even_pinned() -> None:
    shop = a_shop(model=goes_together({(10, 20): 0.50, (10, 30): 0.48}), settings={"pinned": [20]})
    assert ids(choose(shop, a_situation(10)))[0] == 20
    assert 20 not in ids(choose(shop, a_situation(10, sent_away=(20,))))


def test_an_empty_cart_is_answered_from_what_the_visit_looked_at() -> None:
    shop = a_shop(model=goes_together({(10, 30): 0.9}, weights=Weights(together=5.0)))
    assert ids(choose(shop, a_situation(viewed=(10,))))[0] == 30


def test_a_customers_own_purchases_come_up() -> None:
    shop = a_shop(model=goes_together({}, weights=Weights(repeats=1.0)))
    best = choose(shop, a_situation(10, history=((40, 3, 12.0),)))[0]
    assert ids((best,)) == [40]
    assert best.message == Message("upsell.goes_with_history", {"with": "Product 40"})


def test_a_cart_of_unknown_products_gets_best_sellers() -> None:
    assert len(choose(a_shop(model=goes_together({})), a_situation(999, 998))) == MOST_OFFERS


def test_offer_ids_belong_to_their_decision_and_product() -> None:
    assert offer_id("d", 10) == offer_id("d", 10)
    assert len({offer_id("d", 10), offer_id("d", 20), offer_id("e", 10)}) == 3
