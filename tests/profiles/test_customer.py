from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.profiles.customer import (
    NOBODY,
    PRODUCTS_KEPT,
    Bought,
    BoughtLine,
    OrdersTold,
    PlacedOrder,
    Profile,
    before_these,
    profile_of,
    segment,
    with_those_before,
)
from app.profiles.packed import pack, unpack_profile
from app.profiles.purchases import DAY_S, LARGEST_MINOR

NOW = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp())


def an_order(order_id: int, *products: int, days_ago: float = 1, **changes: Any) -> PlacedOrder:
    """Return an order of 1,000 minor units, of these products."""
    lines = tuple(BoughtLine(product, 1) for product in products)
    fields: dict[str, Any] = {"placed_at": int(NOW - days_ago * DAY_S), "total_minor": 1_000, "lines": lines}
    return PlacedOrder(order_id=order_id, **(fields | changes))


amounts = st.integers(-(10**13), 10**13)
orders = st.lists(
    st.builds(
        PlacedOrder,
        order_id=st.integers(1, 20),
        placed_at=st.integers(NOW - 1_000 * DAY_S, NOW + 1_000 * DAY_S),
        total_minor=amounts,
        discount_minor=amounts,
        refunded_minor=amounts,
        cancelled=st.booleans(),
        own_currency=st.booleans(),
        lines=st.lists(
            st.builds(BoughtLine, st.one_of(st.none(), st.integers(1, 9)), st.integers(-1, 9)),
            max_size=3,
        ).map(tuple),
    ),
    max_size=20,
    unique_by=lambda order: order.order_id,
)


@given(orders, st.randoms(use_true_random=False))
def test_order_and_repeats_change_nothing(placed: list[PlacedOrder], chance: Any) -> None:
    again = [*placed, *placed[:3]]
    chance.shuffle(again)
    assert profile_of(again, NOW) == profile_of(placed, NOW)


@given(orders)
def test_whatever_the_orders_no_figure_is_out_of_its_range(placed: list[PlacedOrder]) -> None:
    profile = profile_of(placed, NOW)
    assert profile.spent_minor >= 0
    assert profile.last_order_at is None or profile.last_order_at <= NOW
    for share in (profile.return_rate, profile.discount_affinity):
        assert share is None or 0 <= share <= 1
    assert (profile.aov_minor is None) == (profile.orders_count == profile.unpriced)


def test_a_profile_adds_up_what_was_ordered() -> None:
    first = an_order(1, 10, 20, days_ago=40)
    second = an_order(2, 10, days_ago=3, discount_minor=200, refunded_minor=250)
    profile = profile_of([second, first], NOW)
    assert profile == Profile(
        orders_count=2,
        spent_minor=1_750,  # 1,000 + 1,000 - 250
        last_order_at=second.placed_at,
        gross_minor=2_000,
        refunded_minor=250,
        discounted=1,
        bought={10: Bought(2, second.placed_at), 20: Bought(1, first.placed_at)},
    )
    assert (profile.aov_minor, profile.discount_affinity, profile.return_rate) == (875, 0.5, 0.125)


@pytest.mark.parametrize(
    ("odd", "orders_count", "spent_minor"),
    [
        ({"cancelled": True}, 0, 0),
        ({"total_minor": 0}, 1, 0),  # a gift
        ({"total_minor": -500}, 0, 0),
        ({"refunded_minor": 1_000}, 0, 0),
        ({"refunded_minor": 5_000}, 0, 0),  # more than it was worth
        ({"own_currency": False}, 1, 0),
        ({"total_minor": 10**14}, 1, LARGEST_MINOR),
        ({"placed_at": NOW + 900 * DAY_S}, 1, 1_000),
    ],
)
def test_an_odd_order_has_its_defined_meaning(
    odd: dict[str, Any], orders_count: int, spent_minor: int
) -> None:
    profile = profile_of([an_order(1, 10, **odd)], NOW)
    assert (profile.orders_count, profile.spent_minor) == (orders_count, spent_minor)
    assert bool(profile.bought) == bool(orders_count)


def test_an_order_of_gift_cards_alone_and_one_in_another_currency_are_none_to_average_over() -> None:
    goods, given_away = an_order(1, 10), an_order(2, 10, total_minor=0)
    cards, foreign = an_order(3, total_minor=0), an_order(4, 10, own_currency=False)
    profile = profile_of([goods, given_away, cards, foreign], NOW)
    assert (profile.orders_count, profile.aov_minor) == (4, 500)
    assert profile_of([cards], NOW).aov_minor is None
    told = with_those_before(profile, OrdersTold(2, 3_000, NOW - 100 * DAY_S))
    assert told.aov_minor == 1_000  # 4,000 of four


