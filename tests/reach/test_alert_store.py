"""Alerts are raised once and told once, however many raise them and however often they come back."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

from sqlmodel import col, select

from app.connections import Connections
from app.outbound.deliver import deliver_due
from app.outbound.settings_store import set_webhook
from app.outbound_tables import DeliveryRow
from app.reach.alert_store import (
    claim_mail,
    last_alerts,
    open_alerts,
    raise_alert,
    resolve_others,
    settle_mail,
)
from app.reach.alerts import COUPONS_LOW, ERRORS, GUARDRAIL, Alert
from app.shops.store import Shop, get_shop
from tests.outbound.test_deliver import URL, Receiver
from tests.reach.places import SHOP, a_shop

NOW = datetime.now(UTC)


async def the_shop(connections: Connections) -> Shop:
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    return shop


async def test_an_alert_is_raised_once_however_many_raise_it(on_both_databases: Connections) -> None:
    await a_shop(on_both_databases)
    await set_webhook(on_both_databases, SHOP, URL)
    shop = await the_shop(on_both_databases)
    raised = await asyncio.gather(
        *(raise_alert(on_both_databases, shop, Alert(ERRORS, f"{n} failed"), NOW) for n in range(3))
    )
    assert sorted(raised) == [False, False, True]
    assert len(await open_alerts(on_both_databases, SHOP)) == 1
    assert await resolve_others(on_both_databases, shop, {ERRORS}, [], NOW + timedelta(hours=1)) == 1
    assert await resolve_others(on_both_databases, shop, {ERRORS}, [], NOW) == 0
    assert await raise_alert(on_both_databases, shop, Alert(ERRORS, "again"), NOW + timedelta(hours=2))
    again, first = await last_alerts(on_both_databases, SHOP, 9)
    assert (again.resolved_at, first.resolved_at) == (None, NOW + timedelta(hours=1))
    async with on_both_databases.read() as db:
        told = [json.loads(each) for each in await db.exec(select(DeliveryRow.body))]
    assert sorted((each["alert"], each["resolved_at"] is None) for each in told) == [
        (ERRORS, False), (ERRORS, True), (ERRORS, True),
    ]  # fmt: skip


async def told(connections: Connections) -> list[tuple[str, bool]]:
    """Return what waits for the webhook, the oldest first: which alert, and whether it is over."""
    async with connections.read() as db:
        rows = (await db.exec(select(DeliveryRow).order_by(col(DeliveryRow.made_at)))).all()
    messages = [json.loads(each.body) for each in rows]
    return [(each["says"], each["resolved_at"] is not None) for each in messages]


async def test_an_alert_that_comes_and_goes_is_told_once(on_both_databases: Connections) -> None:
    connections = on_both_databases
    await a_shop(connections)
    await set_webhook(connections, SHOP, URL)
    shop = await the_shop(connections)

    async def look(minute: int, *found: Alert) -> None:
        at = NOW + timedelta(minutes=minute)
        for each in found:
            await raise_alert(connections, shop, each, at)
        await resolve_others(connections, shop, {ERRORS}, found, at)

    for minute in range(0, 60, 10):
        await look(minute, Alert(ERRORS, f"at {minute}"))
        assert [each.says for each in await open_alerts(connections, SHOP)] == [f"at {minute}"]
        await look(minute + 5)
        assert await open_alerts(connections, SHOP) == []
    assert await told(connections) == [("at 0", False), ("at 50", True)]
    (mailed,) = await claim_mail(connections, SHOP, NOW + timedelta(hours=1))
    await settle_mail(connections, SHOP, mailed.alert_id, "sent", NOW + timedelta(hours=1))
    receiver = Receiver()
    for minute in (114, 116):  # it was over at 55
        await deliver_due(connections, receiver.post, SHOP, NOW + timedelta(minutes=minute))
        assert [each["resolved_at"] is not None for each in receiver.told] == (
            [False] if minute == 114 else [False, True]
        )
    await look(120, Alert(ERRORS, "a new one"))
    assert await told(connections) == [("a new one", False)]
    assert len(await claim_mail(connections, SHOP, NOW + timedelta(hours=2))) == 1


async def test_an_alert_whose_worker_was_killed_is_mailed_again_but_not_for_ever(
    connections: Connections,
) -> None:
    await a_shop(connections)
    await raise_alert(connections, await the_shop(connections), Alert(ERRORS, "many"), NOW)
    taken = [len(await claim_mail(connections, SHOP, NOW + timedelta(minutes=10 * at))) for at in range(12)]
    assert taken == [
        1,
        0,
        1,
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ]  # every time by a worker that is never heard of again


async def test_a_campaign_that_is_stopped_again_is_told_again(connections: Connections) -> None:
    await a_shop(connections)
    await set_webhook(connections, SHOP, URL)
    shop, stopped = await the_shop(connections), Alert(GUARDRAIL, "it was stopped", "help")
    assert await raise_alert(connections, shop, stopped, NOW)
    await resolve_others(connections, shop, {GUARDRAIL}, [], NOW + timedelta(minutes=5))
    assert await raise_alert(connections, shop, stopped, NOW + timedelta(minutes=10))
    assert [over for _, over in await told(connections)] == [False, True, False]


async def test_an_alert_is_told_by_the_signed_webhook_and_names_nobody(connections: Connections) -> None:
    await a_shop(connections)
    await set_webhook(connections, SHOP, URL)
    await raise_alert(connections, await the_shop(connections), Alert(COUPONS_LOW, "few", "ten"), NOW)
    receiver = Receiver()
    assert await deliver_due(connections, receiver.post, SHOP, NOW + timedelta(seconds=1))
    (told,) = receiver.told
    assert (told["alert"], told["about"], told["says"], told["resolved_at"]) == (
        COUPONS_LOW,
        "ten",
        "few",
        None,
    )
    assert "customer_id" not in told


async def test_without_a_webhook_nothing_waits_for_one(connections: Connections) -> None:
    await a_shop(connections)
    await raise_alert(connections, await the_shop(connections), Alert(ERRORS, "x"), NOW)
    async with connections.read() as db:
        assert (await db.exec(select(DeliveryRow))).all() == []
