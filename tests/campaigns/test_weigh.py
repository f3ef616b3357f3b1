"""Which campaign is shown when: each test is one thing a merchant can say."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from app.campaigns.campaign import Campaign
from app.campaigns.plan import Plan, Planned
from app.campaigns.shopper_history import CampaignHistory
from app.campaigns.weigh import LookUp, reweigh, weigh
from tests.campaigns.factories import (
    AT,
    DAY_S,
    NOW,
    a_campaign,
    a_plan,
    inputs,
    nobody,
    shown,
    weighed,
)

RICH = {">": [{"var": "cart.subtotal"}, 50]}
PROGRESS = {"kind": "progress", "target": "150"}
HELD = CampaignHistory(1, 1, AT - 60, AT - 60, AT - 60, "here", "TEN", AT + 3_600)


def a_coupon(**discount: Any) -> Campaign:
    return a_campaign("ten", offer={"kind": "coupon", "discount": discount})


def test_a_campaign_whose_rule_holds_is_shown_and_no_other() -> None:
    plan = a_plan(a_campaign(rule=RICH))
    assert shown(plan, facts={"cart.subtotal": 60.0}) == ["help"]
    assert shown(plan, facts={"cart.subtotal": 50.0}) == []
    assert shown(plan, facts={}) == []


def test_the_highest_priority_takes_the_place_and_the_next_the_others() -> None:
    low, high = a_campaign("low"), a_campaign("high", priority=10)
    bar = a_campaign("bar", priority=-5, offer=PROGRESS)
    assert shown(a_plan(low, bar, high)) == ["high", "bar"]


def test_equal_priorities_go_by_their_ids_whatever_order_they_come_in() -> None:
    one, two = a_campaign("one"), a_campaign("two")
    assert shown(a_plan(two, one)) == shown(a_plan(one, two)) == ["one"]


def test_nothing_is_looked_at_behind_one_that_stops() -> None:
    stops = a_campaign("stops", priority=1, stop=True)
    bar = a_campaign("bar", offer=PROGRESS)
    assert shown(a_plan(stops, bar)) == ["stops"]
    assert shown(a_plan(a_campaign("stops", priority=1, stop=True, rule=RICH), bar)) == ["bar"]


def test_of_hundreds_only_those_that_are_come_to_are_asked_and_looked_up() -> None:
    banners = [a_campaign(f"banner{n:03}") for n in range(300)]
    plan = a_plan(*banners, a_campaign("bar", priority=-1, offer=PROGRESS))
    looked_up: list[str] = []

    def lacks(planned: Planned) -> bool:
        looked_up.append(planned.id)
        return planned.id == "banner000"

    first = weigh(plan, inputs(), "d", nobody, LookUp(lacking=lacks))
    assert [each.campaign_id for each in first.chosen] == ["banner000", "bar"]
    assert set(looked_up) == {f"banner{n:03}" for n in range(4)} | {"bar"}  # four are asked at once
    assert first.inputs.lacking == ("banner000",)
    assert reweigh(plan, first, "d") == first


def test_of_a_group_only_the_first_that_matches_is_shown() -> None:
    first = a_campaign("first", priority=2, group="welcome", rule=RICH)
    second = a_campaign("second", priority=1, group="welcome", offer=PROGRESS)
    assert shown(a_plan(first, second), facts={"cart.subtotal": 60.0}) == ["first"]
    assert shown(a_plan(first, second), facts={"cart.subtotal": 40.0}) == ["second"]


@pytest.mark.parametrize(
    ("schedule", "open_"),
    [
        ({"starts_at": NOW + timedelta(seconds=1)}, False),
        ({"starts_at": NOW}, True),
        ({"ends_at": NOW}, False),
        ({"ends_at": NOW + timedelta(seconds=1)}, True),
        ({"weekdays": [3]}, True),  # a Wednesday
        ({"weekdays": [1, 2]}, False),
        ({"hours": [12, 13]}, True),
        ({"hours": [9, 12]}, False),
        ({"hours": [22, 6]}, False),
        ({"hours": [22, 13]}, True),  # past midnight until one in the afternoon
        ({"hours": [22, 13], "weekdays": [2]}, True),  # which began on Tuesday
        ({"hours": [22, 13], "weekdays": [3]}, False),  # which begins tonight
        ({"hours": [12, 6], "weekdays": [3]}, True),
    ],
)
def test_it_runs_as_scheduled(schedule: dict[str, Any], open_: bool) -> None:
    written = {
        name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in schedule.items()
    }  # fmt: skip
    assert (shown(a_plan(a_campaign(schedule=written))) == ["help"]) is open_


def test_hours_and_weekdays_are_the_shops_own() -> None:
    # 12:00 UTC is 21:00 in Tokyo and 01:00 on Thursday in Auckland (UTC+13 in November).
    evening = a_campaign(schedule={"hours": [20, 22]})
    thursday = a_campaign(schedule={"weekdays": [4], "hours": [1, 2]})
    assert shown(a_plan(evening, zone="Asia/Tokyo")) == ["help"]
    assert shown(a_plan(evening)) == []
    assert shown(a_plan(thursday, zone="Pacific/Auckland")) == ["help"]
    assert shown(a_plan(evening, zone="Atlantis/Capital")) == []  # UTC


def test_one_action_alone_is_not_enough_where_more_evidence_is_asked_for() -> None:
    plan = a_plan(a_campaign(evidence=2))
    assert shown(plan, evidence=("cart",)) == []
    assert shown(plan, evidence=("cart", "dwell")) == ["help"]


@pytest.mark.parametrize(
    ("caps", "fired", "allowed"),
    [
        ({"per_visitor": 2}, CampaignHistory(times=1, in_session=1, place="there"), True),
        ({"per_visitor": 2}, CampaignHistory(times=2, in_session=1, place="there"), False),
        ({"per_session": 1}, CampaignHistory(times=1, in_session=1, place="there"), False),
        ({"per_session": 1}, CampaignHistory(times=5, in_session=0), True),
        (
            {"per_visitor": 1, "per_session": 1},
            CampaignHistory(times=1, in_session=1, place="here"),
            True,
        ),  # it stands
    ],
)
def test_it_is_shown_as_often_as_it_may_be(
    caps: dict[str, int], fired: CampaignHistory, allowed: bool
) -> None:
    result = weighed(a_plan(a_campaign(caps=caps)), fired={"help": fired})
    assert bool(result.chosen) is allowed
    assert result.left_out == ({} if allowed else {"help": "capped"})


def test_what_stands_in_two_places_stays_in_both_when_it_may_be_shown_no_more() -> None:
    plan = a_plan(a_campaign(caps={"per_visitor": 2}))
    both = CampaignHistory(2, 2, AT - 9, AT - 9, AT - 9, "there here")
    assert [shown(plan, fired={"help": both}, place=place) for place in ("here", "there")] == [["help"]] * 2
    assert shown(plan, fired={"help": both}, place="elsewhere") == []


def test_what_was_shown_to_all_often_enough_is_shown_no_more() -> None:
    plan = a_plan(a_campaign(caps={"total": 3}), a_campaign("next", priority=-1))
    assert shown(plan, spent=("help",)) == ["next"]


def test_where_it_can_not_be_read_what_was_shown_nothing_with_a_cap_is() -> None:
    plan = a_plan(a_campaign("capped", caps={"per_visitor": 9}, priority=1), a_campaign("free"))
    assert shown(plan, unread=True, remembers=False) == ["free"]


def test_what_was_sent_away_stays_away() -> None:
    gone = CampaignHistory(times=1, in_session=1, place="here", dismissed=True)
    assert weighed(a_plan(a_campaign()), fired={"help": gone}).left_out == {"help": "dismissed"}


def test_a_delayed_one_waits_until_it_has_matched_for_long_enough() -> None:
    plan = a_plan(a_campaign(delay_s=60))
    assert weighed(plan).waiting == ("help",)
    assert weighed(plan, fired={"help": CampaignHistory(matched_at=AT - 59)}).waiting == ("help",)
    assert shown(plan, fired={"help": CampaignHistory(matched_at=AT - 60)}) == ["help"]
    assert shown(plan, remembers=False) == []  # since when it matches can't be known


def test_it_is_over_for_a_shopper_when_their_time_is_not_the_campaigns() -> None:
    plan = a_plan(a_campaign(expires_s=DAY_S))
    assert shown(plan, fired={"help": CampaignHistory(1, 1, AT - DAY_S + 1, AT - 100)}) == ["help"]
    assert weighed(plan, fired={"help": CampaignHistory(1, 1, AT - DAY_S, AT - 100)}).left_out == {
        "help": "over"
    }


def test_who_is_withheld_sees_nothing_of_it_and_nothing_in_its_place_of_the_group() -> None:
    plan = a_plan(
        a_campaign("a", priority=2, group="g", holdout=0.5), a_campaign("b", priority=1, group="g")
    )  # fmt: skip
    result = weigh(plan, inputs(), "d", lambda name, share: (name, share) == ("a", 0.5))
    assert (result.chosen, result.matched, result.withheld) == ((), ("a",), {"a"})


def test_a_progress_needs_a_cart_it_can_measure_and_an_upsell_something_to_add() -> None:
    bar, upsell = (
        a_campaign("bar", offer=PROGRESS),
        a_campaign("up", offer={"kind": "upsell", "product_ids": [10]}),
    )
    result = weighed(a_plan(bar, upsell), subtotal_minor=None)
    assert result.left_out == {"bar": "unknown_cart", "up": "in_cart"}
    assert shown(a_plan(bar, upsell), cart=(20,)) == ["bar", "up"]


def test_products_that_can_not_be_had_leave_their_place_to_others() -> None:
    gone, there = (
        a_campaign(name, offer={"kind": "upsell", "product_ids": [20]}) for name in ("gone", "there")
    )
    result = weighed(a_plan(gone, there), lacking=("gone",))
    assert ([each.campaign_id for each in result.chosen], result.left_out) == (
        ["there"],
        {"gone": "unavailable"},
    )


def test_three_products_are_the_most_that_campaigns_offer() -> None:
    ups = [a_campaign(f"up{n}", offer={"kind": "upsell", "product_ids": [n]}) for n in range(1, 6)]
    assert shown(a_plan(*ups)) == ["up1", "up2", "up3"]


ARMS = [a_campaign(name, choice="tone") for name in ("kind", "short", "loud")]
WEIGHTS = {"tone": {"kind": 0.7, "short": 0.2, "loud": 0.1}}


def test_competing_campaigns_are_drawn_by_their_weights_and_the_odds_are_told() -> None:
    plan = a_plan(*ARMS, weights=WEIGHTS)
    drawn = [weighed(plan, f"d{n}").chosen[0] for n in range(4_000)]
    counts = Counter(each.campaign_id for each in drawn)
    # 4,000 draws: four standard deviations of 0.7 are 4 * sqrt(4000 * 0.7 * 0.3) = 116, of 0.1 they are 76.
    assert abs(counts["kind"] - 2_800) < 116
    assert abs(counts["loud"] - 400) < 76
    assert {(each.campaign_id, each.propensity) for each in drawn} == {
        ("kind", 0.7), ("short", 0.2), ("loud", 0.1),
    }  # fmt: skip


def test_the_odds_are_those_among_the_eligible() -> None:  # 0.2 and 0.1 of 0.3
    plan = a_plan(*ARMS, weights=WEIGHTS)
    gone = {"kind": CampaignHistory(dismissed=True)}
    drawn = {
        (c.campaign_id, c.propensity) for n in range(300) for c in weighed(plan, f"d{n}", fired=gone).chosen
    }
    assert drawn == {("short", 0.666667), ("loud", 0.333333)}


def test_without_weights_all_are_as_likely_and_the_same_decision_draws_the_same() -> None:
    plan = a_plan(*ARMS)
    assert {weighed(plan, f"d{n}").chosen[0].propensity for n in range(50)} == {0.333333}
    assert [shown(plan, f"d{n}") for n in range(50)] == [shown(plan, f"d{n}") for n in range(50)]


def test_all_blocks_of_a_checkout_draw_the_same() -> None:
    plan = a_plan(*ARMS)
    drawn = [{shown(plan, f"d{n}", draw_by=f"c{c}")[0] for n in range(9)} for c in range(50)]
    assert {len(each) for each in drawn} == {1}
    assert set.union(*drawn) == {"kind", "loud", "short"}


def test_what_was_drawn_before_stays_where_it_stands() -> None:
    stands = {"loud": CampaignHistory(1, 1, AT, AT, AT, "here")}
    chosen = [weighed(a_plan(*ARMS), f"d{n}", fired=stands).chosen[0] for n in range(50)]
    assert {(each.campaign_id, each.propensity) for each in chosen} == {("loud", 1.0)}


def shown_to_many(plan: Plan) -> set[tuple[str, ...]]:
    return {tuple(shown(plan, f"d{n}")) for n in range(40)}


def test_of_a_group_one_is_shown_also_where_campaigns_compete() -> None:
    pick = {"kind": "upsell", "product_ids": [20]}
    kind, loud = (
        a_campaign(name, choice="tone", group=group) for name, group in (("kind", None), ("loud", "g"))
    )
    earlier = a_campaign("pick", offer=pick, group="g", priority=9)
    assert shown_to_many(a_plan(earlier, kind, loud)) == {("pick", "kind")}
    later = a_campaign("pick", offer=pick, group="g", priority=-9)
    assert shown_to_many(a_plan(kind, loud, later)) == {("kind",), ("loud",)}


def test_nothing_is_looked_at_behind_a_competing_one_that_stops() -> None:
    between, behind = (
        a_campaign(name, offer=PROGRESS, priority=n) for name, n in (("between", 4), ("behind", 2))
    )
    kind, loud = (
        a_campaign("kind", choice="tone", priority=5),
        a_campaign("loud", choice="tone", priority=3, stop=True),
    )
    last = a_campaign("last", choice="tone")
    assert shown_to_many(a_plan(kind, loud, last, behind)) == {("kind",), ("loud",)}
    assert shown_to_many(a_plan(kind, between, loud)) == {("kind", "between"), ("loud", "between")}


def test_a_logged_weighing_comes_to_the_same_again() -> None:
    plan = a_plan(*ARMS, a_campaign("bar", offer=PROGRESS, holdout=0.5), a_campaign("a", rule=RICH))
    for n in range(50):
        logged = weigh(
            plan, inputs(facts={"cart.subtotal": n * 2.0}), f"d{n}", lambda _n, _s, at=n: at % 2 == 0
        )  # type: ignore[misc]
        assert reweigh(plan, logged, f"d{n}") == logged


def test_who_is_withheld_from_a_rival_is_told_so_that_the_draw_is_made_again_among_the_same() -> None:
    plan = a_plan(*(a_campaign(name, choice="best", holdout=0.5) for name in ("a", "b", "c")))
    for n in range(50):
        first = weigh(plan, inputs(), f"d{n}", lambda name, _share, n=n: (n + ord(name)) % 3 == 0)
        assert reweigh(plan, first, f"d{n}") == first
        assert first.withheld
