from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from app.experiments.analysis import Verdict, analyse
from app.experiments.assign import pseudonym
from app.experiments.mismatch import Mismatch
from app.experiments.outcomes import AnalysisScope, Observations, observe
from app.experiments.records import guests_in
from app.experiments.refusal import Refusal
from tests.experiments.factories import EVEN, NOW, exposed, ordered
from tests.experiments.told import Exposure, Order, records_of

SCOPE = AnalysisScope(EVEN.arms, timedelta(days=14), timedelta(days=180), NOW)
DAY = timedelta(days=1)


def seen(
    exposures: Iterable[Exposure], orders: Iterable[Order] = (), accepted: Iterable[str] = ()
) -> Observations:
    return observe(records_of(exposures, orders, accepted), SCOPE)


def figures(observed: Observations) -> dict[str, list[float]]:
    names = ("bought", "orders", "revenue", "placed", "given_back", "accepted", "before")
    return {name: getattr(observed.units, name).tolist() for name in names}


def test_a_persons_orders_are_those_of_their_checkouts_and_of_their_account() -> None:
    person = exposed("a", "treated", customer_id=7, checkout_token="t")
    orders = [
        ordered(1, "t"),
        ordered(2, None, customer_id=7),
        ordered(3, "other"),
        ordered(4, None, customer_id=8),
    ]
    observed = seen([person], orders)
    assert figures(observed)["orders"] == [2.0]
    assert figures(observed)["revenue"] == [2_000.0]
    assert (observed.units.arm.tolist(), observed.counts) == ([1], (0, 1))


def test_a_guest_is_one_person_in_the_storefront_and_in_the_checkouts_of_their_browser() -> None:
    browser, own = pseudonym("s", "client:b"), pseudonym("s", "checkout:t1")
    told = records_of(
        [
            exposed("a", "treated", unit=browser, checkout_token=None, surface="storefront"),
            exposed("b", "control", days_ago=19.9, unit=own, checkout_token="t1"),
            exposed("c", "control", days_ago=19.9, unit=pseudonym("s", "checkout:t9"), checkout_token="t9"),
        ],
        [ordered(1, "t1"), ordered(2, "t2"), ordered(3, "t9"), ordered(4, "t8")],  # of t2 nothing was asked
    )
    observed = observe(replace(told, guests=guests_in([("t1", "b"), ("t2", "b"), ("t8", "c")], "s")), SCOPE)
    assert (observed.counts, observed.aside.crossed) == ((1, 1), 1)
    assert figures(observed)["orders"] == [2.0, 1.0]
    assert observed.recognised == (0, 0)  # which name a checkout had is no doing of an arm
    assert observe(told, SCOPE).counts == (2, 1)


def test_shopify_vouches_for_a_person_by_where_they_came_first() -> None:
    front: dict[str, Any] = {"surface": "storefront", "checkout_token": None}
    exposures = [
        exposed("a", "treated", unit="b", **front),
        exposed("b", "treated", days_ago=19, unit="b"),  # the same one, later in a checkout
        exposed("c", "treated", customer_id=7, **front),
        exposed("d"),
    ]
    observed = seen(exposures)
    assert (observed.counts, observed.vouched) == ((1, 2), (1, 1))
    told = records_of(exposures, [ordered(1, "token-b"), ordered(2, "token-d")])
    only = observe(told, replace(SCOPE, vouched=True))
    assert (only.counts, only.vouched) == ((1, 1), (1, 1))
    assert figures(only)["orders"] == [0.0, 1.0]


def test_guests_made_up_for_one_arm_are_a_mismatch_that_is_none_among_who_is_vouched_for() -> None:
    people = [exposed(f"p{n}", EVEN.arms[n % 2]) for n in range(400)]
    made_up = [exposed(f"m{n}", "treated", surface="storefront", checkout_token=None) for n in range(300)]
    told = records_of([*people, *made_up])
    for scope, is_found in ((SCOPE, True), (replace(SCOPE, vouched=True), False)):
        observed = observe(told, scope)
        split = analyse(observed.units, EVEN, observed.counts, observed.recognised).mismatch
        assert isinstance(split, Mismatch)
        assert split.found is is_found


