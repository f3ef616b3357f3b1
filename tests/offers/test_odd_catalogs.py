"""Catalogues that nobody thinks of: what a checkout is offered stays sensible."""

from __future__ import annotations

from app.ahead.form import MOST_BYTES, write_offers
from app.ahead.rank import to_anyone, with_product
from app.catalog.catalog import Variant
from app.offers.choose import choose
from tests.offers.factories import a_product, a_shop, a_situation, goes_together
from tests.offers.test_choose import ids


def test_products_of_no_price_are_offered_and_judged_by_no_profit() -> None:
    free = [a_product(n, price_minor=0) for n in (10, 20, 30)]
    model = goes_together({(10, 30): 0.9, (10, 20): 0.5}, items=3)
    shop = a_shop(*free, model=model, settings={"costs": {"20": 0, "30": 500}})
    assert ids(choose(shop, a_situation(10, subtotal_minor=0))) == [30, 20]
    assert shop.terms.margin is None  # nothing can be earned on nothing
    assert shop.offerable[30].shown.price == "0.00"


def test_a_free_product_among_others_costs_no_other_its_place() -> None:
    products = [a_product(10), a_product(20, price_minor=0), a_product(30, price_minor=900), a_product(40)]
    model = goes_together({(10, 30): 0.9, (10, 40): 0.5})
    shop = a_shop(*products, model=model, settings={"costs": {"30": 300, "40": 100}})
    offers = choose(shop, a_situation(10))
    assert set(ids(offers)) == {20, 30, 40}


def test_a_product_of_ten_thousand_variants_is_offered_by_the_first_that_can_be_bought() -> None:
    variants = tuple(Variant(n, f"{n}", 100 + n, in_stock=n >= 9_000, stock=n % 3) for n in range(1, 10_001))
    shop = a_shop(a_product(10), a_product(20, variants=variants), model=goes_together({(10, 20): 0.9}))
    (offer,) = choose(shop, a_situation(10))
    assert offer.product is not None
    # 9,000 is the first in stock and has no unit counted, 9,001 has one, 9,002 has two
    assert offer.product.variant_id == "gid://shopify/ProductVariant/9002"
    assert shop.catalog.product_of(10_000) == shop.catalog.get(20)


def test_what_was_deleted_since_training_is_neither_offered_nor_in_the_way() -> None:
    model = goes_together({(10, 20): 0.9, (10, 30): 0.5})
    shop = a_shop(a_product(10), a_product(30), a_product(40), model=model)  # 20 is gone
    assert ids(choose(shop, a_situation(10))) == [30, 40]
    assert ids(choose(shop, a_situation(20))) == ids(choose(shop, a_situation(20)))
    assert 20 not in ids(choose(shop, a_situation(history=((20, 3, 1.0),), orders=3)))


def test_titles_as_long_as_shopify_takes_fit_into_what_a_checkout_reads() -> None:
    long = [a_product(10 * n, title="縦" * 255, image_url=f"https://x/{'i' * 500}") for n in range(1, 31)]
    shop = a_shop(*long, model=goes_together({(10, 20): 0.9}, items=30))
    assert len(write_offers(to_anyone(shop)).encode()) <= MOST_BYTES
    offers = with_product(shop, 10)
    assert offers is not None
    assert len(write_offers(offers).encode()) <= MOST_BYTES
