"""What a campaign would have done: judged where the past tells enough, counted as it would be live."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.campaigns.campaign import Campaign
from app.campaigns.dry_run import DryRun, PastDecision, dry_run, facts_of_past
from app.campaigns.facts import ALWAYS
from app.errors import InputError
from app.profiles.visit import PAUSE_S
from tests.campaigns.factories import NOW, TEN_PERCENT, a_campaign
from tests.offers.factories import a_catalog, a_product

CATALOG = a_catalog(
    a_product(10, 120_000, product_type="Skis", vendor="Nordwand", collections=("snow",)), a_product(20)
)
RICH = {">": [{"var": "cart.subtotal"}, 50]}
ALLOWED = ("analytics", "marketing", "preferences")


def a_past(number: int, minutes: float = 0, **changes: Any) -> PastDecision:
    """Return a decision about a cart of 100.00 in a checkout of its own, which was not ordered."""
    situation = {"cart": [10], "subtotal_minor": 10_000} | changes.pop("situation", {})
    fields: dict[str, Any] = {
        "decision_id": f"d{number}", "at": NOW + timedelta(minutes=minutes), "surface": "checkout",
        "checkout_token": f"t{number}", "customer_id": None, "permitted": ALLOWED, "situation": situation,
        "bought": False,
    }  # fmt: skip
    return PastDecision(**(fields | changes))


def with_facts(**facts: Any) -> dict[str, Any]:
    told = {name.replace("__", "."): value for name, value in facts.items()}
    return {"campaigns": {"inputs": {"at": 0, "facts": told, "evidence": ["cart"]}}}


def tried(campaign: Campaign, *decisions: PastDecision) -> DryRun:
    return dry_run(campaign, decisions, CATALOG, "", {})


def test_it_is_told_how_often_it_would_have_been_shown_and_who_bought_anyway() -> None:
    poor = {"subtotal_minor": 1_000}
    result = tried(
        a_campaign(rule=RICH),
        a_past(1), a_past(2, bought=True), a_past(3, bought=True), a_past(4, situation=poor, bought=True),
        a_past(5, checkout_token=None, bought=None),
    )  # fmt: skip
    assert (result.looked_at, result.judged, result.matched, result.fired) == (5, 5, 4, 4)
    assert (result.shoppers, result.known, result.bought) == (4, 3, 2)
    assert result.says() == (
        "Would have been shown 4 times to 4 shoppers, 2 of 3 times to one who bought anyway, "
        "in 5 of the last 5 decisions that can be judged."
    )


def test_who_asks_again_from_the_same_checkout_is_counted_once() -> None:
    again = [a_past(n, n, checkout_token="t") for n in range(5)]
    assert tried(a_campaign(), *again).fired == 1
    later = a_past(9, 5 + PAUSE_S / 60, checkout_token="t")
    assert tried(a_campaign(), *again, later).fired == 2
    assert tried(a_campaign(caps={"per_visitor": 1}), *again, later).fired == 1


def test_caps_count_a_customer_wherever_they_are() -> None:
    decisions = [a_past(n, n * 60, customer_id=7) for n in range(4)]
    result = tried(a_campaign(caps={"per_visitor": 2}), *reversed(decisions))
    assert (result.fired, result.shoppers, result.left_out) == (2, 1, {"capped": 2})


def test_a_total_counts_all_shoppers_together_and_what_stands_is_not_one_more() -> None:
    decisions = [a_past(n, n) for n in range(4)]
    again = a_past(9, 9, checkout_token="t0")
    result = tried(a_campaign(caps={"total": 2}), *decisions, again)
    assert (result.fired, result.left_out) == (2, {"capped": 2})


def test_who_comes_back_in_the_same_browser_is_one_shopper() -> None:
    decisions = [a_past(n, n * 60, unit="browser") for n in range(3)]
    result = tried(a_campaign(caps={"per_visitor": 1}), *decisions, a_past(9, unit="another"))
    assert (result.fired, result.shoppers, result.left_out) == (2, 2, {"capped": 2})


def test_nothing_is_shown_where_its_place_was_not_asked_for() -> None:
    decisions = [
        a_past(n, situation={"wants": wants}) for n, wants in enumerate(("all", "products", "messages"))
    ]
    bar = {"kind": "progress", "target": "150"}
    pick = {"kind": "upsell", "product_ids": [20]}
    shown = [tried(a_campaign(offer=offer), *decisions).fired for offer in (bar, pick)]
    assert (shown, tried(a_campaign(), *decisions).fired) == ([2, 2], 2)


def test_products_that_can_not_be_had_are_offered_to_nobody() -> None:
    picks = [a_campaign(offer={"kind": "upsell", "product_ids": ids}) for ids in ([404, 20], [404])]
    assert [tried(each, a_past(1)).left_out for each in picks] == [{}, {"unavailable": 1}]


def test_a_coupon_lasts_for_its_shopper_and_is_not_given_twice() -> None:
    coupon = a_campaign(offer=TEN_PERCENT, expires_s=3_600)
    result = tried(coupon, *(a_past(n, n * 40, customer_id=7) for n in range(4)))
    # At 0 and 40 minutes it is good, at 80 and 120 it is over.
    assert (result.fired, result.left_out) == (2, {"over": 2})
    assert tried(coupon, a_past(1, checkout_token=None, bought=None)).left_out == {"unremembered": 1}


def test_what_is_written_to_who_left_can_not_be_tried_on_checkouts() -> None:
    with pytest.raises(InputError, match="who left a checkout"):
        tried(a_campaign(trigger="abandonment", offer=TEN_PERCENT), a_past(1))


def test_the_schedule_counts_in_the_shops_zone() -> None:
    evening = a_campaign(schedule={"hours": [20, 22]})
    assert tried(evening, a_past(1)).fired == 0
    assert dry_run(evening, [a_past(1)], CATALOG, "Asia/Tokyo", {}).fired == 1


def test_what_decisions_do_not_tell_is_not_judged_and_said() -> None:
    pages = a_campaign(rule={">": [{"var": "visit.pages"}, 3]})
    result = tried(
        pages,
        a_past(1),
        a_past(2, situation=with_facts(visit__pages=5)),
        a_past(3, situation=with_facts(visit__pages=2)),
        a_past(4, situation=with_facts()),  # a shop with campaigns: nothing was known of the visit
        a_past(5, permitted=()),  # nothing could be known
    )
    assert (result.judged, result.fired, result.missing) == (4, 1, {"visit.pages": 1})
    assert tried(pages, a_past(1)).says() == "None of the last 1 decisions tells all that the rule reads."


def test_engagement_that_was_not_told_is_not_taken_for_none() -> None:
    two = a_campaign(evidence=2)
    assert tried(two, a_past(1)).missing == {"evidence": 1}
    assert tried(two, a_past(1, permitted=())).judged == 1
    assert tried(two, a_past(1, situation={"viewed": [10]})).fired == 1
    engaged = with_facts(cart__lines=1, visit__pages=4)
    assert tried(two, a_past(1, situation=engaged)).fired == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cart.subtotal", 100.0),
        ("cart.product_ids", ("10",)),
        ("cart.product_types", ("Skis",)),
        ("cart.collections", ("snow",)),
        ("visit.viewed_product_ids", ("10", "20")),
        ("visit.viewed_collections", ("snow",)),
        ("visit.viewed_dearest_price", 1200.0),
        ("profile.orders", 3),
        ("profile.segments", ("loyal",)),
        ("profile.days_since_order", 12),
        ("shopper.cold", False),
        ("checkout.surface", "checkout"),
        ("time.weekday", "wednesday"),
    ],
)
def test_a_decision_tells_much_of_itself(name: str, value: object) -> None:
    told = {
        "viewed": [10, 20], "orders": 3, "segments": ["loyal"], "history": [[10, 1, 40.5], [20, 1, 12.7]],
    }  # fmt: skip
    assert facts_of_past(a_past(1, customer_id=7, situation=told), CATALOG, NOW.tzinfo)[name] == value  # type: ignore[arg-type]


def test_orders_of_which_shopify_alone_tells_are_logged_for_it_and_tried_with() -> None:
    assert "profile.orders" in ALWAYS
    past = a_past(1, customer_id=7, situation=with_facts(profile__orders=12))
    assert facts_of_past(past, CATALOG, NOW.tzinfo)["profile.orders"] == 12  # type: ignore[arg-type]


def test_what_was_not_allowed_was_not_known_whatever_else_is_logged() -> None:
    facts = facts_of_past(a_past(1, permitted=(), situation={"viewed": [10]}), CATALOG, NOW.tzinfo)  # type: ignore[arg-type]
    assert {facts[name] for name in ("visit.viewed_product_ids", "visit.pages", "profile.orders")} == {None}


def test_decisions_are_told_apart_by_time_and_not_by_how_they_come() -> None:
    campaign = a_campaign(caps={"per_visitor": 1})
    first = a_past(1, 0, checkout_token="t", bought=True)
    second = a_past(2, 60, checkout_token="t")
    assert tried(campaign, first, second) == tried(campaign, second, first)
    assert isinstance(first.at, datetime)
