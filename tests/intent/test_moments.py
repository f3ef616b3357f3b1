"""The moments of past visits, and what came after each."""

from datetime import UTC, datetime, timedelta
from math import expm1
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intent.features import FEATURES, NOTHING, InCart, features_of
from app.intent.moments import BrowserHistory, Moment, cart_after, moments_of
from app.profiles.visit import BrowsedEvent, visit_of

BEGAN = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = int((BEGAN + timedelta(days=2)).timestamp())


def at(minute: float, name: str = "page_viewed", **data: Any) -> BrowsedEvent:
    return BrowsedEvent(f"{name}-{minute}", BEGAN + timedelta(minutes=minute), name, data)


def second(minute: float) -> int:
    return int((BEGAN + timedelta(minutes=minute)).timestamp())


def of_visit(*seen: BrowsedEvent, ordered: tuple[int, ...] = (), now: int = LATER) -> list[Moment]:
    """Return the moments at which the visit may be used."""
    return [each for each in moments_of(BrowserHistory(seen, ordered), now) if not each.cart_alone]


def test_a_moment_is_after_an_event_and_after_silences_that_lasted() -> None:
    moments = of_visit(at(0), at(2))
    idle = [each.features[FEATURES.index("idle")] for each in moments]
    # At 0, after 20 seconds and a minute; then, until the visit is over, after three and ten minutes too.
    assert [round(expm1(each)) for each in idle] == [0, 20, 60, 0, 20, 60, 180, 600]


def test_an_order_within_five_minutes_is_soon_and_any_order_of_the_visit_is_one() -> None:
    moments = of_visit(at(0), at(7), at(9), ordered=(second(10),))
    assert [(each.at - second(0), each.soon) for each in moments] == [
        (0, False), (20, False), (60, False), (180, False),
        (420, True), (440, True), (480, True), (540, True), (560, True),
    ]  # fmt: skip
    assert all(each.ever for each in moments)


def test_nothing_after_the_payments_submission_is_a_moment() -> None:
    seen = [at(0, "checkout_started"), at(1, "payment_info_submitted"), at(1.5, "page_viewed")]
    moments = of_visit(*seen, ordered=(second(2),))
    assert [each.at - second(0) for each in moments] == [0, 20]
    assert moments[0].soon


def test_an_order_told_by_the_browser_alone_counts() -> None:
    moments = of_visit(at(0), at(3, "checkout_completed"))
    assert [each.ever for each in moments] == [True] * 3


def test_an_order_of_a_later_visit_is_not_this_ones() -> None:
    moments = of_visit(at(0), at(100), at(101), ordered=(second(103),))
    assert [each.ever for each in moments if each.began == second(0)] == [False] * 5
    assert all(each.ever for each in moments if each.began == second(100))


def test_a_visit_that_may_go_on_is_left_out() -> None:
    assert not of_visit(at(0), now=second(20))
    assert of_visit(at(0), now=second(31))


def test_a_checkout_is_there_once_more_for_those_who_allow_nothing() -> None:
    seen = [at(0), at(1, "checkout_started", lines=[{"quantity": 2}], subtotal="30.00")]
    twins = [each for each in moments_of(BrowserHistory(seen), LATER) if each.cart_alone]
    known = [each for each in of_visit(*seen) if each.features[FEATURES.index("started")]]
    assert len(twins) == len(known) == 5
    told = dict(zip(FEATURES, twins[0].features, strict=True))
    assert told["seen"] == told["pages"] == 0
    assert told["started"] == told["in_cart"] == 1


def test_what_is_known_at_a_moment_is_what_a_decision_would_have_known() -> None:
    seen = [
        at(0),
        at(1, "product_viewed", product_id="5"),
        at(2, "checkout_started", subtotal="9.00", lines=[]),
    ]
    served = features_of(visit_of(seen[:2]), InCart(), NOTHING, second(1))
    assert [each.features for each in of_visit(*seen) if each.at == second(1)] == [served]


NAMES = [
    "page_viewed",
    "product_added_to_cart",
    "checkout_started",
    "alert_displayed",
    "payment_info_submitted",
]
events = st.lists(
    st.builds(at, st.integers(0, 90), st.sampled_from(NAMES)),
    max_size=25,
    unique_by=lambda each: each.event_id,
)


@given(events, st.lists(st.integers(0, 100), max_size=2), st.randoms(use_true_random=False))
def test_order_and_repeats_change_nothing(seen: list[BrowsedEvent], ordered: list[int], chance: Any) -> None:
    placed = tuple(second(minute) for minute in ordered)
    again = [*seen, *seen[: len(seen) // 2]]
    chance.shuffle(again)
    assert moments_of(BrowserHistory(again, placed), LATER) == moments_of(BrowserHistory(seen, placed), LATER)


@given(events, st.integers(0, 100))
def test_what_happens_after_a_moment_changes_nothing_of_it(seen: list[BrowsedEvent], cut: int) -> None:
    kept = [each for each in seen if each.happened_at <= BEGAN + timedelta(minutes=cut)]
    whole, part = (
        [(each.at, each.features) for each in of_visit(*told) if each.at < second(cut)]
        for told in (seen, kept)
    )
    assert whole == part


@pytest.mark.parametrize(
    ("event", "cart"),
    [
        (at(0, "product_added_to_cart", price="12.50", quantity=2), InCart(3, 35.0)),
        (at(0, "product_removed_from_cart", price="10.00", quantity=1), InCart(0, 0.0)),
        (at(0, "product_removed_from_cart", price="99.00", quantity=9), InCart(0, 0.0)),
        (at(0, "cart_viewed", total="70.00", lines=[{"quantity": 4}, "?"]), InCart(4, 70.0)),
        (at(0, "checkout_completed", lines=[{"quantity": 4}]), InCart()),
        (at(0, "product_added_to_cart", price="much", quantity="two"), InCart(1, 10.0)),
        (at(0, "cart_viewed", total=None, lines=None), InCart(1, 10.0)),
        (at(0, "page_viewed"), InCart(1, 10.0)),
    ],
)
def test_a_cart_is_followed_through_its_events(event: BrowsedEvent, cart: InCart) -> None:
    assert cart_after(InCart(1, 10.0), event) == cart


@pytest.mark.parametrize(
    ("event", "cart"),
    [
        (at(0, "cart_viewed", total="7000", currency="JPY", lines=[{"quantity": 4}]), InCart(4, 0.0)),
        (at(0, "checkout_started", subtotal="7.00", currency="EUR", lines=[{"quantity": 4}]), InCart(4, 7.0)),
        (at(0, "product_added_to_cart", price="1250", currency="JPY", quantity=1), InCart(2, 10.0)),
    ],
)
def test_an_amount_in_another_currency_than_the_shops_is_not_known(event: BrowsedEvent, cart: InCart) -> None:
    assert cart_after(InCart(1, 10.0), event, "EUR") == cart


def test_what_is_learnt_of_a_cart_in_another_currency_is_what_is_known_of_it_when_deciding() -> None:
    seen = [at(0, "cart_viewed", total="7000", currency="JPY", lines=[{"quantity": 4}])]
    values = {
        each.features[FEATURES.index("value")] for each in moments_of(BrowserHistory(seen, (), "EUR"), LATER)
    }
    assert values == {0.0}
