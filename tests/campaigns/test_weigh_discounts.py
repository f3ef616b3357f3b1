"""What keeps a discount back: each test is one thing a merchant, or Shopify, says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from app.campaigns.campaign import Campaign
from app.campaigns.plan import Plan
from app.campaigns.shopper_history import CampaignHistory
from tests.campaigns.factories import AT, NOW, TEN_PERCENT, a_campaign, a_plan, shown, weighed

RICH = {">": [{"var": "cart.subtotal"}, 50]}
HELD = CampaignHistory(1, 1, AT - 60, AT - 60, AT - 60, "here", "TEN", AT + 3_600)


def a_coupon(**discount: Any) -> Campaign:
    return a_campaign("ten", offer={"kind": "coupon", "discount": discount})


def test_a_code_is_wanted_only_where_one_can_be_had_and_remembered() -> None:
    plan = a_plan(a_campaign("ten", offer=TEN_PERCENT), a_campaign("next", priority=-1))
    assert shown(plan) == ["ten"]
    without = {"unremembered": {"remembers": False}, "no_code": {"lacking": ("ten",)}}
    for why, what in without.items():
        result = weighed(plan, **what)  # type: ignore[arg-type]
        assert [each.campaign_id for each in result.chosen] == ["next"]
        assert result.left_out == {"ten": why}


def test_a_discount_of_the_function_needs_no_code() -> None:
    plan = a_plan(a_coupon(percentage=10, with_code=False))
    assert shown(plan, remembers=False) == ["ten"]


def without_codes(**discounts: tuple[str, ...]) -> Plan:
    """Return the plan of discounts without a code, first things first. discounts: what each goes with."""
    terms = {"percentage": 5, "with_code": False}
    offers = [{"kind": "coupon", "discount": terms | {"combines_with": each}} for each in discounts.values()]
    return a_plan(
        *(a_campaign(name, priority=-n, offer=offers[n]) for n, name in enumerate(discounts))
    )  # fmt: skip


def test_a_discount_without_a_code_is_not_promised_beside_a_code_that_it_does_not_go_with() -> None:
    alone, beside = without_codes(five=()), without_codes(five=("order",))
    assert [weighed(each, applied=1).left_out for each in (alone, beside)] == [{"five": "beside"}, {}]
    goes = {"percentage": 10, "combines_with": ["order"], "applies_to": "product"}  # an order's, to Shopify
    for combines, left_out in ((goes, {}), (goes | {"combines_with": []}, {"five": "beside"})):
        held = a_campaign("ten", priority=-9, offer={"kind": "coupon", "discount": combines})
        five = beside.planned[0].campaign
        assert weighed(a_plan(five, held), fired={"ten": HELD}).left_out == left_out


def test_of_discounts_without_a_code_one_is_promised_in_all_places_of_a_session() -> None:
    plan, there = without_codes(first=(), second=()), CampaignHistory(1, 1, AT - 9, AT - 9, AT - 9, "there")
    assert weighed(plan, fired={"second": there}).left_out == {"first": "beside"}
    assert shown(plan, fired={"second": there}) == ["second"]
    assert shown(plan, fired={"second": there}, place="there") == ["first"]
    for gone in ({"dismissed": True}, {"in_session": 0}):
        assert shown(plan, fired={"second": replace(there, **gone)})[0] == "first"


def test_of_two_discounts_without_a_code_that_came_up_at_once_one_stays() -> None:
    plan = without_codes(first=(), second=())
    here = CampaignHistory(1, 1, AT - 9, AT - 9, AT - 9, "here")
    both = {"first": here, "second": replace(here, place="there")}
    assert [shown(plan, fired=both, place=place) for place in ("here", "there")] == [["first"], ["first"]]


def test_a_code_already_given_stays_good_until_its_own_end_when_the_campaigns_comes_first() -> None:
    over = {"ends_at": (NOW - timedelta(minutes=1)).isoformat()}
    plan = a_plan(a_campaign("ten", offer=TEN_PERCENT, schedule=over))
    assert shown(plan, fired={"ten": HELD}, lacking=("ten",)) == ["ten"]
    assert shown(plan) == []
    assert shown(plan, fired={"ten": CampaignHistory(1, 1, AT - 60, AT - 60, 0, "here", "TEN", AT)}) == []


def test_a_code_that_was_promised_is_shown_wherever_its_shopper_goes() -> None:
    plan = a_plan(a_campaign("ten", offer=TEN_PERCENT, caps={"per_visitor": 1, "per_session": 1}))
    assert shown(plan, fired={"ten": HELD}, place="elsewhere") == ["ten"]


def test_nobody_holds_more_codes_than_the_merchant_lets_them() -> None:
    ten, five = a_campaign("ten", offer=TEN_PERCENT), a_campaign("five", priority=1, offer=TEN_PERCENT)
    assert weighed(a_plan(ten, five), fired={"ten": HELD}).left_out == {"five": "limit"}
    assert shown(a_plan(ten, five), fired={"ten": HELD}) == ["ten"]
    two = a_plan(ten, five, settings={"discount_limits": {"codes": 2}})
    assert shown(two, fired={"ten": HELD}) == ["five"]


def test_a_code_on_the_cart_leaves_no_room_for_another_but_for_one_that_was_promised() -> None:
    ten = a_campaign("ten", offer=TEN_PERCENT)
    assert weighed(a_plan(ten), applied=1).left_out == {"ten": "limit"}
    assert shown(a_plan(ten), applied=1, fired={"ten": HELD}) == ["ten"]
    assert shown(a_plan(ten, settings={"discount_limits": {"codes": 2}}), applied=1) == ["ten"]


def test_no_discount_is_higher_than_the_merchants_limit() -> None:
    plan = a_plan(a_campaign("ten", offer=TEN_PERCENT), settings={"discount_limits": {"percent": 9}})
    assert weighed(plan).left_out == {"ten": "limit"}


def test_an_amount_is_no_higher_a_share_of_the_cart_than_the_limit() -> None:
    offer = {"kind": "coupon", "discount": {"amount": "20"}}
    plan = a_plan(a_campaign("off", offer=offer), settings={"discount_limits": {"percent": 25}})
    assert shown(plan, subtotal_minor=8_000) == ["off"]  # 20 of 80 -> 25 %
    assert weighed(plan, subtotal_minor=7_999).left_out == {"off": "limit"}


@pytest.mark.parametrize(
    ("discount", "spare_minor", "given"),
    [
        ({"percentage": 10}, 1_000, True),  # 10 % of 100.00 is 10.00
        ({"percentage": 10}, 999, False),
        ({"percentage": 10}, None, True),  # no cost was told
        ({"amount": "10"}, 1_000, True),
        ({"amount": "10.01"}, 1_000, False),
        ({"percentage": 100, "applies_to": "shipping"}, 0, True),
        ({"percentage": 100, "applies_to": "shipping"}, -1, False),
    ],
)
def test_nothing_is_sold_at_a_loss(discount: dict[str, Any], spare_minor: int | None, given: bool) -> None:
    plan = a_plan(a_coupon(**discount))
    result = weighed(plan, spare_minor=spare_minor)
    assert bool(result.chosen) is given
    assert result.left_out == ({} if given else {"ten": "margin"})


@pytest.mark.parametrize(
    ("discount", "spare_minor", "left_out"),
    [
        ({"percentage": 10}, 100, {}),  # 10 % of 10.00 is 1.00
        ({"percentage": 10}, 99, {"ten": "margin"}),
        ({"amount": "12"}, 999, {"ten": "limit"}),  # no more than 10.00 can be taken off, which is all of it
        ({"amount": "5"}, 499, {"ten": "margin"}),
        ({"amount": "5"}, 500, {}),
    ],
)
def test_off_a_gift_card_nothing_is_taken(
    discount: dict[str, Any], spare_minor: int, left_out: dict[str, str]
) -> None:
    plan = a_plan(a_coupon(**discount), settings={"discount_limits": {"percent": 50}})
    result = weighed(plan, subtotal_minor=10_000, cards_minor=9_000, spare_minor=spare_minor)
    assert result.left_out == left_out


def test_a_discount_that_is_taken_off_already_is_not_held_back_by_what_it_leaves() -> None:
    plan = a_plan(a_coupon(percentage=10, minimum="100"))
    poor: dict[str, Any] = {"fired": {"ten": HELD}, "subtotal_minor": 9_000, "spare_minor": -1}
    assert weighed(plan, **poor).left_out == {"ten": "minimum"}
    assert weighed(plan, **poor, taken=("ten",)).left_out == {}
    low = a_plan(a_coupon(percentage=10), settings={"discount_limits": {"percent": 5}})
    assert weighed(low, **poor, taken=("ten",)).left_out == {"ten": "limit"}


def test_a_discount_is_rounded_up_before_it_is_compared() -> None:
    (planned,) = a_plan(a_campaign("ten", offer=TEN_PERCENT)).planned
    assert planned.takes_minor(1_001) == 101  # 100.1


def test_a_cart_of_subscriptions_alone_is_given_no_code_which_shopify_would_refuse() -> None:
    plan = a_plan(a_coupon(percentage=10))
    for fired in ({}, {"ten": HELD}):
        assert weighed(plan, subscribed=True, fired=fired).left_out == {"ten": "subscribed"}
    without_code = a_plan(a_coupon(percentage=10, with_code=False))
    assert weighed(without_code, subscribed=True).left_out == {}


def test_a_company_whose_prices_are_its_own_is_given_no_discount_though_its_buyer_was_promised_one() -> None:
    for with_code in (True, False):
        plan = a_plan(a_coupon(percentage=10, with_code=with_code))
        assert weighed(plan, company=True, fired={"ten": HELD}).left_out == {"ten": "company"}
    banner = a_plan(a_campaign("hello", offer={"kind": "banner"}))
    assert weighed(banner, company=True).left_out == {}


def test_a_minimum_keeps_a_discount_back() -> None:
    plan = a_plan(a_coupon(percentage=10, minimum="100.01"))
    assert weighed(plan).left_out == {"ten": "minimum"}
    assert weighed(plan, subtotal_minor=10_001).left_out == {}


@pytest.mark.parametrize(
    ("discount", "why"),
    [
        ({"percentage": 10}, None),
        ({"percentage": 100, "applies_to": "shipping"}, None),
        ({"percentage": 10, "minimum": "20"}, "unknown_cart"),  # its rate is Shopify's alone to know
        ({"amount": "10"}, "unknown_cart"),
    ],
)
def test_a_cart_in_another_currency_is_given_a_share_and_no_amount(
    discount: dict[str, Any], why: str | None
) -> None:
    result = weighed(a_plan(a_coupon(**discount)), subtotal_minor=None, home_minor=9_000)
    assert result.left_out.get("ten") == why
    unpriced = weighed(a_plan(a_coupon(**discount)), subtotal_minor=None)
    assert unpriced.left_out == {"ten": "unknown_cart"}


def test_a_cart_in_another_currency_is_not_sold_at_a_loss_at_the_shops_own_prices() -> None:
    plan = a_plan(a_coupon(percentage=10))  # 9.00 of 90.00

    def why(spare_minor: int) -> str | None:
        result = weighed(plan, subtotal_minor=None, home_minor=9_000, spare_minor=spare_minor)
        return result.left_out.get("ten")

    assert (why(900), why(899)) == (None, "margin")
