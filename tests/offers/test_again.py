"""When a checkout is told to ask again: for the sake of campaigns that its visitor lets know of the visit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.campaigns.campaign import Campaign, Running
from app.campaigns.shopper_history import CampaignHistory, ShopperHistory, pack, place_of
from app.consent.policy import permissions, settle
from app.offers.again import is_empty_poll
from app.offers.answer import answer_to
from app.offers.campaigns import with_campaigns
from app.offers.degraded import degraded_answer
from app.offers.ranked import RankingCache
from app.offers.replay import entry_of, replay
from app.offers.situation import Occasion, situation_of
from app.offers.wire import Answer, Question, read_question
from app.profiles.recall import Shopper
from app.profiles.visit import Visit
from tests.campaigns.factories import a_campaign
from tests.offers.factories import EVERYTHING, NOW, a_body, a_shop, as_json, goes_together

MODEL = goes_together({(10, 20): 1.0})
BAR = {"kind": "progress", "key": "progress.free_shipping", "target": "500"}
GONE = CampaignHistory(times=1, in_session=1, place=place_of("checkout", "token"), dismissed=True)
SENT_AWAY = Shopper(unit="checkout:token", nudged=pack(ShopperHistory(int(NOW.timestamp()), {"help": GONE})))
STAYS = {">=": [{"var": "checkout.dwell_s"}, 60]}
VISIT = Visit(began_at=int(NOW.timestamp()) - 60, last_at=int(NOW.timestamp()), visits=1)


def a_question(**changes: Any) -> Question:
    return read_question(as_json(a_body(10, **({"consent": EVERYTHING} | changes))))


def answered(*campaigns: Campaign, **changes: Any) -> Answer:
    occasion = asked(*campaigns, **changes)
    return answer_to(occasion, with_campaigns(occasion, situation_of(occasion)))


def asked(*campaigns: Campaign, shopper: Shopper | None = None, **changes: Any) -> Occasion:
    running = [Running(each, number) for number, each in enumerate(campaigns)]
    shop = a_shop(model=MODEL, campaigns=running, **changes.pop("shop", {}))
    question = a_question(**changes)
    consent = settle(question.consent, question.region, shop.policy)
    known = shopper or Shopper(unit="checkout:token")
    return Occasion("d", NOW, shop, question, consent, permissions(consent), known)


def idle(*campaigns: Campaign, **changes: Any) -> bool:
    occasion = asked(*campaigns, **changes)
    situation = with_campaigns(occasion, situation_of(occasion))
    return is_empty_poll(situation, answer_to(occasion, situation))


def stayed(seconds: float) -> dict[str, Any]:
    return {"signals": {"dwell_ms": int(seconds * 1000)}, "wants": "message"}


def test_it_is_asked_again_once_a_rules_time_is_over_and_is_then_told() -> None:
    campaign = a_campaign(rule=STAYS)
    first = answered(campaign)
    assert ({each.campaign for each in first.offers}, first.again_s) == ({None}, 61)
    then = answered(campaign, **stayed(61))
    assert ([each.campaign for each in then.offers], then.again_s) == (["help"], None)
    assert answered(campaign, wants="messages").again_s == 61


def test_a_question_of_which_nothing_comes_is_told_of_only_where_a_message_was_held_back() -> None:
    assert idle(a_campaign(rule=STAYS), **stayed(30))
    assert idle(**stayed(30))
    assert not idle(a_campaign(rule=STAYS), **stayed(61))
    assert not idle(a_campaign(rule=STAYS, holdout=0.999999), **stayed(61))
    assert not idle(a_campaign(rule=STAYS))
    bar = a_campaign("bar", offer=BAR)
    assert idle(a_campaign(rule=STAYS), bar, **stayed(30))
    assert idle(a_campaign(delay_s=90), **stayed(30))
    assert idle(a_campaign(), shopper=SENT_AWAY, **stayed(30))


def test_the_first_question_of_a_place_for_messages_is_a_decision_whatever_comes_of_it() -> None:
    assert not idle(wants="messages")
    assert not idle(a_campaign(rule=STAYS), wants="messages")


def test_a_question_for_messages_is_answered_with_no_product_and_one_for_a_message_with_no_progress() -> None:
    bar = a_campaign("bar", offer=BAR)
    pick = a_campaign("pick", offer={"kind": "upsell", "product_ids": [30]})
    everything = answered(a_campaign(), bar, pick)
    assert {each.campaign for each in everything.offers} == {"help", "bar", "pick", None}
    for wants, said in (("messages", ["bar", "help"]), ("message", ["help"])):
        assert [each.campaign for each in answered(a_campaign(), bar, pick, wants=wants).offers] == said


def test_where_there_is_no_place_for_products_none_is_ranked() -> None:
    for wants, asked_for in (("all", 1), ("products", 1), ("messages", 0), ("message", 0)):
        occasion, known = asked(a_campaign(), wants=wants), RankingCache()
        answer_to(occasion, with_campaigns(occasion, situation_of(occasion)), known)
        assert known.asked == asked_for


def test_in_haste_and_outside_the_personalised_arm_messages_are_none_rather_than_products() -> None:
    assert degraded_answer(asked(a_campaign(), wants="messages"), "busy").offers == ()
    for arm in ("static", "holdout"):
        arms = {"settings": {"arms": {arm: 1}}}
        assert answered(a_campaign(), wants="messages", shop=arms).offers == ()


def test_of_what_there_is_no_place_for_nothing_is_used_up() -> None:
    pick = a_campaign("pick", offer={"kind": "upsell", "product_ids": [30]})
    answer = answered(a_campaign(), pick, wants="products")
    assert {each.campaign for each in answer.offers} == {"pick", None}
    bar = a_campaign("bar", offer=BAR)
    for wants, chosen in (("products", ["pick"]), ("messages", ["bar", "help"]), ("message", ["help"])):
        occasion = asked(a_campaign(), bar, pick, wants=wants)
        weighed = with_campaigns(occasion, situation_of(occasion)).campaigns
        assert weighed is not None
        assert [each.campaign_id for each in weighed.chosen] == chosen
        assert weighed.matched == tuple(chosen)


@pytest.mark.parametrize(
    "changes",
    [
        {"consent": {}, "region": {"country": "DE"}},
        {"consent": EVERYTHING | {"analytics": False}},
        {"surface": "thank_you"},
        {"wants": "products"},
        {"surface": "storefront"},
        {"shop": {"settings": {"arms": {"static": 1}}}},
        {"shop": {"settings": {"arms": {"static": 1}, "holdout": 1}}},
        {"shop": {"settings": {"arms": {"holdout": 1}}}},
    ],
)
def test_it_is_not_asked_again_where_nothing_could_come_of_it(changes: dict[str, Any]) -> None:
    assert answered(a_campaign(rule=STAYS), **changes).again_s is None
    assert answered(a_campaign(delay_s=90), **changes).again_s is None


def test_the_order_summary_is_asked_again_as_the_checkout_is_and_meant_by_its_rules() -> None:
    stays = a_campaign(rule={"and": [STAYS, {"==": [{"var": "checkout.surface"}, "checkout"]}]})
    both = [answered(stays, surface=each).again_s for each in ("checkout", "checkout_lines")]
    assert both[0] == both[1] is not None
    here = a_campaign(rule={"==": [{"var": "checkout.surface"}, "checkout"]})
    assert [each.campaign for each in answered(here, surface="checkout_lines").offers][:1] == ["help"]


def test_a_shop_without_campaigns_or_with_such_as_time_does_not_change_is_asked_once() -> None:
    assert answered().again_s is None
    assert answered(a_campaign(rule={">": [{"var": "cart.subtotal"}, 500]})).again_s is None
    assert b"again_s" not in msgspec.json.encode(answered())


def test_while_a_message_stands_there_is_no_asking_for_another() -> None:
    assert answered(a_campaign("now"), a_campaign(rule=STAYS)).again_s is None


def test_no_time_is_waited_for_by_what_has_no_place_above_the_products() -> None:
    assert answered(a_campaign(rule=STAYS, offer=BAR)).again_s is None


def test_whose_visit_it_is_is_asked_for_only_until_it_is_known() -> None:
    looked = a_campaign(rule={">": [{"var": "visit.viewed_dearest_price"}, 1000]})
    assert answered(looked).again_s == 5
    assert answered(looked, shopper=Shopper(unit="checkout:token", visit=VISIT)).again_s is None
    assert answered(looked, **stayed(5.5)).again_s == 15
    assert answered(looked, **stayed(20.1)).again_s is None
    known = Shopper(unit="checkout:token", visit=VISIT)
    assert answered(a_campaign(rule={">=": [{"var": "checkout.dwell_s"}, 19]}), shopper=known).again_s == 20


def test_nothing_is_waited_for_that_is_over_or_stands_behind_the_last_word() -> None:
    over = a_campaign(rule=STAYS, schedule={"ends_at": "2026-01-01T00:00:00+00:00"})
    assert answered(over).again_s is None
    last = a_campaign("last", stop=True, holdout=0.999999, priority=9)
    assert answered(last, a_campaign(rule=STAYS)).again_s is None


def test_the_times_are_those_that_are_still_to_come() -> None:
    times = {"or": [STAYS, {">=": [{"var": "visit.dwell_s"}, 180]}]}
    never = a_campaign(rule={"and": [times, {">": [{"var": "cart.subtotal"}, 1_000_000]}]})
    known = Shopper(unit="checkout:token", visit=VISIT)
    seconds = {0: 61, 60.5: 1, 61: 134, 195: None}
    assert {at: answered(never, shopper=known, **stayed(at)).again_s for at in seconds} == seconds


def test_what_matches_and_waits_is_asked_for_when_its_delay_is_over() -> None:
    campaign = a_campaign(delay_s=90)
    assert answered(campaign).again_s == 90
    before = CampaignHistory(matched_at=int((NOW - timedelta(seconds=30)).timestamp()))
    nudged = pack(ShopperHistory(int(NOW.timestamp()), {"help": before}))
    assert answered(campaign, shopper=Shopper(unit="checkout:token", nudged=nudged)).again_s == 60


def test_who_sent_it_away_is_not_asked_about_it_again() -> None:
    assert answered(a_campaign(), shopper=SENT_AWAY).again_s is None


@pytest.mark.parametrize("wants", ["all", "products", "messages", "message"])
def test_it_is_decided_again_as_it_was_whatever_there_was_a_place_for(wants: str) -> None:
    pick = a_campaign("pick", offer={"kind": "upsell", "product_ids": [30]})
    occasion = asked(a_campaign(), a_campaign("bar", offer=BAR), pick, wants=wants)
    situation = with_campaigns(occasion, situation_of(occasion))
    answer = answer_to(occasion, situation)
    entry = entry_of(occasion, situation, answer, 1)
    assert replay(entry.inputs, {occasion.shop.version: occasion.shop}) == answer.offers
