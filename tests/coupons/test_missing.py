"""Discounts that the merchant deleted or deactivated in Shopify."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.connections import redis_key
from app.coupons.grants import CodeRequest, grant
from app.coupons.missing import withdraw_missing
from app.coupons.store import (
    Pool,
    keep_pool,
    note_granted,
    withdrawn_codes,
    withdrawn_fingerprint,
)
from app.coupons.terms import LASTS, CouponTerms
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
    statuses,
)
from tests.webhooks.shopfront import Shopfront

pytestmark = NEEDS_SCHEMA


async def test_a_discount_that_somebody_deleted_in_shopify_is_made_anew(front: Shopfront) -> None:
    await keep(front, WISH)
    dead, (gone,) = await ready(front), ours(front)
    del front.shop.discounts[gone.id]
    await keep(front, WISH)
    (made,) = ours(front)
    assert await ready(front) == set(made.codes)
    assert len(made.codes) == 20
    assert not dead & await ready(front)
    assert await statuses(front) == {"withdrawn": 20, "pooled": 20}


async def test_who_held_a_code_of_a_discount_that_was_deleted_in_shopify_is_given_another(
    front: Shopfront,
) -> None:
    shop, redis = front.installed.shop, front.connections.redis
    await keep(front, WISH)
    dead = await granted(front)
    untold = CodeRequest(shop, "spring", WISH.pool_id, "customer:8", DAY_S, datetime.now(UTC))
    (late,) = await grant(redis, DIGESTS, [untold])
    assert late is not None
    front.shop.discounts.clear()
    before = await withdrawn_fingerprint(front.connections, shop, untold.now)
    await keep(front, WISH)
    assert await withdrawn_codes(front.connections, shop, untold.now) == {dead.code}
    told = {late.code: late.expires_at}
    await note_granted(front.connections, shop, None, told, untold.now)  # told of after the discount was gone
    assert await withdrawn_codes(front.connections, shop, untold.now) == {dead.code, late.code}
    assert await withdrawn_fingerprint(front.connections, shop, untold.now) != before
    assert not await withdrawn_codes(front.connections, shop, late.expires_at)
    again = CodeRequest(shop, "spring", WISH.pool_id, "customer:7", 60, untold.now, dead.code)
    (new, same) = await grant(redis, DIGESTS, [again, again])
    assert new == same
    assert new is not None
    assert new.code in ours(front)[0].codes
    assert new.expires_at == untold.now.replace(microsecond=0) + timedelta(seconds=60)


async def test_a_discount_whose_time_was_over_is_renewed(front: Shopfront) -> None:
    await keep(front, WISH)
    (discount,) = ours(front)
    discount.ends_at = over = discount.starts_at + timedelta(microseconds=1)
    await keep_pool(front.connections, front.installed.shop, replace(await pool(front), lapses_at=over), over)
    await front.connections.redis.delete(redis_key(front.installed.shop, "coupons", "looked"))
    await keep(front, WISH)
    assert discount.ends_at > datetime.now(UTC) + LASTS - timedelta(hours=1)
    assert await statuses(front) == {"pooled": 20}


async def test_a_discount_that_has_not_begun_is_not_taken_for_deactivated(front: Shopfront) -> None:
    await keep(front, WISH)
    (discount,) = ours(front)
    discount.starts_at = datetime.now(UTC) + timedelta(days=1)
    await front.connections.redis.delete(redis_key(front.installed.shop, "coupons", "looked"))
    await keep(front, WISH)
    assert await statuses(front) == {"pooled": 20}


async def test_a_discount_that_was_deactivated_in_shopify_is_never_renewed(front: Shopfront) -> None:
    shop = front.installed.shop
    await keep(front, WISH)
    (discount,) = ours(front)
    discount.ends_at = off = datetime.now(UTC)
    soon = replace(await pool(front), lapses_at=off + timedelta(days=2))
    await keep_pool(front.connections, shop, soon, off)
    await front.connections.redis.set(redis_key(shop, "coupons", "looked"), 1)  # looked just before
    await keep(front, WISH)
    assert discount.ends_at == off
    late = replace(await granted(front), expires_at=off + timedelta(days=9))
    await note_granted(front.connections, shop, None, {late.code: late.expires_at}, off)
    await keep(front)
    assert (await pool(front)).ended_at is not None
    assert discount.ends_at == off


async def test_codes_of_a_discount_that_was_deactivated_are_withdrawn_once_its_campaign_knows(
    front: Shopfront,
) -> None:
    shop, told = front.installed.shop, []

    async def tell(pool: Pool) -> None:
        told.append((pool.campaign_id, pool.terms.title, await statuses(front)))

    await keep(front, WISH)
    dead = await granted(front)
    ours(front)[0].ends_at = now = datetime.now(UTC)
    await withdraw_missing(front.connections, shop, now, tell)
    assert told == [("spring", "Spring", {"granted": 1, "pooled": 19})]
    assert await withdrawn_codes(front.connections, shop, now) == {dead.code}
    assert await ready(front) == set()
    assert (await pool(front)).discount_id is None


async def test_earlier_terms_that_were_deactivated_end_without_their_campaign(front: Shopfront) -> None:
    await keep(front, WISH)
    await granted(front)
    (earlier,) = ours(front)
    await keep(front, replace(WISH, terms=CouponTerms("Spring", percentage=15)))
    earlier.ends_at = datetime.now(UTC)
    await front.connections.redis.delete(redis_key(front.installed.shop, "coupons", "looked"))
    await keep(front, replace(WISH, terms=CouponTerms("Spring", percentage=15)))
    assert (await statuses(front))["withdrawn"] == 1