def test_who_does_not_order_counts_as_well() -> None:
    assert figures(seen([exposed("a"), exposed("b")], [ordered(1, "token-a")]))["bought"] == [1.0, 0.0]


def test_only_the_window_counts() -> None:
    # Exposed 20 days ago, for 14 days: until 6 days ago.
    days = [20.5, 20, 6.1, 6, 1]
    orders = [ordered(n, "token-a", days_ago=ago) for n, ago in enumerate(days)]
    assert figures(seen([exposed("a")], orders))["orders"] == [2.0]


def test_a_person_within_their_window_waits_and_is_counted_in_the_split() -> None:
    observed = seen([exposed("a"), exposed("b", "treated", days_ago=13)])
    assert (len(observed.units), observed.counts, observed.aside.open) == (1, (1, 1), 1)


def test_a_refund_in_the_window_takes_back_and_a_later_one_is_told_beside() -> None:
    soon = ordered(1, "token-a", refunds=((NOW - 10 * DAY, 300, 0),))
    late = ordered(2, "token-b", refunds=((NOW - 2 * DAY, 300, 0),))
    observed = seen([exposed("a"), exposed("b")], [soon, late])
    assert figures(observed)["revenue"] == [700.0, 1_000.0]
    assert figures(observed)["given_back"] == [1.0, 0.0]
    assert observed.aside.late_minor == 300


def test_a_refund_never_takes_back_more_than_was_paid() -> None:
    order = ordered(1, "token-a", refunds=((NOW - 10 * DAY, 5_000, 0),))
    assert figures(seen([exposed("a")], [order]))["revenue"] == [0.0]


def test_an_order_cancelled_in_the_window_was_placed_and_earned_nothing() -> None:
    observed = seen([exposed("a")], [ordered(1, "token-a", cancelled_at=NOW - 10 * DAY)])
    assert {name: values[0] for name, values in figures(observed).items()} == {
        "bought": 0, "orders": 0, "revenue": 0, "placed": 1, "given_back": 1, "accepted": 0, "before": 0,
    }  # fmt: skip


def test_an_order_cancelled_after_the_window_stood_in_it() -> None:
    observed = seen([exposed("a")], [ordered(1, "token-a", cancelled_at=NOW - DAY)])
    assert figures(observed)["orders"] == [1.0]
    assert observed.aside.late_minor == 1_000


@pytest.mark.parametrize(("surface", "orders"), [("checkout", 1.0), ("thank_you", 0.0)])
def test_a_clock_that_is_a_minute_off_loses_no_order_of_the_checkout(surface: str, orders: float) -> None:
    # A thank-you page comes after its order, and earns it nothing.
    order = ordered(1, "token-a", days_ago=20 + 1 / 1_440)
    assert figures(seen([exposed("a", surface=surface)], [order]))["orders"] == [orders]


@pytest.mark.parametrize("surface", ["thank_you", "order_status"])
@pytest.mark.parametrize("seconds", [5, 300])
def test_a_page_earns_nothing_of_the_order_that_it_comes_after_however_late_that_was_written(
    surface: str, seconds: int
) -> None:
    # Shopify shows the thank-you page before the order is made of the checkout.
    late = ordered(1, "token-a", days_ago=20 - seconds / 86_400, customer_id=7)
    again = ordered(2, "token-b", days_ago=19, customer_id=7)
    found = figures(seen([exposed("a", surface=surface, customer_id=7)], [late, again]))
    assert (found["orders"], found["revenue"]) == ([1.0], [1_000.0])


def test_an_order_an_hour_before_is_not_of_the_experiment() -> None:
    assert figures(seen([exposed("a")], [ordered(1, "token-a", days_ago=20 + 1 / 24)]))["orders"] == [0.0]


def test_what_is_still_to_come_is_left_out_and_told() -> None:
    observed = seen([exposed("a"), exposed("b", days_ago=-1)], [ordered(1, "token-a", days_ago=-1)])
    assert (observed.counts, observed.aside.from_ahead) == ((1, 0), 2)
    assert figures(observed)["orders"] == [0.0]


def test_what_was_spent_before_is_of_the_customer_known_at_first() -> None:
    before = [ordered(n, None, days_ago=ago, customer_id=7) for n, ago in enumerate((30, 100, 300))]
    known = exposed("a", customer_id=7)
    assert figures(seen([known], before))["before"] == [2_000.0]  # the third is older than 180 days


