from __future__ import annotations

from app.campaigns.campaign import Running, read_campaign
from app.campaigns.codes import promise_of
from app.campaigns.promised import signings_of

SECRET = b"s" * 32
OFFER = {"kind": "coupon", "discount": {"percentage": 10, "with_code": False}}
CAMPAIGN = read_campaign({"id": "ten", "name": "Ten", "rule": True, "offer": OFFER, "evidence": 0})
RUNNING = [Running(CAMPAIGN, 0)]


def test_only_what_shopify_has_a_discount_for_is_signed() -> None:
    promise = promise_of(CAMPAIGN, "EUR")
    assert promise is not None
    assert signings_of("a", RUNNING, "EUR", frozenset(), SECRET) == {}
    assert signings_of("a", RUNNING, "EUR", {promise.terms_id}, SECRET)["ten"].terms_id == promise.terms_id


def test_each_shop_signs_with_a_key_of_its_own() -> None:
    promise = promise_of(CAMPAIGN, "EUR")
    assert promise is not None
    keys = [signings_of(shop, RUNNING, "EUR", {promise.terms_id}, SECRET)["ten"].key for shop in "ab"]
    assert keys[0] != keys[1]
