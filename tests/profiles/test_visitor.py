from datetime import timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.profiles.visitor import (
    NOBODY,
    ORDERS_KEPT,
    PRODUCTS_KEPT,
    VIEWS_KEPT,
    Bought,
    VisitorProfile,
    apply,
    joined,
    merged,
    pack,
    segment,
    tastes,
    unpack,
)
from tests.profiles.factories import NOW, a_view, an_order

orders = st.builds(
    lambda order_id, products, revision, cancelled: an_order(
        order_id,
        products,
        day=order_id,
        updated_at=NOW + timedelta(days=order_id, hours=revision),
        cancelled_at=NOW if cancelled else None,
        # What an order holds is decided by which order and which revision of it this is.
        total_minor=1000 * order_id + revision,
    ),
    st.integers(1, 6),
    st.lists(st.integers(1, 9), max_size=4),
    st.integers(0, 3),
    st.booleans(),
)
histories = st.lists(orders, max_size=12, unique_by=lambda o: (o.order_id, o.updated_at))


def times_bought(profile: VisitorProfile) -> dict[int, int]:
    return {product_id: bought.times for product_id, bought in profile.bought.items()}


def facts(profile: VisitorProfile) -> tuple[object, ...]:
    return (
        profile.orders_count, profile.spent_minor, profile.last_order_at, times_bought(profile),
    )  # fmt: skip


def test_an_order_counts_each_of_its_products_once() -> None:
    profile = apply(NOBODY, an_order(1, [10, 20, 10]))
    assert times_bought(profile) == {10: 1, 20: 1}
    assert (profile.orders_count, profile.aov_minor) == (1, 1000)
    assert profile.bought[10] == Bought(times=1, last_at=int(NOW.timestamp()))


@given(histories)
def test_what_was_applied_once_changes_nothing_a_second_time(history: list[object]) -> None:
    profile = reduce(apply, history, NOBODY)
    assert reduce(apply, history, profile) == profile


@given(histories, st.randoms())
def test_the_order_of_arrival_does_not_matter(history: list[object], random: object) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    assert facts(reduce(apply, shuffled, NOBODY)) == facts(reduce(apply, history, NOBODY))


@given(histories, histories)
def test_merging_is_as_if_both_had_been_applied(one: list[object], two: list[object]) -> None:
    # One revision of an order has one content, whichever of the two tells it.
    seen = {(order.order_id, order.updated_at): order for order in [*one, *two]}
    two = [seen[order.order_id, order.updated_at] for order in two]
    one = [seen[order.order_id, order.updated_at] for order in one]
    together = merged(reduce(apply, one, NOBODY), reduce(apply, two, NOBODY))
    assert facts(together) == facts(reduce(apply, [*one, *two], NOBODY))


def test_a_cancelled_order_was_never_bought() -> None:
    profile = apply(NOBODY, an_order(1, [10]))
    later = NOW + timedelta(hours=1)
    profile = apply(profile, an_order(1, [10], updated_at=later, cancelled_at=later))
    assert facts(profile) == facts(NOBODY)


def test_a_late_older_state_of_an_order_changes_nothing() -> None:
    profile = apply(NOBODY, an_order(1, [10], updated_at=NOW + timedelta(hours=2)))
    assert apply(profile, an_order(1, [20], updated_at=NOW)) is profile


def test_the_profile_stays_small_and_keeps_counting() -> None:
    profile = NOBODY
    for number in range(1, 301):
        profile = apply(profile, an_order(number, [number, 5000], day=number))
    assert (len(profile.past_orders), len(profile.bought)) == (ORDERS_KEPT, PRODUCTS_KEPT)
    assert (profile.orders_count, profile.spent_minor) == (300, 300_000)
    assert profile.bought[5000].times == 300
    assert 101 not in profile.bought
    assert len(pack(profile)) < 5_000  # bytes


def test_an_order_older_than_all_we_remember_one_by_one_is_not_counted_twice() -> None:
    history = [an_order(number, [number], day=number) for number in range(1, 101)]
    profile = reduce(apply, history, NOBODY)
    assert apply(profile, history[0]).orders_count == 100


def test_a_visit_remembers_the_latest_looks_first() -> None:
    visit = NOBODY
    for minute, product_id in enumerate(["gid://shopify/Product/1", 2, "3", 1]):
        visit = apply(visit, a_view(product_id, minute))
    assert visit.last_viewed == (1, 3, 2)


def test_a_visit_remembers_so_many_looks() -> None:
    visit = reduce(apply, [a_view(n + 1, n) for n in range(50)], NOBODY)
    assert visit.last_viewed == tuple(range(50, 50 - VIEWS_KEPT, -1))


@pytest.mark.parametrize("product_id", [None, "", "gid://shopify/Product/x", "9" * 40, {}, "٣"])
def test_an_unreadable_product_is_not_remembered(product_id: object) -> None:
    assert apply(NOBODY, a_view(product_id)) == NOBODY


def test_two_names_of_one_visitor_join_into_one_visit() -> None:
    one = reduce(apply, [a_view(1, 0), a_view(2, 5)], NOBODY)
    two = reduce(apply, [a_view(2, 1), a_view(3, 3)], NOBODY)
    assert joined(one, two).last_viewed == joined(two, one).last_viewed == (2, 3, 1)


@pytest.mark.parametrize(
    ("orders_count", "days_ago", "expected"),
    [(0, 0, "new"), (1, 3, "returning"), (4, 3, "loyal"), (4, 91, "at_risk"), (1, 91, "at_risk")],
)
def test_segments_by_orders_and_time(orders_count: int, days_ago: int, expected: str) -> None:
    history = [an_order(n, day=-days_ago) for n in range(1, orders_count + 1)]
    assert segment(reduce(apply, history, NOBODY), NOW) == expected


def test_a_profile_survives_packing() -> None:
    profile = reduce(apply, [an_order(1, [1, 2]), an_order(2, [2]), a_view(3)], NOBODY)
    assert unpack(pack(profile)) == profile


@pytest.mark.parametrize("value", [None, b"", b"\xc1", b"\x81\xa1a\x01", b"not msgpack"])
def test_an_absent_or_foreign_value_is_nobody(value: bytes | None) -> None:
    assert unpack(value) == NOBODY


def test_an_old_purchase_counts_half_after_each_half_life() -> None:
    history = [an_order(1, [10], day=-180), an_order(2, [20], day=-90), an_order(3, [20, 30])]
    profile = reduce(apply, history, NOBODY)
    assert tastes(profile, NOW, half_life_days=90) == {10: 0.25, 20: 2.0, 30: 1.0}
