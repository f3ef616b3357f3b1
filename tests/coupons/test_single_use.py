"""A grant is used once: its order tells so, and the discount Function and decide learn of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.connections import Connections
from app.coupons.automatic import SIGNING, keep_automatic
from app.coupons.follow import follow_redemptions
from app.coupons.promise import room
from app.coupons.signed import grant_key
from app.coupons.terms import REMEMBERED_S
from app.coupons.uses import Honoured, honoured, honoured_fingerprint, note_use
from app.events.kinds import GrantUsed, OrderPlaced
from app.shops.secrets import installation_secret
from app.shops.store import Shop
from tests.coupons.automatic_discounts import DAY, NOW, PROMISE, SHOP, Discounts


def number(n: int) -> str:
    return f"{n:012x}"


def an_order(order_id: int, used: str | None, off: tuple[str, ...] = ()) -> OrderPlaced:
    return OrderPlaced(
        shop=SHOP, event_id=f"e-{order_id}", happened_at=NOW, order_id=order_id, customer_id=None,
        checkout_token=None, currency="EUR", subtotal_minor=900, discount_minor=100, total_minor=900,
        paid=True, created_at=NOW, updated_at=NOW, cancelled_at=None, lines=(),
        grant=None if used is None else GrantUsed(terms_id=PROMISE.terms_id, number=used, off=off),
    )  # fmt: skip


def metafield(shopify: Discounts) -> dict[str, Any]:
    """Return what the only discount's metafield says."""
    (given,) = shopify.held.values()
    value: dict[str, Any] = json.loads(given["metafields"][0]["value"])
    return value