def test_what_a_subscription_charged_is_money_and_no_habit() -> None:
    began = an_order(1, 10, 20, days_ago=40, discount_minor=100)
    renewed = an_order(2, 10, days_ago=3, renewal=True, discount_minor=100)
    profile = profile_of([began, renewed], NOW)
    assert (profile.orders_count, profile.orders_placed, profile.spent_minor) == (2, 1, 2_000)
    assert (profile.last_order_at, profile.discount_affinity) == (renewed.placed_at, 1)
    assert profile.bought == {20: Bought(1, began.placed_at)}, "the other one comes by itself"
    by_hand = an_order(3, 10, days_ago=1)
    assert profile_of([began, renewed, by_hand], NOW).bought[10] == Bought(2, by_hand.placed_at)


@pytest.mark.parametrize(
    ("told", "orders", "spent", "aov", "days"),
    [
        (None, 2, 2_000, 1_000, 3),
        (OrdersTold(12), 12, None, 1_000, 3),  # what the ten others were worth nobody told
        (OrdersTold(12, 9_000), 14, 11_000, 785, 3),  # the last one told is too old to be shown
        (OrdersTold(12, 9_000, NOW - 40 * DAY_S), 13, 10_000, 769, 3),  # the second one came after that
        (OrdersTold(12, 9_000, NOW - 3 * DAY_S), 12, 9_000, 750, 3),
        (OrdersTold(2, 9_000, NOW), 2, 2_000, 1_000, 3),  # nothing is missing
        (OrdersTold(12, 100, NOW), 12, 2_000, 166, 3),  # less than we have: what came back is not told alike
    ],
)
def test_what_shopify_tells_of_earlier_orders_is_added_to_those_that_we_have(
    told: OrdersTold | None, orders: int, spent: int | None, aov: int, days: int
) -> None:
    placed = [an_order(1, 10, days_ago=40), an_order(2, 10, days_ago=3)]
    profile = with_those_before(profile_of(placed, NOW), before_these(placed, told, NOW))
    assert (profile.orders_ever, profile.spent_ever_minor, profile.aov_minor) == (orders, spent, aov)
    assert profile.last_ever_at == NOW - days * DAY_S


def test_when_somebody_ordered_last_is_known_though_we_have_no_order_of_theirs() -> None:
    told = OrdersTold(3, 4_500, NOW - 100 * DAY_S)
    profile = with_those_before(NOBODY, before_these([], told, NOW))
    assert (profile.last_ever_at, profile.aov_minor) == (NOW - 100 * DAY_S, 1_500)
    assert segment(profile, datetime.fromtimestamp(NOW, UTC)) == "at_risk"


def test_thousands_of_orders_keep_the_profile_small() -> None:
    many = [an_order(n, n, days_ago=n / 100) for n in range(1, 5_001)]
    profile = profile_of(many, NOW)
    assert (profile.orders_count, len(profile.bought)) == (5_000, PRODUCTS_KEPT)
    assert next(iter(profile.bought)) == 1


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        (NOBODY, "prospects"),
        (Profile(orders_before=3), "returning"),
        (Profile(orders_before=12, spent_before_minor=9_000), "returning"),  # who knows how long ago
        (profile_of([an_order(1, 10)], NOW), "returning"),
        (profile_of([an_order(n, 10) for n in range(4)], NOW), "loyal"),
        (profile_of([an_order(1, 10, days_ago=91)], NOW), "at_risk"),
        (Profile(orders_count=1, last_order_at=NOW, segments=("champions", "vip")), "champions"),
    ],
)
def test_a_customer_is_spoken_of_by_their_first_segment(profile: Profile, name: str) -> None:
    assert segment(profile, datetime.fromtimestamp(NOW, UTC)) == name


def test_versions_read_what_each_other_packed() -> None:
    """They run beside each other during an upgrade, and nobody packs all of a shop anew at once."""
    packed = [3, 900, 1, 2, 950, 40, 50, 1, {10: [2, 7]}, [1, 2, 3], ["loyal"], False, 5, 4, 6, 8, 1, 0]
    assert msgspec.msgpack.decode(pack(unpack_profile(msgspec.msgpack.encode(packed)))) == packed
    assert Profile.__struct_fields__[: len(packed)] == (
        "orders_count", "spent_minor", "first_order_at", "last_order_at", "gross_minor", "discount_minor",
        "refunded_minor", "discounted", "bought", "prices", "segments", "refused", "spend_ahead_minor",
        "orders_before", "spent_before_minor", "last_before_at", "renewals", "unpriced",
    )  # fmt: skip
