from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.connections import Connections, redis_key
from app.coupons import discounts, minting
from app.coupons.documents import LIST_CODES
from app.coupons.ending import GRACE, SETTLED, end_grants, end_pool
from app.coupons.follow import follow_redemptions
from app.coupons.grants import CodeRequest, grant
from app.coupons.minting import PoolTarget, keep_pools
from app.coupons.pool import pool_key
from app.coupons.store import (
    Code,
    keep_codes,
    keep_pool,
    note_redeemed,
)
from app.coupons.terms import LASTS, REMEMBERED_S, CouponTerms
from app.errors import ShopifyRefused, ShopifyUnavailable
from app.events.kinds import CodeUsed, OrderPlaced
from tests.coupons.pools import (
    DAY_S,
    DIGESTS,
    NEEDS_SCHEMA,
    WISH,
    granted,
    keep,
    ours,
    pool,
    ready,
    shown,
    statuses,
    waiting,
)
from tests.webhooks.shopfront import Shopfront

pytestmark = NEEDS_SCHEMA


async def test_a_pool_is_one_discount_with_a_code_for_each_shopper(front: Shopfront) -> None:
    await keep(front, WISH)
    (discount,) = ours(front)
    assert (discount.percentage, discount.usage_limit) == (10, 1)
    assert len(discount.codes) == await waiting(front) == 20
    assert await statuses(front) == {"pooled": 20}


async def test_nothing_is_made_without_the_scope_or_twice(front: Shopfront) -> None:
    await keep_pools(front.connections, replace(front.installed, scopes=frozenset()), [WISH])
    assert not ours(front)
    await keep(front, WISH)
    before = dict(ours(front)[0].codes)
    await keep(front, WISH)
    assert ours(front)[0].codes == before


async def test_a_pool_that_runs_low_is_filled_and_what_was_handed_out_stays_out(front: Shopfront) -> None:
    await keep(front, WISH)
    held = {(await granted(front, f"customer:{who}")).code for who in range(12)}
    await keep(front, WISH)
    assert await waiting(front) == 20
    assert not held & set(
        await front.connections.redis.lrange(pool_key(front.installed.shop, WISH.pool_id), 0, -1)
    )


