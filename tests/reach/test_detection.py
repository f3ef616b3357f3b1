from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlmodel import col, select

from app.connections import Connections
from app.consent.requests import Kind, open_request
from app.events.kinds import ConsentTold
from app.privacy import unfinished
from app.privacy.erasure import erase_person
from app.privacy.unfinished import RequestIncomplete
from app.profiles.history import MOST_TOGETHER
from app.reach import detection
from app.reach.abandonment import SilenceThresholds
from app.reach.detection import find_abandoned, follow_withdrawal, resolve_abandoned
from app.reach.store import (
    Abandonment,
    abandonments_of,
    clear_old,
    counted,
    happened_in,
    keep_silences,
    silent_checkouts,
)
from app.reach_tables import AbandonmentRow
from tests.reach.places import (
    ADA,
    BO,
    NOW,
    SHOP,
    a_customer,
    a_shop,
    happened,
    minutes,
    order,
    told,
    write_down,
)

WAIT = SilenceThresholds(minutes(30), minutes(10))


async def find(connections: Connections, at: float) -> list[str]:
    return await find_abandoned(connections, SHOP, WAIT, NOW + minutes(at))


async def resolve(connections: Connections, at: float) -> None:
    await resolve_abandoned(connections, SHOP, NOW + minutes(at))


async def still_open(connections: Connections) -> list[Abandonment]:
    async with connections.read() as db:
        opened = col(AbandonmentRow.resolved_at).is_(None)
        ids = await db.exec(select(AbandonmentRow.abandonment_id).where(opened))
    return await abandonments_of(connections, SHOP, list(ids))


async def test_a_checkout_is_found_once_however_often_one_looks(on_both_databases: Connections) -> None:
    await a_shop(on_both_databases)
    await a_customer(on_both_databases)
    await write_down(on_both_databases, "t", told(0, customer=ADA))
    assert await find(on_both_databases, 29) == []
    looks = await asyncio.gather(*(find(on_both_databases, 31) for _ in range(3)))
    assert sorted(map(len, looks)) == [0, 0, 1]
    assert await find(on_both_databases, 60) == []
    (found,) = await still_open(on_both_databases)
    assert (found.checkout_token, found.customer_id, found.lines) == ("t", ADA, [[11, 2]])
    assert found.abandonment_id not in ("t", str(ADA))


