from __future__ import annotations

from dataclasses import replace

from app.ahead.form import AheadOffer, AheadWhy, CustomerOffers
from app.ahead.rank import to_anyone, to_customer, to_segments, with_product
from app.catalog.catalog import Variant
from app.experiments.assign import Arm, Experiment
from app.recommend.terms import Past, Weights
from tests.offers.factories import a_product, a_shop, goes_together


def ids(offers: tuple[AheadOffer, ...]) -> list[int]:
    return [each.product_id for each in offers]


def test_a_product_is_offered_with_what_goes_with_it_and_says_so() -> None:
    shop = a_shop(model=goes_together({(10, 30): 0.9, (10, 20): 0.1}))
    offers = with_product(shop, 10)
    assert offers is not None
    assert ids(offers.offers)[:2] == [30, 20]
    assert offers.offers[0] == AheadOffer(
        30, 1030, "Product 30", "5.00", None, (AheadWhy("bought_together", 10),)
    )


def test_one_of_several_variants_says_which() -> None:
    sizes = (Variant(11, "Small", 500, in_stock=False), Variant(12, "Large", 500, in_stock=True))
    shop = a_shop(a_product(10, variants=sizes), a_product(20))
    told = {10: "Large", 20: None}
    assert {number: each.shown.variant for number, each in shop.offerable.items()} == told
    assert {each.product_id: each.variant for each in to_anyone(shop).offers} == told


def test_what_can_not_be_bought_is_in_no_list() -> None:
    products = [a_product(10), a_product(20, in_stock=False), a_product(30)]
    offers = with_product(a_shop(*products, model=goes_together({(10, 20): 0.9})), 10)
    assert offers is not None
    assert ids(offers.offers) == [30]


def test_an_unpublished_and_an_unknown_product_have_no_list() -> None:
    shop = a_shop(a_product(10, published=False), a_product(50), model=goes_together({}))
    assert with_product(shop, 10) is None
    assert with_product(shop, 50) is None  # the model does not know it yet
    assert with_product(shop, 60) is None


def test_without_a_model_only_the_shops_own_offers_are_written() -> None:
    shop = a_shop(settings={"pinned": [20], "arms": {"holdout": 1, "personalised": 3}})
    assert with_product(shop, 10) is None
    written = to_anyone(shop)
    assert (written.currency, written.salt) == ("USD", "acme.myshopify.com")
    assert written.arms == (("holdout", 0.25), ("personalised", 0.75))
    assert written.offers[0].why == (AheadWhy("merchant_pick"),)
    assert written.others == ()


def test_who_takes_part_in_a_further_experiment_can_be_told_from_the_shops_offers() -> None:
    further = Experiment("prices", (Arm("low", 0.5), Arm("high", 0.5)), ramp=0.2)
    assert to_anyone(replace(a_shop(), experiments=(further,))).others == (("prices", 0.2),)


def test_a_customer_is_offered_what_their_history_says() -> None:
    weights = Weights(repeats=1.0)
    shop = a_shop(model=goes_together({}, weights=weights))
    offers = to_customer(shop, 7, {20: Past(3, 10.0)}, 3, ("loyal",))
    assert offers is not None
    assert (offers.segment, ids(offers.offers)[0]) == ("loyal", 20)
    assert offers.offers[0].why == (AheadWhy("goes_with_history", 20),)


def test_a_customer_without_a_history_has_their_segment_and_nobody_nothing() -> None:
    shop = a_shop(model=goes_together({}))
    assert to_customer(shop, 7, {}, 0, ("new",)) == CustomerOffers(1, "new", ())
    assert to_customer(shop, 7, {}, 0, ()) is None


def test_a_segment_is_offered_what_its_customers_lists_agree_on() -> None:
    one, other = offer(10), offer(20)
    # 10: 4 times 1 and once 1/2; 20: once 1 and 4 times 1/2
    lists = [CustomerOffers(1, "loyal", (one, other))] * 4 + [CustomerOffers(1, "loyal", (other, one))]
    ((name, offers),) = to_segments([*lists, *[CustomerOffers(1, "new", (other,))] * 4])
    assert (name, ids(offers)) == ("loyal", [10, 20])
    assert {each.why for each in offers} == {(AheadWhy("popular"),)}


def offer(product_id: int) -> AheadOffer:
    return AheadOffer(product_id, 1, "t", "1.00", why=(AheadWhy("goes_with_history", product_id),))