async def test_a_pool_is_filled_without_reading_what_was_used_of_it_over_the_years(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(front, WISH)
    (discount,), ask, asked = ours(front), discounts.ask_shop, []
    front.shop.add_codes(discount, [f"USED-{n}" for n in range(1_000)])
    for who in range(12):
        await granted(front, f"customer:{who}")

    async def counted(connections: Connections, shop: str, document: str, *rest: Any) -> Any:
        asked.append(document)
        return await ask(connections, shop, document, *rest)

    monkeypatch.setattr(discounts, "ask_shop", counted)
    await keep(front, WISH)
    assert await waiting(front) == 20
    assert asked.count(LIST_CODES) == 2  # before they are added and after


async def test_a_grant_that_is_not_yet_written_down_is_not_handed_out_again(front: Shopfront) -> None:
    await keep(front, WISH)
    wanted = CodeRequest(front.installed.shop, "spring", WISH.pool_id, "customer:1", DAY_S, datetime.now(UTC))
    await grant(front.connections.redis, DIGESTS, [wanted])
    await keep(front, WISH)
    assert await waiting(front) == 19


async def test_an_empty_redis_is_filled_from_the_database(front: Shopfront) -> None:
    await keep(front, WISH)
    await granted(front)
    await front.connections.redis.flushall()
    await keep(front, WISH)
    assert await waiting(front) == 19


@pytest.mark.parametrize("step", ["make_discount", "add_codes", "codes_held"])
async def test_a_crash_at_any_step_loses_no_code_and_hands_out_none_that_does_not_work(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    done = getattr(discounts, step)

    async def crash_after(*args: Any) -> Any:
        await done(*args)
        raise ShopifyUnavailable("the process died")

    with monkeypatch.context() as broken:
        broken.setattr(minting, step, crash_after)
        with pytest.raises(ShopifyUnavailable):
            await keep(front, WISH)
    assert await waiting(front) <= 1
    await keep(front, WISH)
    known = {code for discount in ours(front) for code in discount.codes}
    assert len(await ready(front)) >= 20
    assert await ready(front) <= known


async def test_a_code_that_shopify_will_not_add_is_not_asked_for_for_ever(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Code("TILL-TAKEN", None)
    front.shop.add_codes(next(iter(front.shop.discounts.values())), [taken.code])
    await keep(front, WISH)
    await keep_codes(front.connections, front.installed.shop, WISH.pool_id, [taken], "asked")
    await keep(front, WISH)
    assert await statuses(front) == {"pooled": 20, "deleted": 1}
    monkeypatch.setattr(minting, "codes_held", None)  # nothing is left to ask for
    await keep(front, WISH)


async def test_codes_are_waited_for_and_those_refused_are_told(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [{"code": "A", "errors": []}, {"code": "B", "errors": [{"message": "taken"}]}]
    begun = {"discountRedeemCodeBulkAdd": {"bulkCreation": {"id": "1", "done": False}, "userErrors": []}}
    goes_on, over = {"done": False}, {"done": True, "codes": {"nodes": nodes}}
    answers = [begun, *({"discountRedeemCodeBulkCreation": each} for each in (goes_on, over))]

    async def ask_shop(*_asked: Any) -> Any:
        return answers.pop(0)

    async def at_once(_seconds: float) -> None: ...

    monkeypatch.setattr(discounts, "ask_shop", ask_shop)
    assert await discounts.add_codes(connections, "a.myshopify.com", "1", ["A", "B"], at_once) == {"B"}
    assert answers == []


async def test_what_shopify_refuses_is_told_and_the_other_pools_are_filled(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = PoolTarget("odd", CouponTerms("Odd", percentage=10), 5, "ODD-")
    make = discounts.make_discount

    async def refuse(connections: Connections, shop: Any, terms: CouponTerms, *rest: Any) -> str:
        if terms.title == "Odd":
            raise ShopifyRefused("discounts are limited on this plan")
        return await make(connections, shop, terms, *rest)

    monkeypatch.setattr(minting, "make_discount", refuse)
    await keep(front, bad, WISH)
    assert (await pool(front, bad)).error == "discounts are limited on this plan"
    assert await waiting(front) == 20
    monkeypatch.undo()
    await keep(front, bad, WISH)
    assert (await pool(front, bad)).error == ""


async def test_a_discount_lapses_by_itself_unless_it_is_renewed(front: Shopfront) -> None:
    await keep(front, WISH)
    (discount,) = ours(front)
    assert discount.ends_at is not None
    assert discount.ends_at <= datetime.now(UTC) + LASTS
    discount.ends_at = soon = datetime.now(UTC) + timedelta(days=2)
    await keep_pool(front.connections, front.installed.shop, replace(await pool(front), lapses_at=soon), soon)
    await keep(front, WISH)
    assert discount.ends_at > datetime.now(UTC) + LASTS - timedelta(hours=1)


async def test_codes_outlive_their_campaigns_end_until_they_are_looked_after(front: Shopfront) -> None:
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    await keep(front, replace(WISH, ends_at=ends_at))
    (discount,) = ours(front)
    assert discount.ends_at is not None
    assert ends_at + timedelta(minutes=30) < discount.ends_at < ends_at + timedelta(days=1)


async def test_a_campaign_that_goes_on_a_little_longer_has_codes_that_do(front: Shopfront) -> None:
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    await keep(front, replace(WISH, ends_at=ends_at))
    await keep(front, replace(WISH, ends_at=ends_at + timedelta(hours=5)))
    (discount,) = ours(front)
    assert discount.ends_at is not None
    assert discount.ends_at > ends_at + timedelta(hours=5)


async def test_a_shoppers_code_works_for_their_time_and_a_little_longer(front: Shopfront) -> None:
    await keep(front, WISH)
    made = await granted(front)
    await shown(front)
    await end_grants(front.connections, made.expires_at)
    assert made.code in ours(front)[0].codes
    await end_grants(front.connections, made.expires_at + GRACE)
    assert made.code not in ours(front)[0].codes
    assert await statuses(front) == {"pooled": 19, "deleted": 1}


async def test_what_ended_is_forgotten_in_time_and_what_an_order_used_is_not(front: Shopfront) -> None:
    await keep(front, WISH)
    made = [await granted(front, f"customer:{who}") for who in (7, 8)]
    for who in (7, 8):
        await shown(front, f"customer:{who}")
    await note_redeemed(front.connections, front.installed.shop, [made[1].code], 1)
    over = made[0].expires_at + GRACE
    await end_grants(front.connections, over)
    ever = redis_key(front.installed.shop, "coupons", WISH.pool_id, "ever")
    assert not await front.connections.redis.sismember(ever, made[0].code)
    assert await statuses(front) == {"pooled": 18, "deleted": 1, "redeemed": 1}
    await end_grants(front.connections, over + timedelta(seconds=REMEMBERED_S))
    assert await statuses(front) == {"pooled": 18, "redeemed": 1}


async def test_a_code_that_nobody_saw_goes_back_into_the_pool(front: Shopfront) -> None:
    await keep(front, WISH)
    made = await granted(front)
    assert await waiting(front) == 19
    await end_grants(front.connections, made.expires_at + GRACE)
    assert await waiting(front) == 20
    assert await statuses(front) == {"pooled": 20}
    assert made.code in ours(front)[0].codes


async def test_a_code_whose_browser_may_not_say_that_it_was_seen_is_never_another_shoppers(
    front: Shopfront,
) -> None:
    await keep(front, WISH)
    made = await granted(front, permitted=("marketing", "preferences"))
    await end_grants(front.connections, made.expires_at + GRACE)
    assert await statuses(front) == {"pooled": 19, "deleted": 1}


async def test_a_code_that_an_order_used_is_redeemed_whatever_comes_after(front: Shopfront) -> None:
    await keep(front, WISH)
    made = await granted(front)
    order = OrderPlaced(
        shop=front.installed.shop, event_id="o1", happened_at=datetime.now(UTC), order_id=1, customer_id=7,
        checkout_token=None, currency="USD", subtotal_minor=1, discount_minor=0, total_minor=1, paid=True,
        created_at=datetime.now(UTC), updated_at=datetime.now(UTC), cancelled_at=None, lines=(),
        codes=(CodeUsed(code=made.code.lower(), amount_minor=100), CodeUsed(code="MERCHANTS-OWN")),
    )  # fmt: skip
    await follow_redemptions(front.connections, order)
    await end_grants(front.connections, made.expires_at + GRACE)
    assert await statuses(front) == {"pooled": 19, "redeemed": 1}


async def test_an_ended_campaign_hands_out_nothing_and_leaves_nothing_in_shopify(front: Shopfront) -> None:
    await keep(front, WISH)
    await keep(front)
    assert await waiting(front) == 0
    later = datetime.now(UTC) + SETTLED
    await end_pool(front.connections, front.installed.shop, await pool(front), later)
    assert not ours(front)
    assert await statuses(front) == {}
    await end_pool(front.connections, front.installed.shop, await pool(front), later)


async def test_a_campaign_that_ends_during_a_checkout_leaves_its_shopper_their_code(front: Shopfront) -> None:
    await keep(front, WISH)
    made = await granted(front)
    await shown(front)
    later = datetime.now(UTC) + SETTLED
    await end_pool(front.connections, front.installed.shop, await pool(front), later)
    await end_pool(front.connections, front.installed.shop, await pool(front), later)
    assert made.code in ours(front)[0].codes
    over = made.expires_at + GRACE
    await end_grants(front.connections, over)
    await end_pool(front.connections, front.installed.shop, await pool(front), over)
    assert not ours(front)


async def test_other_terms_begin_another_pool_and_the_old_codes_work_on(front: Shopfront) -> None:
    await keep(front, WISH)
    made = await granted(front)
    more = PoolTarget("spring", CouponTerms("Spring, more", percentage=15), 20, "TILL-")
    await keep(front, more)
    assert await waiting(front, more) == 20
    assert await waiting(front) == 0
    assert any(made.code in each.codes for each in ours(front))
