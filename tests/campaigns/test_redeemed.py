"""A code that an order used is shown to its shopper no more, and keeps no other from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.campaigns.redeemed import end_redeemed_codes
from app.campaigns.shopper_history import Showing, pack, redeemed, unpack
from app.connections import Connections
from app.events.kinds import CodeUsed, OrderPlaced
from app.tables import EventRow
from tests.campaigns.factories import AT, TEN_PERCENT
from tests.campaigns.test_shopper_history import HERE, a_nudging
from tests.campaigns.till import KEY, fill_pool, kept, nudges, run
from tests.offers.factories import EVERYTHING, SHOP
from tests.test_decide import a_till, a_trained_shop, ask


def an_order(*codes: str, **changes: Any) -> OrderPlaced:
    now = datetime.now(UTC)
    fields: dict[str, Any] = {
        "shop": SHOP, "event_id": "e-1", "happened_at": now, "order_id": 1, "customer_id": 7,
        "checkout_token": "paid", "currency": "USD", "subtotal_minor": 900, "discount_minor": 100,
        "total_minor": 900, "paid": True, "created_at": now, "updated_at": now, "cancelled_at": None,
        "lines": (), "codes": tuple(CodeUsed(code=each) for each in codes),
    }  # fmt: skip
    return OrderPlaced(**(fields | changes))


async def test_who_used_a_code_is_offered_what_comes_next(connections: Connections) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT, expires_s=86_400, priority=5)
    await run(connections)
    await fill_pool(connections, "CODE-0", "CODE-1")
    async with a_till(connections) as client:
        before = await ask(client, 10, consent=EVERYTHING)
        await end_redeemed_codes(connections, an_order("SUMMER"))
        still = await ask(client, 10, consent=EVERYTHING)
        for _ in range(2):
            await end_redeemed_codes(connections, an_order("code-0"))
        after = await ask(client, 10, consent=EVERYTHING, checkout_token="next")
    assert [nudges(each) for each in (before, still, after)] == [["ten"], ["ten"], ["help"]]


async def test_who_used_a_code_is_shown_no_other_that_shopify_would_refuse_them(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT, expires_s=86_400)
    await fill_pool(connections, "CODE-0", "CODE-1")
    async with a_till(connections) as client:
        await ask(client, 10, consent=EVERYTHING)
        await end_redeemed_codes(connections, an_order("CODE-0"))
        await connections.redis.delete(KEY)  # what they were shown is forgotten after a season
        later = await ask(client, 10, consent=EVERYTHING, checkout_token="next")
    assert nudges(later) == []


async def test_a_guests_code_ends_by_the_browser_that_began_the_checkout_and_by_the_checkout(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT, expires_s=86_400)
    await fill_pool(connections, "CODE-0", "CODE-1")
    guest = {"consent": {"analytics": True}}
    async with connections.write() as db:
        db.add(EventRow(
            shop=SHOP, event_id="b-1", name="checkout_started", happened_at=datetime.now(UTC),
            recorded_at=datetime.now(UTC), client_id="browser", checkout_token="paid",
        ))  # fmt: skip
    async with a_till(connections) as client:
        for names in ({"client_id": "browser"}, {"checkout_token": "paid"}):
            assert nudges(await ask(client, 10, **guest, **names)) == ["ten"]
        await end_redeemed_codes(connections, an_order("CODE-0", "CODE-1", customer_id=None))
        for names in ({"client_id": "browser"}, {"checkout_token": "paid"}):
            assert nudges(await ask(client, 10, **guest, **names)) == []


async def test_an_order_remembers_nothing_of_who_is_not_remembered(connections: Connections) -> None:
    await end_redeemed_codes(connections, an_order("CODE-0"))
    assert await connections.redis.keys("*nudged*") == []
    assert (await kept(connections)).fired == {}


def test_a_decision_that_did_not_know_of_the_order_yet_does_not_give_the_code_back() -> None:
    held = a_nudging(Showing(AT, HERE, ("ten",)), None, ten=("CODE", AT + 60, "ten.1"))
    used = redeemed_at(held.onto(None), AT + 5)
    assert unpack(held.onto(used)).fired["ten"].expires_at == AT + 5


def redeemed_at(value: bytes, at: int) -> bytes:
    return pack(redeemed(unpack(value), {"CODE"}, at))