async def test_a_used_grant_is_told_to_the_function_once_however_often_its_order_comes(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    for order in (an_order(1, number(7)), an_order(1, number(7)), an_order(2, number(7)), an_order(3, None)):
        await follow_redemptions(connections, order)
    later = datetime.now(UTC)
    await keep_automatic(connections, shop, [PROMISE], later)
    await keep_automatic(connections, shop, [PROMISE], later)
    assert metafield(shopify)["used"] == number(7)
    assert shopify.asked.count("TellAutomaticDiscount") == 1
    assert await honoured(connections, SHOP) == {PROMISE.terms_id: Honoured(0, frozenset({number(7)}))}


async def test_a_grant_that_took_nothing_off_is_not_used(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    """The shop's own free shipping needs no code either, and an order is told of its grant all the same."""
    await keep_automatic(connections, shop, [PROMISE], NOW)
    await follow_redemptions(connections, an_order(1, number(7), off=("shipping_line",)))
    assert await honoured(connections, SHOP) == {PROMISE.terms_id: Honoured()}
    await follow_redemptions(connections, an_order(2, number(7), off=("line_item", "shipping_line")))
    assert await honoured(connections, SHOP) == {PROMISE.terms_id: Honoured(0, frozenset({number(7)}))}


async def test_grants_of_unknown_terms_and_of_another_shops_are_none_of_ours(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    assert not await note_use(connections, SHOP, "0" * 16, number(1), 1, NOW)
    assert not await note_use(connections, "other.myshopify.com", PROMISE.terms_id, number(1), 1, NOW)
    assert await honoured(connections, SHOP) == {PROMISE.terms_id: Honoured()}


async def test_an_order_that_comes_after_its_campaign_ended_counts_once_it_goes_on(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    await keep_automatic(connections, shop, [], NOW)
    await follow_redemptions(connections, an_order(1, number(7)))
    await keep_automatic(connections, shop, [PROMISE], datetime.now(UTC))
    assert metafield(shopify)["used"] == number(7)


async def test_who_used_a_campaigns_discount_has_it_under_no_other_terms(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    longer = replace(PROMISE, ends_at=NOW + 9 * DAY)
    await keep_automatic(connections, shop, [longer], NOW)
    before = await honoured_fingerprint(connections, SHOP)
    for terms_id in (PROMISE.terms_id, longer.terms_id):
        assert await note_use(connections, SHOP, terms_id, number(7), 1, NOW)
    assert await honoured_fingerprint(connections, SHOP) != before
    assert (await honoured(connections, SHOP))[longer.terms_id] == Honoured(0, frozenset({number(7)}))
    await keep_automatic(connections, shop, [longer], NOW)
    told = [json.loads(each["metafields"][0]["value"])["used"] for each in shopify.held.values()]
    assert told == [number(7)] * 2


async def test_a_grant_of_a_campaign_that_ended_is_read_again_by_no_shop_that_promises_others(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    other = replace(PROMISE, campaign_id="other")
    await keep_automatic(connections, shop, [other], NOW)
    before = await honoured_fingerprint(connections, SHOP)
    assert await note_use(connections, SHOP, PROMISE.terms_id, number(7), 1, NOW)
    assert await honoured(connections, SHOP) == {other.terms_id: Honoured()}
    assert await honoured_fingerprint(connections, SHOP) == before


async def test_what_is_honoured_outlives_an_empty_redis(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    await note_use(connections, SHOP, PROMISE.terms_id, number(7), 1, NOW)
    await connections.redis.flushall()
    assert await honoured(connections, SHOP) == {PROMISE.terms_id: Honoured(0, frozenset({number(7)}))}
    await keep_automatic(connections, shop, [PROMISE], NOW + DAY / 2)
    assert metafield(shopify)["used"] == number(7)


async def test_what_anybody_wrote_into_the_metafield_is_put_right(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    before = metafield(shopify)
    (given,) = shopify.held.values()
    given["metafields"][0]["value"] = json.dumps({"terms": {**before["terms"], "percentage": "90"}})
    await keep_automatic(connections, shop, [PROMISE], NOW)
    assert metafield(shopify) == before


async def test_a_use_is_listed_while_a_grant_can_hold_and_remembered_as_long_as_a_code(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    await note_use(connections, SHOP, PROMISE.terms_id, number(7), 1, NOW)
    shorter = replace(PROMISE, lasts_s=3_600)  # grants of before held longer than those of now
    await keep_automatic(connections, shop, [shorter], NOW + DAY)
    assert metafield(shopify)["used"] == number(7)
    await keep_automatic(connections, shop, [shorter], NOW + 2 * DAY)
    assert metafield(shopify)["used"] == ""
    assert (await honoured(connections, SHOP))[PROMISE.terms_id].used == {number(7)}
    await keep_automatic(connections, shop, [shorter], NOW + 2 * DAY + timedelta(seconds=REMEMBERED_S))
    assert (await honoured(connections, SHOP))[PROMISE.terms_id].used == frozenset()


async def test_where_the_list_is_full_all_grants_end_and_none_comes_back(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    secret = await installation_secret(connections, SIGNING)
    keys = [grant_key(secret, SHOP, PROMISE.terms_id, epoch).hex() for epoch in (0, 1)]
    many = room(PROMISE, shop.currency, bytes(32))
    for n in range(many):
        await note_use(connections, SHOP, PROMISE.terms_id, number(n), n, NOW)
    await keep_automatic(connections, shop, [PROMISE], NOW)
    assert (metafield(shopify)["terms"]["key"], len(metafield(shopify)["used"])) == (keys[0], 12 * many)
    await note_use(connections, SHOP, PROMISE.terms_id, number(many), many, NOW)
    later = NOW + timedelta(minutes=1)
    await keep_automatic(connections, shop, [PROMISE], later)
    assert (metafield(shopify)["terms"]["key"], metafield(shopify)["used"]) == (keys[1], "")
    kept = (await honoured(connections, SHOP))[PROMISE.terms_id]
    assert (kept.epoch, len(kept.used)) == (1, many + 1)
    await note_use(connections, SHOP, PROMISE.terms_id, number(many + 1), 1, later)
    await keep_automatic(connections, shop, [PROMISE], later)
    assert (metafield(shopify)["terms"]["key"], metafield(shopify)["used"]) == (keys[1], number(many + 1))


async def test_whoever_serves_notices_each_change_of_what_is_honoured(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    seen = [await honoured_fingerprint(connections, SHOP)]
    await keep_automatic(connections, shop, [PROMISE], NOW)
    seen.append(await honoured_fingerprint(connections, SHOP))
    await note_use(connections, SHOP, PROMISE.terms_id, number(1), 1, NOW)
    seen.append(await honoured_fingerprint(connections, SHOP))
    assert len(set(seen)) == 3
