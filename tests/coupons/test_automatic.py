from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from app.campaigns.store import change_status, get_campaign, keep_campaign
from app.campaigns.supply import supply_codes
from app.connections import Connections
from app.coupons.automatic import MOST_OUTLASTING, keep_automatic
from app.coupons.promise import MOST_BYTES, Promise, automatic_input, metafield_value, room
from app.coupons.signed import grant_key
from app.coupons.terms import CouponTerms
from app.coupons.uses import Honoured, discounts_of, honoured, note_use
from app.shops.store import Shop
from tests.campaigns.factories import a_campaign
from tests.coupons.automatic_discounts import DAY, NOW, PROMISE, SHOP, Discounts


async def test_a_discount_is_made_once_and_told_to_decide(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    await keep_automatic(connections, shop, [PROMISE], NOW)
    assert [each["title"] for each in shopify.held.values()] == ["Ten off"]
    assert await honoured(connections, SHOP) == {PROMISE.terms_id: Honoured()}


async def test_what_nobody_promises_any_more_is_deleted(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    await keep_automatic(connections, shop, [], NOW)
    assert shopify.held == {}
    assert await honoured(connections, SHOP) == {}


def titles(shopify: Discounts) -> list[str]:
    return sorted(each["title"] for each in shopify.held.values())


async def test_what_a_campaign_gave_before_it_was_changed_is_taken_off_once_until_its_grants_end(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    changed = replace(PROMISE, terms=CouponTerms("Five off", percentage=5))
    await keep_automatic(connections, shop, [PROMISE], NOW)
    await keep_automatic(connections, shop, [changed], NOW)
    await note_use(connections, SHOP, PROMISE.terms_id, "0" * 12, 1, NOW + DAY / 2)
    await keep_automatic(connections, shop, [changed], NOW + DAY / 2)
    assert titles(shopify) == ["Five off", "Ten off"]
    old = next(each for each in shopify.held.values() if each["title"] == "Ten off")
    assert json.loads(old["metafields"][0]["value"])["used"] == "0" * 12
    await keep_automatic(connections, shop, [changed], NOW + DAY + timedelta(hours=4))
    assert titles(shopify) == ["Five off"]
    assert set(await honoured(connections, SHOP)) == {changed.terms_id}


async def test_a_changed_campaign_that_stops_or_is_changed_back_leaves_nothing_of_it(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    changed = replace(PROMISE, terms=CouponTerms("Five off", percentage=5))
    await keep_automatic(connections, shop, [PROMISE], NOW)
    first = list(shopify.held)
    for promise in (changed, PROMISE):
        await keep_automatic(connections, shop, [promise], NOW)
    assert titles(shopify) == ["Five off", "Ten off"]
    await keep_automatic(connections, shop, [PROMISE], NOW + 2 * DAY)
    assert list(shopify.held) == first
    await keep_automatic(connections, shop, [changed], NOW + 2 * DAY)
    await keep_automatic(connections, shop, [], NOW + 2 * DAY)
    assert shopify.held == {}


async def test_of_a_campaign_that_is_changed_over_and_over_the_latest_terms_are_kept(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    for n in range(MOST_OUTLASTING + 3):
        at = NOW + timedelta(minutes=n)
        changed = replace(PROMISE, terms=CouponTerms(f"{n} off", percentage=n + 1))
        await keep_automatic(connections, shop, [changed], at)
    assert titles(shopify) == [f"{n} off" for n in range(2, MOST_OUTLASTING + 3)]


async def test_one_that_was_deactivated_is_told_of_and_left_as_it_is_while_it_is_wanted(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    ending, other = replace(PROMISE, ends_at=NOW + DAY), Promise("five", CouponTerms("Five", percentage=5))
    await keep_automatic(connections, shop, [ending, other], NOW)
    (given,) = [each for each in shopify.held.values() if each["title"] == "Ten off"]
    for status, at, off in (
        ("SCHEDULED", NOW, []),
        ("EXPIRED", NOW + DAY, []),  # its time is over
        ("EXPIRED", NOW, [ending]),
    ):
        given["status"] = status
        assert await keep_automatic(connections, shop, [ending, other], at) == off
    assert titles(shopify) == ["Five", "Ten off"]


async def test_a_campaign_stops_whose_discount_without_a_code_was_deactivated(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    offer = {"kind": "coupon", "discount": {"percentage": 10, "with_code": False}}
    for name in ("ten", "else"):
        await keep_campaign(connections, SHOP, a_campaign(name, offer=offer))
        await change_status(connections, SHOP, name, "running")
    await supply_codes(connections, SHOP)
    (off, other) = shopify.held
    shopify.held[off]["status"] = "EXPIRED"
    name = (await discounts_of(connections, SHOP))[terms_of(shopify, off)].campaign_id
    await supply_codes(connections, SHOP)
    stopped = await get_campaign(connections, SHOP, name)
    assert (stopped.status, stopped.campaign.name in stopped.reason) == ("stopped", True)
    assert (list(shopify.held), len(await honoured(connections, SHOP))) == ([other], 1)
    await change_status(connections, SHOP, name, "running")
    for _ in range(2):
        await supply_codes(connections, SHOP)
    assert (await get_campaign(connections, SHOP, name)).status == "running"
    assert len(await honoured(connections, SHOP)) == 2


def terms_of(shopify: Discounts, node: str) -> str:
    return str(json.loads(shopify.held[node]["metafields"][0]["value"])["terms"]["id"])


async def test_a_shop_that_promises_nothing_is_not_asked(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [], NOW)
    assert shopify.asked == []


async def test_what_shopify_refuses_is_not_promised_and_the_others_are(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    shopify.refused = frozenset({"Ten off"})
    other = Promise("five", CouponTerms("Five off", percentage=5))
    await keep_automatic(connections, shop, [PROMISE, other], NOW)
    assert set(await honoured(connections, SHOP)) == {other.terms_id}
    said = {terms_id: each.error for terms_id, each in (await discounts_of(connections, SHOP)).items()}
    assert "not found" in said[PROMISE.terms_id]
    assert said[other.terms_id] == ""
    shopify.refused = frozenset()
    await keep_automatic(connections, shop, [PROMISE, other], NOW)
    assert (await discounts_of(connections, SHOP))[PROMISE.terms_id].error == ""
    assert set(await honoured(connections, SHOP)) == {PROMISE.terms_id, other.terms_id}


def test_the_metafield_is_as_the_function_reads_it() -> None:
    terms = CouponTerms("Off", "product", amount_minor=500, minimum_minor=10_000, product_ids=(7,))
    promise, key = Promise("p", terms), grant_key(b"s" * 32, SHOP, "t")
    given = automatic_input(
        promise, metafield_value(promise, "EUR", key, ["0123456789ab", "ba9876543210"]), NOW
    )
    assert json.loads(given["metafields"][0]["value"]) == {
        "terms": {
            "id": promise.terms_id,
            "key": key.hex(),
            "class": "product",
            "title": "−5.00 EUR",
            "amount": "5.00",
            "minimum": "100.00",
            "products": ["gid://shopify/Product/7"],
        },
        "used": "0123456789abba9876543210",
    }
    assert (given["title"], given["discountClasses"]) == ("Off", ["PRODUCT"])


def test_a_shopper_reads_what_is_taken_off_and_not_what_the_merchant_calls_whom_it_is_for() -> None:
    for percentage, says in ((12.5, "−12.5 %"), (100, "−100 %")):
        promise = Promise("p", CouponTerms("Who is worth it and leaves", "order", percentage=percentage))
        value = json.loads(metafield_value(promise, "EUR", b"k" * 32))
        assert value["terms"]["title"] == says


@pytest.mark.parametrize(("share", "said"), [(10, "10"), (12.5, "12.5"), (100, "100")])
def test_a_share_is_written_without_an_exponent(share: float, said: str) -> None:
    promise = Promise("p", CouponTerms("Off", percentage=share))
    assert json.loads(metafield_value(promise, "EUR", b"k"))["terms"]["percentage"] == said


def test_the_metafield_is_never_longer_than_a_function_is_told() -> None:
    terms = CouponTerms("ß" * 100, "product", percentage=12.5, product_ids=(10**17, 10**17 + 1, 10**17 + 2))
    promise, key = Promise("p", terms), bytes(32)
    most = room(promise, "EUR", key)
    assert most > 700
    assert len(metafield_value(promise, "EUR", key, ["0123456789ab"] * most).encode()) <= MOST_BYTES
    assert len(metafield_value(promise, "EUR", key, ["0123456789ab"] * (most + 1)).encode()) > MOST_BYTES