async def test_an_erasure_does_not_end_between_the_look_and_what_was_found(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_shop(connections)
    await a_customer(connections)
    await write_down(connections, "t", told(0, customer=ADA))
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    await open_request(connections, SHOP, "r", Kind.CUSTOMER, NOW, customer_id=ADA)

    async def keep_after_a_redaction(*found: Any) -> list[str]:
        with pytest.raises(RequestIncomplete):
            await erase_person(connections, SHOP, "r")
        return await keep_silences(*found)

    monkeypatch.setattr(detection, "keep_silences", keep_after_a_redaction)
    await find(connections, 31)
    await erase_person(connections, SHOP, "r")
    async with connections.read() as db:
        assert (await db.exec(select(AbandonmentRow))).all() == []


@pytest.mark.parametrize("marketing", ["unsubscribed", "pending", "not_subscribed"])
async def test_who_may_not_be_written_to_is_counted_and_not_named(
    connections: Connections, marketing: str
) -> None:
    await a_shop(connections)
    await a_customer(connections, marketing=marketing)
    await write_down(connections, "t", told(0, customer=ADA))
    await find(connections, 31)
    (found,) = await still_open(connections)
    assert found.customer_id is None


async def test_an_ordered_checkout_is_not_abandoned_nor_one_whose_customer_ordered_otherwise(
    on_both_databases: Connections,
) -> None:
    await a_shop(on_both_databases)
    await a_customer(on_both_databases)
    await write_down(on_both_databases, "ordered", told(0))
    await write_down(on_both_databases, "elsewhere", told(0, customer=ADA))
    await order(on_both_databases, 5, token="ordered")
    await order(on_both_databases, 6, customer=ADA, number=2)
    assert await find(on_both_databases, 31) == []


@pytest.mark.parametrize(("at", "renewal"), [(-60, None), (10, True)])
async def test_an_earlier_order_and_a_subscriptions_charge_are_no_reason_to_say_nothing(
    connections: Connections, at: int, renewal: bool | None
) -> None:
    await a_shop(connections)
    await a_customer(connections)
    await order(connections, at, customer=ADA, renewal=renewal)
    await write_down(connections, "t", told(0, customer=ADA))
    assert len(await find(connections, 31)) == 1
    await resolve(connections, 40)
    assert len(await still_open(connections)) == 1


async def test_what_the_browser_still_does_elsewhere_in_the_shop_is_no_silence(
    connections: Connections,
) -> None:
    await a_shop(connections)
    await write_down(connections, "t", told(0), happened("checkout_started", 0, client="c"))
    await write_down(connections, None, happened("page_viewed", 20, client="c"))
    assert await find(connections, 35) == []
    assert len(await find(connections, 51)) == 1


async def test_a_later_order_resolves_it_for_good(on_both_databases: Connections) -> None:
    await a_shop(on_both_databases)
    await write_down(on_both_databases, "t", told(0))
    (found,) = await find(on_both_databases, 31)
    await resolve(on_both_databases, 40)
    assert len(await still_open(on_both_databases)) == 1
    await order(on_both_databases, 45, token="t")
    await resolve(on_both_databases, 50)
    (known,) = await abandonments_of(on_both_databases, SHOP, [found])
    assert (known.resolution, known.resolved_at) == ("ordered", NOW + minutes(50))
    await write_down(on_both_databases, "t", told(60))
    assert await find(on_both_databases, 120) == []


async def test_a_return_resolves_it_and_a_new_silence_opens_it_again(on_both_databases: Connections) -> None:
    await a_shop(on_both_databases)
    await write_down(on_both_databases, "t", told(0))
    (found,) = await find(on_both_databases, 31)
    await write_down(on_both_databases, "t", told(40))
    await resolve(on_both_databases, 41)
    (known,) = await abandonments_of(on_both_databases, SHOP, [found])
    assert known.resolution == "returned"
    assert await find(on_both_databases, 60) == []
    assert await find(on_both_databases, 71) == [found]
    (again,) = await still_open(on_both_databases)
    assert (again.began_at, again.last_at, again.resolution) == (NOW, NOW + minutes(40), "")


async def test_coming_back_is_something_done_after_the_silence_began(on_both_databases: Connections) -> None:
    await a_shop(on_both_databases)
    await write_down(on_both_databases, "t", told(0), happened("checkout_started", 0, client="c"))
    assert len(await find(on_both_databases, 31)) == 1
    await write_down(
        on_both_databases,
        None,
        happened("page_viewed", -5, recorded=40, client="c"),  # late, not new
        happened("cart_viewed", 1, recorded=40, client="c"),  # the clocks of two senders
        happened("tillwise:page_left", 40, client="c"),
    )
    await resolve(on_both_databases, 41)
    assert len(await still_open(on_both_databases)) == 1
    await write_down(on_both_databases, None, happened("page_viewed", 41, client="c"))
    await resolve(on_both_databases, 42)
    assert await still_open(on_both_databases) == []


async def test_of_made_up_checkouts_and_browsers_no_more_is_read_than_a_shopper_has(
    connections: Connections,
) -> None:
    many = range(MOST_TOGETHER + 1)
    await write_down(
        connections, "t", *(happened("checkout_started", each, client=f"c{each}") for each in many)
    )
    for each in many:
        await write_down(connections, None, happened(f"seen {each}", 10 + each, client=f"c{each}"))
    events = (await happened_in(connections, SHOP, ["t"], NOW + minutes(60)))["t"]
    assert {each.name for each in events} == {"checkout_started", *(f"seen {each}" for each in many[1:])}


async def test_who_comes_back_to_one_of_two_checkouts_has_left_neither(connections: Connections) -> None:
    await a_shop(connections)
    for at, token in enumerate("tu"):
        await write_down(
            connections, token, told(at), happened("checkout_started", at, client="c", event_id=token)
        )
    assert len(await find(connections, 35)) == 2
    await write_down(connections, None, happened("page_viewed", 40, client="c"))
    await resolve(connections, 41)
    assert await still_open(connections) == []


async def test_of_a_checkout_that_was_completed_nothing_is_read_again(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    await a_shop(connections)
    await write_down(connections, "t", happened("checkout_started", 1, client="pays"))
    await write_down(connections, "u", told(0), happened("checkout_completed", 1, client="paid"))
    now, silent = NOW + minutes(31), minutes(10)
    assert await silent_checkouts(connections, SHOP, now, silent) == ["t"]


async def test_an_old_word_that_comes_late_is_no_return(connections: Connections) -> None:
    await a_shop(connections)
    await write_down(connections, "t", told(0))
    await find(connections, 31)
    await write_down(connections, "t", told(-3, recorded=40))
    await resolve(connections, 41)
    assert len(await still_open(connections)) == 1
    assert await find(connections, 80) == []


async def test_what_went_silent_while_nobody_looked_for_a_day_is_told_of_nobody(
    connections: Connections,
) -> None:
    await a_shop(connections)
    await write_down(connections, "t", told(0))
    assert await find(connections, 25 * 60) == []


async def test_a_cart_that_never_reached_checkout_is_not_kept(connections: Connections) -> None:
    await a_shop(connections)
    await write_down(connections, None, happened("product_added_to_cart", 0, client="c"))
    assert await find(connections, 31) == []
    assert await still_open(connections) == []


async def test_carts_that_an_earlier_version_kept_go(on_both_databases: Connections) -> None:
    await a_shop(on_both_databases)
    await write_down(on_both_databases, "t", told(0))
    (checkout,) = await find(on_both_databases, 31)
    async with on_both_databases.write() as db:
        db.add(AbandonmentRow(shop=SHOP, abandonment_id="c", kind="cart", client_id="c", began_at=NOW,
                              last_at=NOW, silent_since=NOW, abandoned_at=NOW))  # fmt: skip
    await clear_old(on_both_databases, SHOP, NOW)
    assert [each.abandonment_id for each in await still_open(on_both_databases)] == [checkout]


async def test_one_shop_is_not_anothers(connections: Connections) -> None:
    await a_shop(connections)
    await write_down(connections, "t", told(0))
    other = await find_abandoned(connections, "b.myshopify.com", WAIT, NOW + minutes(31))
    assert other == []


async def test_a_withdrawal_takes_what_was_found_along(connections: Connections) -> None:
    await a_shop(connections)
    for who, token in ((ADA, "t"), (BO, "u")):
        await a_customer(connections, who)
        await write_down(connections, token, told(0, customer=who))
    await find(connections, 31)
    facts = {"shop": SHOP, "happened_at": NOW, "source": "checkout", "client_id": None, "region": None,
             "permitted": (), "policy_version": ""}  # fmt: skip
    no_marketing = ConsentTold(
        **facts, event_id="1", checkout_token=None, customer_id=ADA, answers={}, withdrawn=("marketing",)
    )
    await follow_withdrawal(connections, no_marketing)
    assert {each.customer_id for each in await still_open(connections)} == {None, BO}
    nothing = ConsentTold(
        **facts, event_id="2", checkout_token="u", customer_id=None, answers={}, withdrawn=("analytics",)
    )
    await follow_withdrawal(connections, nothing)
    assert [each.checkout_token for each in await still_open(connections)] == ["t"]


async def test_it_is_counted_by_when_the_silence_began_and_forgotten_in_the_end(
    connections: Connections,
) -> None:
    await a_shop(connections)
    await write_down(connections, "t", told(0))
    await write_down(connections, "u", told(100))
    await find(connections, 40)
    assert await counted(connections, SHOP, NOW, NOW + minutes(60)) == (1, 1)
    assert await counted(connections, SHOP, NOW, NOW + minutes(200)) == (2, 1)
    await clear_old(connections, "b.myshopify.com", NOW + minutes(1_000))
    assert len(await still_open(connections)) == 1
    await clear_old(connections, SHOP, NOW + minutes(1_000))
    assert await still_open(connections) == []
