"""A code, or a discount without one, in a checkout's decisions: from the pool to the answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

import msgspec
import pytest

from app.batching import Batcher
from app.campaigns.codes import pool_of, promise_of
from app.catalog.flags import record_flag
from app.connections import Connections
from app.coupons.follow import follow_grants
from app.coupons.grants import CodeRequest, GrantedCode
from app.coupons.handing import DRY_S, CodeDispenser
from app.coupons.pool import fill
from app.coupons.store import WITHDRAWN, Code, keep_codes, set_status
from app.coupons.uses import Discount, keep_discount
from app.decide import MOST_CODES
from app.offers.replay import replay
from app.shops.changes import announce_change
from app.tables import ItemCostRow, VariantRow
from tests.campaigns.factories import TEN_PERCENT, a_campaign
from tests.campaigns.till import fill_pool, granted, kept, nudges, run
from tests.offers.factories import EVERYTHING, SHOP, a_body
from tests.test_decide import a_till, a_trained_shop, ask, logged, token
from tests.test_live import until


async def test_a_code_is_given_once_and_shown_again(connections: Connections) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT, expires_s=86_400)
    await fill_pool(connections, "CODE-0", "CODE-1", "CODE-2")
    async with a_till(connections) as client:
        answers = [await ask(client, 10, consent=EVERYTHING, checkout_token=f"t{n}") for n in range(3)]
        other = await ask(client, 10, consent=EVERYTHING, headers=token(sub="gid://shopify/Customer/8"))
        crawler = token(sub=None) | {"User-Agent": "AdsBot-Google"}
        robot = await ask(client, 10, consent=EVERYTHING, headers=crawler, checkout_token="t9")
    assert (robot["fallback"], nudges(robot)) == ("robot", [])
    discounts = [each["offers"][0]["discount"] for each in answers]
    assert [each["code"] for each in discounts] == ["CODE-0"] * 3
    assert {name: discounts[0][name] for name in ("percentage", "amount", "applies_to")} == {
        "percentage": 10.0, "amount": None, "applies_to": "order",
    }  # fmt: skip
    assert len({each["expires_at"] for each in discounts}) == 1
    assert other["offers"][0]["discount"]["code"] == "CODE-1"
    assert (await kept(connections)).fired["ten"].code == "CODE-0"


async def test_a_code_that_shopify_takes_no_more_makes_way_for_one_that_works_as_long(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT)
    await fill_pool(connections, "DEAD", "WORKS")
    pool = str(pool_of(a_campaign("ten", offer=TEN_PERCENT), "USD"))
    await keep_codes(connections, SHOP, pool, [Code("DEAD", 1), Code("WORKS", 2)], "pooled")
    async with a_till(connections) as client:
        first = await ask(client, 10, consent=EVERYTHING)
        for entry in await logged(connections):
            await follow_grants(connections, entry)
        await set_status(connections, SHOP, ["DEAD"], WITHDRAWN)
        await announce_change(connections.redis, SHOP)
        web = client._transport.app  # type: ignore[attr-defined]

        async def is_withdrawn() -> bool:
            return bool((await web.state.deps.live.get(SHOP)).withdrawn)

        await until(is_withdrawn)
        then = [await ask(client, 10, consent=EVERYTHING, checkout_token=f"t{n}") for n in range(2)]
    discounts = [each["offers"][0]["discount"] for each in (first, *then)]
    assert [each["code"] for each in discounts] == ["DEAD", "WORKS", "WORKS"]
    assert len({each["expires_at"] for each in discounts}) == 1


async def test_a_cart_is_given_a_code_only_with_something_that_can_be_bought_once(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await record_flag(connections, SHOP, "requires_selling_plan", {10: True})
    await run(connections, "ten", offer=TEN_PERCENT)
    await fill_pool(connections, "CODE")
    taken_again = a_body(20, 30)["cart"]
    for line in taken_again["lines"]:
        line["full_price"] = True
    async with a_till(connections) as client:
        assert nudges(await ask(client, 10, consent=EVERYTHING)) == []
        assert nudges(await ask(client, consent=EVERYTHING, cart=taken_again)) == []
        taken_again["lines"][1]["full_price"] = False
        assert nudges(await ask(client, consent=EVERYTHING, cart=taken_again)) == ["ten"]
        assert nudges(await ask(client, 10, 20, consent=EVERYTHING)) == ["ten"]
    for entry in (await logged(connections))[:2]:
        assert entry.inputs["situation"]["campaigns"]["left_out"] == {"ten": "subscribed"}


async def test_who_uses_their_code_is_shown_it_on_although_the_cart_costs_less_by_it(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    offer = {"kind": "coupon", "discount": {"percentage": 10, "minimum": "100"}}
    await run(connections, "ten", offer=offer)
    pool = str(pool_of(a_campaign("ten", offer=offer), "USD"))
    await fill(connections, SHOP, pool, ["CODE-0"])
    cart = a_body(10)["cart"]
    carts = [cart, cart | {"subtotal": "90.00", "codes": ["code-0"]}, cart | {"subtotal": "90.00"}]
    async with a_till(connections) as client:
        answers = [await ask(client, consent=EVERYTHING, cart=each) for each in carts]
    assert [nudges(each) for each in answers] == [["ten"], ["ten"], []]


async def test_where_no_code_is_left_the_next_campaign_is_shown(connections: Connections) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT, priority=5)
    await run(connections)
    async with a_till(connections) as client:
        nobody = await ask(client, 10)  # who may not be remembered has no code of their own
        empty = await ask(client, 10, consent=EVERYTHING)
        snapshot = await client._transport.app.state.deps.live.get(SHOP)  # type: ignore[attr-defined]
    assert nudges(nobody) == nudges(empty) == ["help"]
    entries = await logged(connections)
    left_out = [each.inputs["situation"]["campaigns"]["left_out"] for each in entries]
    assert left_out == [{"ten": "unremembered"}, {"ten": "no_code"}]
    assert entries[1].inputs["situation"]["campaigns"]["inputs"]["lacking"] == ["ten"]
    again = replay(json.loads(json.dumps(entries[1].inputs)), {snapshot.version: snapshot})
    assert json.loads(msgspec.json.encode(again)) == empty["offers"]


async def test_who_makes_up_guests_is_given_a_few_codes_and_takes_none_from_anybody_else(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT)
    await fill_pool(connections, *(f"CODE-{n}" for n in range(20)))
    monkeypatch.setattr("app.limits.CHECKOUT_CODES", 2)
    forger, guest = token(sub=None), token(sub=None, jti="another")

    def a_customer(number: int) -> dict[str, str]:
        return token(sub=f"gid://shopify/Customer/{number}")

    async with a_till(connections) as client:
        given = [
            nudges(await ask(client, 10, consent=EVERYTHING, checkout_token=f"t{n}", headers=forger))
            for n in (0, 1, 2, 1)
        ]
        assert given == [["ten"], ["ten"], [], ["ten"]]  # what is theirs stays so
        named = await ask(client, 10, consent=EVERYTHING, checkout_token="t9", headers=guest)
        proven = [await ask(client, 10, consent=EVERYTHING, headers=a_customer(n)) for n in range(7, 11)]
    assert [nudges(each) for each in (named, *proven)] == [["ten"]] * 5


async def test_a_pool_found_empty_is_left_alone_for_a_while_and_then_asked_again(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT)
    async with a_till(connections) as client:
        assert nudges(await ask(client, 10, consent=EVERYTHING)) == []
        await fill_pool(connections, "CODE")
        assert nudges(await ask(client, 10, consent=EVERYTHING)) == []
        monkeypatch.setattr("app.coupons.handing.monotonic", lambda: monotonic() + DRY_S)
        assert nudges(await ask(client, 10, consent=EVERYTHING)) == ["ten"]


async def test_not_every_empty_pool_is_asked_before_something_else_is_shown(connections: Connections) -> None:
    await a_trained_shop(connections)
    for n in range(MOST_CODES + 3):
        await run(connections, f"ten{n}", offer=TEN_PERCENT, priority=5)
    await run(connections)
    asked = []

    async def empty(batch: list[CodeRequest]) -> list[GrantedCode | None]:
        asked.extend(batch)
        return [None] * len(batch)

    async with a_till(connections) as client:
        web = client._transport.app  # type: ignore[attr-defined]
        web.state.deps = replace(web.state.deps, codes=CodeDispenser(Batcher(empty, timeout_ms=1_000)))
        answers = [await ask(client, 10, consent=EVERYTHING) for _ in range(3)]
    assert [nudges(each) for each in answers] == [["help"]] * 3
    assert len(asked) == MOST_CODES + 3  # three, the other three, none


async def test_a_pool_that_fails_costs_the_coupon_alone(connections: Connections) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT)

    async def broken(_batch: list[CodeRequest]) -> list[GrantedCode | None]:
        raise ConnectionError("gone")

    async with a_till(connections) as client:
        web = client._transport.app  # type: ignore[attr-defined]
        web.state.deps = replace(web.state.deps, codes=CodeDispenser(Batcher(broken, timeout_ms=1_000)))
        answer = await ask(client, 10, consent=EVERYTHING)
    assert (nudges(answer), answer["fallback"], len(answer["offers"])) == ([], None, 3)


@pytest.mark.parametrize("by_shopify", [False, True])
async def test_a_coupon_that_would_sell_at_a_loss_is_not_given(
    connections: Connections, by_shopify: bool
) -> None:
    # Cart of 2 at 5.00, costs 4.60 each: 0.80 is left, and 10 % are 10.00 of a subtotal of 100.00.
    told = {"20": 460} if by_shopify else {"10": 460, "20": 460}
    await a_trained_shop(connections, costs=told)
    if by_shopify:
        item = {"shop": SHOP, "inventory_item_id": 7}
        async with connections.write() as db:
            await db.merge(VariantRow(variant_id=1010, product_id=10, price_minor=500, **item))
            db.add(ItemCostRow(cost_minor=460, updated_at=datetime.now(UTC), **item))
    await run(connections, "ten", offer=TEN_PERCENT)
    await fill_pool(connections, "CODE")
    async with a_till(connections) as client:
        answer = await ask(client, 10, 20, consent=EVERYTHING)
    assert (nudges(answer), await granted(connections)) == ([], [])
    (entry,) = await logged(connections)
    told = entry.inputs["situation"]["campaigns"]
    assert (told["left_out"], told["inputs"]["spare_minor"]) == ({"ten": "margin"}, 80)


async def test_a_gift_card_is_neither_profit_nor_anything_that_a_coupon_is_taken_off(
    connections: Connections,
) -> None:
    await a_trained_shop(connections, costs={"10": 400})
    assert await record_flag(connections, SHOP, "gift_card", {20: True})
    await run(connections, "ten", offer=TEN_PERCENT)
    await fill_pool(connections, "CODE")
    async with a_till(connections) as client:
        answer = await ask(client, 10, 20, consent=EVERYTHING)
    (entry,) = await logged(connections)
    told = entry.inputs["situation"]["campaigns"]["inputs"]
    assert (told["cards_minor"], told["spare_minor"]) == (500, 100)
    assert nudges(answer) == []  # of the subtotal of 100.00 the rest is 95.00, of which 10 % are a loss


async def test_a_cart_worth_more_than_a_number_holds_costs_nobody_an_offer(connections: Connections) -> None:
    """Decisions are logged together: where one could not be, nobody beside it was offered anything."""
    await a_trained_shop(connections, costs={"10": 400})
    assert await record_flag(connections, SHOP, "gift_card", {30: True})
    await run(connections, "ten", offer=TEN_PERCENT)
    most = a_body(10, 30, consent=EVERYTHING)["cart"]
    for line in most["lines"]:
        line.update(quantity=10**9, price="999999999999999.99")
    async with a_till(connections) as client:
        await ask(client, 10)
        carts = (ask(client, 10, 30, cart=most | {"currency": each}) for each in ("USD", "EUR"))
        guests = (ask(client, 10, headers=token(sub=None, jti=str(number))) for number in range(3))
        answers = await asyncio.gather(*carts, *guests)
    assert [(each["fallback"], len(each["offers"]) > 0) for each in answers] == [(None, True)] * 5
    assert len(await logged(connections)) == 6


async def test_a_cart_in_another_currency_has_a_share_taken_off_unless_that_is_a_loss_at_home(
    connections: Connections,
) -> None:
    abroad = a_body(10)["cart"] | {"currency": "EUR", "subtotal": "4.60"}
    await a_trained_shop(connections, costs={"10": 400})  # of 5.00: 1.00 is left, and 10 % are 0.50
    await run(connections, "ten", offer=TEN_PERCENT)
    await fill_pool(connections, "CODE")
    async with a_till(connections) as client:
        answer = await ask(client, consent=EVERYTHING, cart=abroad)
        theirs = await ask(client, consent=EVERYTHING, cart=abroad | {"codes": ["FRIENDS"]})
    (coupon,) = [each for each in answer["offers"] if each.get("campaign")]
    assert (coupon["discount"]["code"], coupon["message"]["args"]["percentage"]) == ("CODE", 10)
    assert nudges(theirs) == []
    told = [each.inputs["situation"]["campaigns"] for each in await logged(connections)]
    assert [each["inputs"].get("home_minor") for each in told] == [500, None]
    assert told[1]["left_out"] == {"ten": "unknown_cart"}


async def test_a_discount_without_a_code_comes_with_a_grant_once_shopify_has_it_and_never_into_the_log(
    connections: Connections,
) -> None:
    offer = {"kind": "coupon", "discount": {"percentage": 10, "with_code": False}}
    promise = promise_of(a_campaign("auto", offer=offer), "USD")
    assert promise is not None
    await a_trained_shop(connections)
    await run(connections, "auto", offer=offer)
    async with a_till(connections) as client:
        assert nudges(await ask(client, 10)) == []
    kept = Discount(promise.terms_id, "auto", "gid://shopify/DiscountAutomaticNode/1")
    await keep_discount(connections, SHOP, kept, datetime.now(UTC))
    async with a_till(connections) as client:
        answer = await ask(client, 10)
    (discount,) = [each["discount"] for each in answer["offers"] if each.get("campaign") == "auto"]
    version, terms_id, _until, whose, _number, _seal = discount["grant"].split(".")
    assert (version, terms_id, whose[0]) == ("1", promise.terms_id, "c")
    assert discount["code"] is None
    assert all("grant" not in json.dumps(entry.answer) for entry in await logged(connections))
