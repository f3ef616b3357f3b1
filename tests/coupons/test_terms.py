from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.coupons.terms import CouponTerms, discount_input, lapses_at, new_codes, pool_id

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TEN = CouponTerms("Hesitant buyers", percentage=10)


@given(st.integers(0, 300))
def test_codes_are_all_different_and_easy_to_type(count: int) -> None:
    codes = new_codes("TILL-", count)
    assert len(set(codes)) == count
    assert all(code.startswith("TILL-") and not set(code[5:]) & set("AEIOUL015S2Z") for code in codes)


def test_other_terms_are_another_pool() -> None:
    assert pool_id("spring", TEN) == pool_id("spring", CouponTerms("Hesitant buyers", percentage=10))
    assert pool_id("spring", TEN) != pool_id("spring", CouponTerms("Hesitant buyers", percentage=12))


def test_a_discount_lapses_within_a_week_or_a_while_after_its_campaign() -> None:
    assert lapses_at(NOW, None) == NOW + timedelta(days=7)
    assert lapses_at(NOW, NOW + timedelta(days=2)) == NOW + timedelta(days=2, hours=1)


def test_a_percentage_is_for_the_whole_order_once() -> None:
    given = discount_input(TEN, "EUR", "A", NOW, NOW)
    assert given["customerGets"] == {"value": {"percentage": 0.1}, "items": {"all": True}}
    assert (given["usageLimit"], given["appliesOncePerCustomer"]) == (1, True)
    assert not any(given["combinesWith"].values())


def test_an_amount_is_for_products_from_a_minimum_on_beside_free_shipping() -> None:
    terms = CouponTerms("Five off", "product", amount_minor=500, product_ids=(7,), minimum_minor=8000,
                        combines_with=("shipping",))  # fmt: skip
    given = discount_input(terms, "EUR", "A", NOW, NOW)
    assert given["customerGets"]["value"] == {
        "discountAmount": {"amount": "5.00", "appliesOnEachItem": False}
    }
    assert given["customerGets"]["items"] == {"products": {"productsToAdd": ["gid://shopify/Product/7"]}}
    assert given["minimumRequirement"] == {"subtotal": {"greaterThanOrEqualToSubtotal": "80.00"}}
    assert given["combinesWith"] == {
        "orderDiscounts": False,
        "productDiscounts": False,
        "shippingDiscounts": True,
    }


def test_free_shipping_gives_no_items_away() -> None:
    given = discount_input(CouponTerms("Free shipping", "shipping"), "EUR", "A", NOW, NOW)
    assert given["destination"] == {"all": True}
    assert "customerGets" not in given
