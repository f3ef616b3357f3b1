from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.attribution.models import MODELS, Model
from app.attribution.touches import SoldLine, SoldOrder, Touch, credits_of

ORDERED = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADA = frozenset({"customer:7"})


def touch(days: float, name: str = "d", product_id: int | None = 10, **changes: Any) -> Touch:
    """Return an offer of a product to Ada, so many days before she ordered."""
    fields: dict[str, Any] = {"people": ADA, "kind": "upsell", "product_id": product_id} | changes
    return Touch(name, f"{name}-offer", ORDERED - timedelta(days=days), **fields)


def line(**changes: Any) -> SoldLine:
    of_order = {name: changes.pop(name) for name in ("people", "codes") if name in changes}
    order = SoldOrder(1, ORDERED, **({"people": ADA} | of_order))
    return SoldLine(order, 1, **({"net_minor": 1000, "product_id": 10} | changes))


def shares(sold: SoldLine, *touches: Touch, model: Model = "linear", **options: Any) -> dict[str, float]:
    found = credits_of([sold], touches, model, **options)
    return {each.touch.decision_id: each.minor for each in found}


def test_a_line_is_owed_to_the_offers_of_its_product_within_the_window() -> None:
    a, b = touch(6, "a", surface="storefront"), touch(1, "b")
    assert shares(line(), a, b, touch(8, "old", surface="email"), touch(1, "other", 11)) == {
        "a": 500,
        "b": 500,
    }
    assert shares(line(), a, b, window_days=2) == {"b": 1000}


@pytest.mark.parametrize("model", ["linear", "position"])
def test_an_offer_that_every_page_made_counts_as_much_as_one_that_was_made_once(model: Model) -> None:
    pages = [touch(3 - n / 10, f"page{n}", surface="storefront") for n in range(9)]
    coupon = touch(1, "c", None, kind="coupon", code="TEN", campaign="spring")
    found = shares(line(codes=frozenset({"TEN"})), *pages, coupon, model=model)
    assert found == {"page8": 500, "c": 500}


def test_an_offer_after_the_order_or_to_somebody_else_has_nothing() -> None:
    assert shares(line(), touch(-0.1), touch(1, "eve", people=frozenset({"customer:8"}))) == {}


@pytest.mark.parametrize(("surface", "minor"), [("checkout", 1_000), ("thank_you", 0), ("order_status", 0)])
def test_the_page_after_an_order_has_nothing_of_that_order_however_late_it_was_written(
    surface: str, minor: int
) -> None:
    # Shopify shows the thank-you page before the order is made: who buys the same again is offered it there.
    people = frozenset({"checkout:t", "customer:7"})
    before = touch(0.0001, people=people, surface=surface)
    assert sum(shares(line(people=people), before).values()) == minor
    another = frozenset({"checkout:u", "customer:7"})
    assert sum(shares(line(people=another), before).values()) == 1_000


def test_a_line_added_from_an_offer_is_owed_to_it_however_old_and_whoever_they_were_then() -> None:
    anonymous = touch(30, "a", people=frozenset({"checkout:x"}))
    assert shares(line(decision_id="a", offer_id="a-offer"), anonymous) == {"a": 1000}


def test_an_offer_that_was_never_logged_has_nothing_of_the_line_that_names_it() -> None:
    assert shares(line(decision_id="forged", offer_id="forged-offer")) == {}


def test_a_code_is_owed_every_line_of_the_order_that_used_it_and_none_of_another() -> None:
    code = touch(1, "c", None, kind="coupon", code="till-abc", campaign="spring")
    assert shares(line(codes=frozenset({"TILL-ABC"})), code) == {"c": 1000}
    assert shares(line(codes=frozenset({"MERCHANTS"})), code) == {}


def test_the_same_decision_told_twice_and_two_names_of_one_person_count_once() -> None:
    both = frozenset({"customer:7", "checkout:x"})
    seen = touch(1, "a", people=both)
    assert shares(line(people=both), seen, seen) == {"a": 1000}


moments = st.floats(0, 7).map(lambda days: round(days, 3))


@given(st.sampled_from(sorted(MODELS)), st.lists(moments, min_size=1, max_size=8), st.integers(0, 10**9))
def test_credits_sum_to_what_the_line_brought(model: Model, days: list[float], minor: int) -> None:
    touches = [touch(each, f"d{at}") for at, each in enumerate(days)]
    credited = credits_of([line(net_minor=minor)], touches, model)
    assert sum(each.minor for each in credited) == pytest.approx(minor)
