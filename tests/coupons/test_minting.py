from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.connections import Connections, redis_key
from app.coupons import discounts, minting
from app.coupons.documents import LIST_CODES
from app.coupons.ending import GRACE, SETTLED, end_grants, end_pool
from app.coupons.follow import follow_grants, follow_redemptions
from app.coupons.grants import Granted, Wanted, grant
from app.coupons.minting import PoolWish, keep_pools
from app.coupons.missing import let_go_of_gone
from app.coupons.pool import pool_key
from app.coupons.store import (
    Code,
    Pool,
    count_codes,
    keep_codes,
    keep_pool,
    note_granted,
    note_redeemed,
    pools_of,
    withdrawn_codes,
    withdrawn_fingerprint,
)
from app.coupons.terms import LASTS, REMEMBERED_S, CouponTerms
from app.errors import ShopifyRefused, ShopifyUnavailable
from app.events.kinds import BrowserEvent, CodeUsed, DecisionMade, OrderPlaced
from app.offers.store import record_feedback
from devstore.records import Discount
from devstore.schema import MODULES
from tests.webhooks.shopfront import SCOPES, Shopfront, installed

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
WISH = PoolWish("spring", CouponTerms("Spring", percentage=10), 20, "TILL-")
DAY_S = 86_400


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    async with installed(connections, f"{SCOPES},write_discounts") as made:
        yield made


async def keep(front: Shopfront, *wishes: PoolWish) -> None:
    await let_go_of_gone(front.connections, front.installed.shop, datetime.now(UTC), unexpected)
    await keep_pools(front.connections, front.installed, wishes)


async def unexpected(pool: Pool) -> None:
    pytest.fail(f"{pool.pool_id} is taken for deactivated")


def ours(front: Shopfront) -> list[Discount]:
    return [each for each in front.shop.discounts.values() if each.title.startswith("Spring")]


async def waiting(front: Shopfront, wish: PoolWish = WISH) -> int:
    return int(await front.connections.redis.llen(pool_key(front.installed.shop, wish.pool_id)))


async def ready(front: Shopfront) -> set[str]:
    key = pool_key(front.installed.shop, WISH.pool_id)
    return {code.decode() for code in await front.connections.redis.lrange(key, 0, -1)}


async def statuses(front: Shopfront, wish: PoolWish = WISH) -> dict[str, int]:
    return (await count_codes(front.connections, front.installed.shop)).get(wish.pool_id, {})


async def granted(
    front: Shopfront, unit: str = "customer:7", permitted: tuple[str, ...] = ("analytics",)
) -> Granted:
    """Let a decision hand a code to a shopper, and let the worker hear of it."""
    shop, at = front.installed.shop, datetime.now(UTC)
    (made,) = await grant(front.connections.redis, [Wanted(shop, "spring", WISH.pool_id, unit, DAY_S, at)])
    assert made is not None
    discount = {"code": made.code, "expires_at": made.expires_at.isoformat()}
    event = DecisionMade(
        shop=shop, event_id=f"d-{unit}", happened_at=at, surface="checkout", rung="personal",
        arm="personalised", fallback=None, model_version=None, checkout_token=None, customer_id=None,
        permitted=permitted, region=None, duration_us=1, inputs={},
        answer={"offers": [{"discount": discount}]},
    )  # fmt: skip
    await follow_grants(front.connections, event)
    return made


async def shown(front: Shopfront, unit: str = "customer:7") -> None:
    ids = {"decision_id": f"d-{unit}", "offer_id": "o"}
    event = BrowserEvent(
        shop=front.installed.shop, event_id=f"s-{unit}", happened_at=datetime.now(UTC), client_id="c",
        checkout_token=None, customer_id=None, name="tillwise:offer_shown", data=ids, permitted=(),
    )  # fmt: skip
    await record_feedback(front.connections, event)


async def pool(front: Shopfront, wish: PoolWish = WISH) -> Pool:
    pools = await pools_of(front.connections, front.installed.shop)
    return next(each for each in pools if each.pool_id == wish.pool_id)


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
    wanted = Wanted(front.installed.shop, "spring", WISH.pool_id, "customer:1", DAY_S, datetime.now(UTC))
    await grant(front.connections.redis, [wanted])
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
    bad = PoolWish("odd", CouponTerms("Odd", percentage=10), 5, "ODD-")
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
    untold = Wanted(shop, "spring", WISH.pool_id, "customer:8", DAY_S, datetime.now(UTC))
    (late,) = await grant(redis, [untold])
    assert late is not None
    front.shop.discounts.clear()
    before = await withdrawn_fingerprint(front.connections, shop, untold.now)
    await keep(front, WISH)
    assert await withdrawn_codes(front.connections, shop, untold.now) == {dead.code}
    told = {late.code: late.expires_at}
    await note_granted(front.connections, shop, None, told, untold.now)  # told of after the discount was gone
    assert await withdrawn_codes(front.connections, shop, untold.now) == {dead.code, late.code}
    assert await withdrawn_fingerprint(front.connections, shop, untold.now) != before
    assert not await withdrawn_codes(front.connections, shop, dead.expires_at)
    again = Wanted(shop, "spring", WISH.pool_id, "customer:7", 60, untold.now, dead.code)
    (new, same) = await grant(redis, [again, again])
    assert new == same
    assert new is not None
    assert new.code in ours(front)[0].codes
    assert new.expires_at == untold.now.replace(microsecond=0) + timedelta(seconds=60)


async def test_a_discount_lapses_by_itself_unless_it_is_renewed(front: Shopfront) -> None:
    await keep(front, WISH)
    (discount,) = ours(front)
    assert discount.ends_at is not None
    assert discount.ends_at <= datetime.now(UTC) + LASTS
    discount.ends_at = soon = datetime.now(UTC) + timedelta(days=2)
    await keep_pool(front.connections, front.installed.shop, replace(await pool(front), lapses_at=soon), soon)
    await keep(front, WISH)
    assert discount.ends_at > datetime.now(UTC) + LASTS - timedelta(hours=1)


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
    await let_go_of_gone(front.connections, shop, now, tell)
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
    more = PoolWish("spring", CouponTerms("Spring, more", percentage=15), 20, "TILL-")
    await keep(front, more)
    assert await waiting(front, more) == 20
    assert await waiting(front) == 0
    assert any(made.code in each.codes for each in ours(front))