def test_who_becomes_known_only_later_has_no_past() -> None:
    # Else whoever an arm makes sign in would have a past, and the adjustment would take the effect away.
    first = exposed("a", checkout_token="t")
    then = exposed("b", days_ago=19, customer_id=7, checkout_token="t")
    assert figures(seen([first, then], [ordered(1, None, days_ago=30, customer_id=7)]))["before"] == [0.0]


def test_spend_before_is_as_it_stood_then() -> None:
    order = ordered(
        1, None, days_ago=30, customer_id=7, refunds=((NOW - 25 * DAY, 100, 0), (NOW - DAY, 900, 0))
    )
    assert figures(seen([exposed("a", customer_id=7)], [order]))["before"] == [900.0]


def test_an_accepted_offer_counts_once_a_person() -> None:
    exposures = [exposed("a", checkout_token="t"), exposed("b", days_ago=19, checkout_token="t")]
    assert figures(seen(exposures, accepted=["a", "b"]))["accepted"] == [1.0]


def test_profit_is_unknown_where_a_cost_is() -> None:
    orders = [ordered(1, "token-a", cost_minor=400), ordered(2, "token-b")]
    profit = seen([exposed("a"), exposed("b"), exposed("c")], orders).units.profit
    assert profit[[0, 2]].tolist() == [600.0, 0.0]
    assert np.isnan(profit[1])


def test_late_repeated_and_reordered_rows_lead_to_the_same() -> None:
    rng = random.Random(1)
    exposures = [exposed(str(n), EVEN.arms[n % 2], days_ago=20 - n % 5) for n in range(40)]
    orders = [ordered(n, f"token-{n % 30}", days_ago=19 - n % 20) for n in range(60)]
    expected = seen(exposures, orders)
    for _ in range(3):
        told, placed = exposures + exposures[:9], orders + orders[:9]
        rng.shuffle(told)
        rng.shuffle(placed)
        again = seen(told, placed)
        assert figures(again) == figures(expected)
        assert (again.counts, again.aside) == (expected.counts, expected.aside)


def test_a_missing_exposure_is_made_up_for_by_the_next_one() -> None:
    first, second = (
        exposed("a", days_ago=20, checkout_token="t"),
        exposed("b", days_ago=19, checkout_token="t"),
    )
    for told in ([first, second], [second]):
        assert figures(seen(told, [ordered(1, "t", days_ago=18)]))["orders"] == [1.0]


def test_an_arm_that_the_version_does_not_have_is_not_in_it() -> None:
    assert seen([exposed("a", "another")]).counts == (0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_people_in_two_arms_make_an_effect_smaller_and_none_out_of_nothing(seed: int) -> None:
    for lift, verdict in ((0.0, Verdict.UNDECIDED), (0.5, Verdict.BETTER)):
        exposures, orders = a_crossing_crowd(seed, lift)
        observed = seen(exposures, orders)
        assert observed.aside.crossed > 400
        told = analyse(observed.units, EVEN, observed.counts).metrics["conversion"]
        assert not isinstance(told, Refusal)
        assert told[0].verdict is verdict
        assert told[0].lift is not None
        assert told[0].lift.value < max(lift, 0.15)


def a_crossing_crowd(seed: int, lift: float) -> tuple[list[Exposure], list[Order]]:
    """Return 4,000 visitors, a third of whom sign in and are assigned anew; the last arm has its effect."""
    rng = np.random.default_rng(seed)
    exposures, orders = [], []
    for n in range(4_000):
        fields: dict[str, Any] = {"checkout_token": f"t{n}"}
        arms = rng.integers(0, 2, 2)
        signs_in = rng.random() < 1 / 3
        exposures.append(exposed(f"{n}", EVEN.arms[arms[0]], **fields))
        if signs_in:
            signed = fields | {"unit": f"customer:{n + 1}", "customer_id": n + 1, "days_ago": 19.9}
            exposures.append(exposed(f"{n}b", EVEN.arms[arms[1]], **signed))
        treated = arms[1 if signs_in else 0]
        if rng.random() < 0.3 * (1 + lift * treated):
            orders.append(ordered(n + 1, f"t{n}"))
    return exposures, orders
