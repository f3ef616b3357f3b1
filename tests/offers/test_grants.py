from __future__ import annotations

from dataclasses import replace

import msgspec

from app.campaigns.campaign import Running, read_campaign
from app.campaigns.codes import promise_of
from app.campaigns.signing import Signing, signings_of
from app.coupons.uses import Honoured
from app.offers.grants import is_unhonoured
from app.offers.situation import unit_of
from tests.offers.test_predictions import an_occasion

SECRET = b"s" * 32
OFFER = {"kind": "coupon", "discount": {"percentage": 10, "with_code": False}}
CAMPAIGN = read_campaign({"id": "ten", "name": "Ten", "rule": True, "offer": OFFER, "evidence": 0})
RUNNING = [Running(CAMPAIGN, 0)]


def test_only_what_shopify_has_a_discount_for_is_signed() -> None:
    promise = promise_of(CAMPAIGN, "EUR")
    assert promise is not None
    assert signings_of("a", RUNNING, "EUR", {}, SECRET) == {}
    assert (
        signings_of("a", RUNNING, "EUR", {promise.terms_id: Honoured()}, SECRET)["ten"].terms_id
        == promise.terms_id
    )


def test_each_shop_signs_with_a_key_of_its_own() -> None:
    promise = promise_of(CAMPAIGN, "EUR")
    assert promise is not None
    keys = [
        signings_of(shop, RUNNING, "EUR", {promise.terms_id: Honoured()}, SECRET)["ten"].key for shop in "ab"
    ]
    assert keys[0] != keys[1]


def test_who_used_a_grant_gets_no_other_one_under_any_key() -> None:
    promise = promise_of(CAMPAIGN, "EUR")
    assert promise is not None

    def signing(honoured: Honoured) -> Signing:
        return signings_of("a", RUNNING, "EUR", {promise.terms_id: honoured}, SECRET)["ten"]

    number = signing(Honoured()).number_of("customer:7")
    assert number is not None
    later = signing(Honoured(epoch=3, used=frozenset({number})))
    assert later.key != signing(Honoured()).key
    assert later.number_of("customer:7") is None
    assert later.number_of("customer:8") == signing(Honoured()).number_of("customer:8") != number


def test_who_used_the_discount_is_not_offered_it_again() -> None:
    occasion = an_occasion()
    plan, signing = occasion.shop.plan, occasion.shop.signings["ten"]
    assert plan is not None
    assert not is_unhonoured(occasion, plan.by_id["ten"])
    used = replace(signing, used=frozenset({signing.number_of(unit_of(occasion)) or ""}))
    again = msgspec.structs.replace(occasion, shop=replace(occasion.shop, signings={"ten": used}))
    assert is_unhonoured(again, plan.by_id["ten"])


def test_nothing_is_promised_without_a_code_once_the_order_is_placed() -> None:
    occasion = an_occasion()
    assert occasion.shop.plan is not None
    planned = occasion.shop.plan.by_id["ten"]
    for surface, unhonoured in (("checkout", False), ("thank_you", True), ("order_status", True)):
        question = msgspec.structs.replace(occasion.question, surface=surface)
        assert is_unhonoured(msgspec.structs.replace(occasion, question=question), planned) == unhonoured
