from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.connections import Connections
from app.coupons import ending
from app.coupons.ending import end_grants, end_pool
from app.coupons.store import Code, Pool, count_codes, keep_codes, keep_pool, note_granted, pools_of
from app.coupons.terms import CouponTerms
from app.errors import ShopifyRefused
from app.events.kinds import BrowserEvent
from app.events.log import STREAM, EventConsumer
from app.offers.store import record_feedback

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
OVER = NOW - timedelta(hours=1)


@pytest.fixture
async def ended(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """Shops and pools whose codes Shopify ended; of a discount that is gone it ends none."""
    told: list[str] = []

    async def delete_codes(_connections: Connections, shop: str, discount_id: str, _ids: list[int]) -> None:
        if discount_id == "gone":
            raise ShopifyRefused("there is no such discount")
        told.append(f"{shop} {discount_id}")

    monkeypatch.setattr(ending, "delete_codes", delete_codes)
    monkeypatch.setattr(ending, "_AT_ONCE", 2)
    return told


async def hand_out(connections: Connections, shop: str, pool_id: str, discount_id: str, *codes: str) -> None:
    """Have codes in shoppers' hands whose time is over, of a pool that serves no more."""
    pool = Pool(pool_id, "spring", CouponTerms("Spring", percentage=10), 5, discount_id, ended_at=OVER)
    await keep_pool(connections, shop, pool, OVER)
    await keep_codes(connections, shop, pool_id, [Code(each, 1) for each in codes], "pooled")
    await note_granted(connections, shop, f"d-{pool_id}", dict.fromkeys(codes, OVER), OVER)


async def test_codes_that_shopify_will_not_end_hold_up_no_others(
    connections: Connections, ended: list[str]
) -> None:
    await hand_out(connections, "a.myshopify.com", "spring.1", "gone", "A", "B", "C")
    await hand_out(connections, "a.myshopify.com", "spring.2", "there", "D")
    await hand_out(connections, "b.myshopify.com", "spring.1", "there", "E")
    await end_grants(connections, NOW)
    assert ended == ["a.myshopify.com there", "b.myshopify.com there"]
    assert await count_codes(connections, "a.myshopify.com") == {
        "spring.1": {"granted": 3},
        "spring.2": {"deleted": 1},
    }


async def test_a_code_that_was_seen_once_is_never_another_shoppers(
    connections: Connections, ended: list[str]
) -> None:
    shop = "a.myshopify.com"
    await hand_out(connections, shop, "spring.1", "there", "A")
    await keep_pool(connections, shop, replace((await pools_of(connections, shop))[0], ended_at=None), NOW)
    ids = {"decision_id": "d-spring.1", "offer_id": "o"}
    seen = BrowserEvent(
        shop=shop, event_id="s", happened_at=OVER, client_id="c", checkout_token=None, customer_id=None,
        name="tillwise:offer_accepted", data=ids, permitted=(),
    )  # fmt: skip
    await record_feedback(connections, seen)
    # The cart changed: the next decision tells the same code, whose card stands there already.
    await note_granted(connections, shop, "d-again", {"A": OVER}, OVER)
    await end_grants(connections, NOW)
    assert await count_codes(connections, shop) == {"spring.1": {"deleted": 1}}


async def test_more_codes_than_are_ended_at_once_are_ended_call_by_call(
    connections: Connections, ended: list[str]
) -> None:
    await hand_out(connections, "a.myshopify.com", "spring.1", "there", "A", "B", "C")
    await end_grants(connections, NOW)
    await end_grants(connections, NOW)
    assert await count_codes(connections, "a.myshopify.com") == {"spring.1": {"deleted": 3}}
    assert ended == ["a.myshopify.com there"] * 2


async def wait_unhandled(connections: Connections, since: timedelta) -> EventConsumer:
    """Have an event in the log that nobody has handled for so long, and return who reads there."""
    consumer = EventConsumer(connections.redis, "test")
    await consumer.open()
    told_at = int((datetime.now(UTC) - since).timestamp() * 1000)
    await connections.redis.xadd(STREAM, {"e": b"?"}, id=f"{told_at}-1")
    return consumer


async def test_no_code_ends_while_an_event_waits_that_may_tell_that_it_was_seen(
    connections: Connections, ended: list[str]
) -> None:
    shop = "a.myshopify.com"
    await hand_out(connections, shop, "spring.1", "there", "A")
    consumer = await wait_unhandled(connections, timedelta(hours=2))
    await end_grants(connections, NOW)
    assert await count_codes(connections, shop) == {"spring.1": {"granted": 1}}
    await consumer.acknowledge(await consumer.read(block_ms=1))
    await end_grants(connections, NOW)
    assert await count_codes(connections, shop) == {"spring.1": {"deleted": 1}}


async def test_a_discount_stays_while_an_event_waits_that_may_tell_of_its_last_code(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted: list[str] = []

    async def delete_discount(_connections: Connections, _shop: str, discount_id: str) -> None:
        deleted.append(discount_id)

    monkeypatch.setattr(ending, "delete_discount", delete_discount)
    shop = "a.myshopify.com"
    pool = Pool("spring.1", "spring", CouponTerms("Spring", percentage=10), 5, "there", ended_at=OVER)
    await keep_pool(connections, shop, pool, OVER)
    consumer = await wait_unhandled(connections, timedelta(hours=2))
    await end_pool(connections, shop, pool, NOW)
    assert deleted == []
    await consumer.acknowledge(await consumer.read(block_ms=1))
    await end_pool(connections, shop, pool, NOW)
    assert deleted == ["there"]
