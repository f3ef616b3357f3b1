"""What may be offered: published, in stock, not excluded, not in the cart already."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.catalog import Catalog, Product, Variant


def a_product(product_id: int, **changes: Any) -> Product:
    variant = Variant(product_id * 10, "Default", 450, in_stock=True)
    return Product(**({"product_id": product_id, "title": "Salt", "variants": (variant,)} | changes))


def a_catalog(*products: Product) -> Catalog:
    return Catalog("USD", {product.product_id: product for product in products})


def test_the_first_variant_in_stock_is_offered() -> None:
    sold_out = Variant(1, "Small", 100, in_stock=False)
    in_stock = Variant(2, "Large", 200, in_stock=True)
    assert a_product(7, variants=(sold_out, in_stock)).offered == in_stock


def test_an_unpublished_product_is_not_available_though_in_stock() -> None:
    product = a_product(7, published=False)
    assert product.offered is None
    assert not product.available


def test_a_product_without_stock_is_not_available() -> None:
    assert not a_product(7, variants=(Variant(1, "Only", 100, in_stock=False),)).available
    assert not a_product(7, variants=()).available


def test_a_product_that_sells_with_a_plan_only_is_not_offered() -> None:
    assert a_product(7, requires_selling_plan=True).offered is None
    assert a_product(7, gift_card=True).offered is None
    catalog = a_catalog(a_product(1), a_product(2, requires_selling_plan=True))
    assert catalog.allowed(np.array([1, 2], dtype=np.int64)).tolist() == [True, False]


def test_a_variant_leads_to_its_product() -> None:
    catalog = a_catalog(a_product(1), a_product(2))
    assert catalog.product_of(20) == catalog.get(2)
    assert catalog.product_of(99) is None
    assert catalog.get(99) is None


def test_the_mask_follows_the_order_of_the_model_and_knows_no_strangers() -> None:
    catalog = a_catalog(a_product(1), a_product(2, published=False), a_product(3), a_product(4))
    allowed = catalog.allowed(np.array([1, 2, 3, 5], dtype=np.int64), excluded={3})
    assert allowed.tolist() == [True, False, False, False]


@given(st.sets(st.integers(1, 9)), st.sets(st.integers(1, 9)), st.sets(st.integers(1, 9)))
def test_the_mask_lets_in_what_is_available_and_not_excluded(
    sold: set[int], hidden: set[int], excluded: set[int]
) -> None:
    catalog = a_catalog(*(a_product(key, published=key not in hidden) for key in sold))
    product_ids = np.arange(1, 10, dtype=np.int64)
    one_by_one = [key in catalog.available_ids - excluded for key in product_ids.tolist()]
    assert catalog.allowed(product_ids, excluded=excluded).tolist() == one_by_one


def test_a_variant_with_several_units_is_offered_rather_than_the_last_one() -> None:
    last, several = Variant(1, "S", 100, in_stock=True, stock=1), Variant(2, "M", 100, in_stock=True, stock=2)
    uncounted, gone = Variant(3, "L", 100, in_stock=True), Variant(4, "XL", 100, in_stock=False, stock=0)
    assert a_product(7, variants=(gone, last, several)).offered == several
    assert a_product(7, variants=(last, uncounted)).offered == uncounted
    assert a_product(7, variants=(gone, last)).offered == last
