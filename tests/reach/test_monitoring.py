from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlalchemy import update
from sqlmodel import col

from app.campaign_tables import CampaignRow
from app.campaigns.codes import coupon_terms, pool_of
from app.campaigns.store import (
    all_campaigns,
    campaigns_fingerprint,
    change_status,
    get_campaign,
    keep_campaign,
    place_campaign,
)
from app.connections import Connections
from app.coupon_tables import CouponPoolRow, CouponRow
from app.reach.alert_store import open_alerts
from app.reach.alerts import COUPONS_LOW, FALLBACKS, FLOW, GUARDRAIL, MAIL, SPIKE
from app.reach.hourly_counts import sent_or_not
from app.reach.monitoring import STOPPED, guard_campaigns, look_after_shop, look_for_alerts, unsent
from app.reach_tables import AbandonmentRow, ReachMessageRow
from app.shops.store import Shop, get_shop
from app.tables import DecisionRow, EventRow, FeedbackRow, OrderRow
from tests.campaigns.factories import TEN_PERCENT, a_campaign
from tests.reach.places import SHOP, a_shop

NOW = datetime.now(UTC)
HOURS_AGO = NOW - timedelta(hours=6)


async def the_shop(connections: Connections) -> Shop:
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    return shop


async def a_running(connections: Connections, since: datetime, **changes: Any) -> None:
    """Keep a campaign that runs since then."""
    await keep_campaign(connections, SHOP, a_campaign("help", holdout=0.3, **changes))
    await change_status(connections, SHOP, "help", "running")
    await begun(connections, since)


async def begun(connections: Connections, since: datetime) -> None:
    async with connections.write() as db:
        row = update(CampaignRow).where(col(CampaignRow.shop) == SHOP).values(updated_at=since)
        await (await db.connection()).execute(row)


async def decisions(
    connections: Connections, bought: tuple[float, float], *, failed: float = 0.0, count: int = 900
) -> None:
    """Log decisions of six hours ago: three in ten are held back, and what came of each is known."""
    random = np.random.default_rng(3)
    rows: list[Any] = []
    for number in range(count):
        shown = number % 10 >= 3
        told = {"chosen": [{"campaign_id": "help", "propensity": 1.0}]} if shown else {
            "left_out": {"help": "withheld"}
        }  # fmt: skip
        facts = {"shop": SHOP, "decision_id": f"d{number}", "checkout_token": f"t{number}"}
        rows.append(DecisionRow(
            **facts, decided_at=HOURS_AGO + timedelta(seconds=number), surface="checkout", rung="session",
            arm="personalised", duration_us=9_000, inputs={"situation": {"campaigns": told}},
        ))  # fmt: skip
        if shown and random.random() < failed:
            rows.append(FeedbackRow(
                shop=SHOP, event_id=f"browser:f{number}", decision_id=f"d{number}", offer_id="o",
                kind="failed", happened_at=HOURS_AGO,
            ))  # fmt: skip
        if random.random() < bought[0 if shown else 1]:
            at = HOURS_AGO + timedelta(minutes=30)
            rows.append(OrderRow(
                shop=SHOP, order_id=number + 1, checkout_token=f"t{number}", currency="USD", created_at=at,
                updated_at=at,
            ))  # fmt: skip
    async with connections.write() as db:
        db.add_all(rows)


async def test_a_campaign_that_costs_sales_stops_itself_and_says_why(on_both_databases: Connections) -> None:
    await a_shop(on_both_databases)
    await a_running(on_both_databases, NOW - timedelta(days=1))
    await decisions(on_both_databases, bought=(0.1, 0.5))
    assert await guard_campaigns(on_both_databases, SHOP, NOW) == ["help"]
    kept = await get_campaign(on_both_databases, SHOP, "help")
    assert kept.status == "stopped"
    assert kept.reason.startswith(f"{STOPPED}fewer checkouts are completed")
    assert await guard_campaigns(on_both_databases, SHOP, NOW) == []
    await look_for_alerts(on_both_databases, await the_shop(on_both_databases), NOW)
    (alert,) = await open_alerts(on_both_databases, SHOP)
    assert (alert.kind, alert.about) == (GUARDRAIL, "help")
    await change_status(on_both_databases, SHOP, "help", "running")
    await look_for_alerts(on_both_databases, await the_shop(on_both_databases), NOW)
    assert await open_alerts(on_both_databases, SHOP) == []


async def test_one_whose_offers_fail_in_browsers_stops_as_well(connections: Connections) -> None:
    await a_shop(connections)
    await a_running(connections, NOW - timedelta(days=1))
    await decisions(connections, bought=(0.3, 0.3), failed=0.2)
    await guard_campaigns(connections, SHOP, NOW)
    assert "its offers fail" in (await get_campaign(connections, SHOP, "help")).reason


async def test_one_that_does_no_harm_goes_on(connections: Connections) -> None:
    await a_shop(connections)
    await a_running(connections, NOW - timedelta(days=1))
    await decisions(connections, bought=(0.35, 0.3))
    assert await guard_campaigns(connections, SHOP, NOW) == []


async def test_what_came_before_a_change_is_not_held_against_it(connections: Connections) -> None:
    await a_shop(connections)
    await a_running(connections, NOW - timedelta(hours=1))
    await decisions(connections, bought=(0.1, 0.5))
    assert await guard_campaigns(connections, SHOP, NOW) == []
    await begun(connections, NOW - timedelta(days=1))
    assert await guard_campaigns(connections, SHOP, NOW) == ["help"]


async def test_a_campaign_that_only_took_another_place_is_judged_by_all_of_it(
    on_both_databases: Connections,
) -> None:
    await a_shop(on_both_databases)
    await keep_campaign(on_both_databases, SHOP, a_campaign("other", priority=3))
    await a_running(on_both_databases, NOW - timedelta(days=1))
    await decisions(on_both_databases, bought=(0.1, 0.5))
    before = await campaigns_fingerprint(on_both_databases, SHOP)
    await place_campaign(on_both_databases, SHOP, "help", "other")
    assert await campaigns_fingerprint(on_both_databases, SHOP) != before
    help_, _ = await all_campaigns(on_both_databases, SHOP)
    await keep_campaign(on_both_databases, SHOP, help_.campaign)
    assert await guard_campaigns(on_both_databases, SHOP, NOW) == ["help"]


@pytest.mark.parametrize(("caps", "stopped"), [({"per_visitor": 1}, []), ({}, ["help"])])
async def test_after_a_change_a_capped_campaign_is_not_judged_by_who_met_it_before(
    connections: Connections, caps: dict[str, int], stopped: list[str]
) -> None:
    # Those it was shown to by then are kept from it, those held back come again: not the same shoppers.
    await a_shop(connections)
    await a_running(connections, HOURS_AGO - timedelta(minutes=1), caps=caps)
    await decisions(connections, bought=(0.1, 0.5))
    at = HOURS_AGO - timedelta(days=20)
    situation = {"campaigns": {"chosen": [], "left_out": {"help": "withheld"}}}
    rows = [
        DecisionRow(
            shop=SHOP, decision_id=f"before-{number}", checkout_token=f"t{number}", decided_at=at,
            surface="checkout", rung="session", arm="personalised", inputs={"situation": situation},
        )
        for number in range(900) if number % 10 < 3
    ]  # fmt: skip
    async with connections.write() as db:
        db.add_all(rows)
    assert await guard_campaigns(connections, SHOP, NOW) == stopped


async def test_one_without_a_holdout_can_not_be_judged_and_is_left_alone(connections: Connections) -> None:
    await a_shop(connections)
    await keep_campaign(connections, SHOP, a_campaign("help", holdout=0))
    await change_status(connections, SHOP, "help", "running")
    await begun(connections, NOW - timedelta(days=1))
    await decisions(connections, bought=(0.1, 0.5))
    assert await guard_campaigns(connections, SHOP, NOW) == []


async def letters(connections: Connections, ordered: tuple[float, float], *, count: int = 900) -> None:
    """Write down who left ten days ago: three in ten are held back, one in ten ordered before it was due."""
    random = np.random.default_rng(4)
    left_at = NOW - timedelta(days=10)
    rows: list[Any] = []
    for number in range(count):
        shown, before_due = number % 10 >= 3, number % 10 == 9
        about = {"shop": SHOP, "abandonment_id": f"a{number}", "customer_id": number + 1}
        times = {"began_at": left_at, "last_at": left_at, "silent_since": left_at, "abandoned_at": left_at}
        rows.append(AbandonmentRow(**about, **times, kind="checkout", checkout_token=f"t{number}"))
        status, reason = ("dropped", "withheld") if not shown else ("waiting" if before_due else "sent", "")
        due = {"due_at": left_at, "ends_at": left_at, "changed_at": left_at}
        rows.append(
            ReachMessageRow(**about, **due, way="mail", campaign_id="help", status=status, reason=reason)
        )
        if random.random() < ordered[0 if shown else 1]:
            at = left_at + timedelta(days=2)
            rows.append(OrderRow(
                shop=SHOP, order_id=number + 1, customer_id=number + 1, currency="USD", created_at=at,
                updated_at=at,
            ))  # fmt: skip
    async with connections.write() as db:
        db.add_all(rows)


WRITES: dict[str, Any] = {"trigger": "abandonment", "offer": TEN_PERCENT}


async def test_letters_after_which_fewer_order_stop_themselves(on_both_databases: Connections) -> None:
    await a_shop(on_both_databases)
    await a_running(on_both_databases, NOW - timedelta(days=20), **WRITES)
    await letters(on_both_databases, ordered=(0.1, 0.4))
    assert await guard_campaigns(on_both_databases, SHOP, NOW) == ["help"]
    reason = (await get_campaign(on_both_databases, SHOP, "help")).reason
    assert reason.startswith(f"{STOPPED}fewer of those written to order: ")
    assert "(900 shoppers;" in reason


async def test_letters_after_which_as_many_order_go_on(connections: Connections) -> None:
    await a_shop(connections)
    await a_running(connections, NOW - timedelta(days=20), **WRITES)
    await letters(connections, ordered=(0.4, 0.4))
    assert await guard_campaigns(connections, SHOP, NOW) == []


async def test_letters_are_judged_when_the_time_to_order_is_over(connections: Connections) -> None:
    await a_shop(connections)
    await a_running(connections, NOW - timedelta(days=20), **WRITES)
    await letters(connections, ordered=(0.0, 0.4))
    at = NOW - timedelta(days=7, hours=1)  # nobody was written to three days before that
    assert await guard_campaigns(connections, SHOP, at) == []
    assert await guard_campaigns(connections, SHOP, NOW) == ["help"]


def test_messages_that_do_not_leave_are_told_with_the_reason_most_have() -> None:
    found = unsent({"mail": {"down": 3, "odd": 1}, "flow": {"no Flow": 2}}, {"mail": 20}, False)
    assert [each.kind for each in found] == [FLOW, MAIL]
    assert found[1].says.startswith("4 messages to shoppers were not sent in the last day")
    assert found[1].says.endswith("because: down")
    assert ["SMTP_URL" in each.says for each in unsent({}, {}, True)] == [True]
    assert unsent({}, {"mail": 5}, False) == []
    both = unsent({"mail": {"down": 3}, "flow": {"no Flow": 2}}, {}, True)
    assert [each.kind for each in both] == [MAIL, FLOW]


@pytest.mark.parametrize(("sent", "told"), [(0, 1), (19, 1), (20, 0), (1_000, 0)])  # of 20, one is 5 %
def test_one_odd_address_among_many_is_no_alert(sent: int, told: int) -> None:
    assert len(unsent({"mail": {"an odd address": 1}}, {"mail": sent}, False)) == told


async def test_what_left_is_counted_beside_what_did_not(connections: Connections) -> None:
    await a_shop(connections)
    rows = [
        ReachMessageRow(shop=SHOP, abandonment_id=f"a{n}", way="mail", customer_id=n, status=status,
                        reason=reason, attempts=attempts, due_at=NOW, ends_at=NOW, changed_at=NOW)
        for n, (status, reason, attempts) in enumerate(
            [("sent", "", 1)] * 3 + [("failed", "odd", 1), ("waiting", "down", 3), ("waiting", "", 0),
                                     ("dropped", "ordered", 1)]
        )
    ]  # fmt: skip
    async with connections.write() as db:
        db.add_all(rows)
    failed, sent = await sent_or_not(connections, SHOP, NOW - timedelta(hours=1))
    assert (failed, sent) == ({"mail": {"odd": 1, "down": 1}}, {"mail": 3})


@pytest.mark.parametrize("left", [5, 59])
async def test_a_spike_is_told_against_the_same_hours_of_the_days_before(
    connections: Connections, left: int
) -> None:
    await a_shop(connections)
    end = NOW - timedelta(minutes=32)
    rows: list[Any] = []
    for day in range(8):
        for number in range(60):
            at = end - timedelta(days=day, minutes=30)
            token = f"{day} {number}"
            rows.append(EventRow(shop=SHOP, event_id=token, name="CheckoutUpdated", happened_at=at,
                                 recorded_at=at, checkout_token=token))  # fmt: skip
            if number < (30 if day else left):
                rows.append(AbandonmentRow(shop=SHOP, abandonment_id=token, kind="checkout", began_at=at,
                                           last_at=at, silent_since=at, abandoned_at=at))  # fmt: skip
    async with connections.write() as db:
        db.add_all(rows)
    found = await look_for_alerts(connections, await the_shop(connections), NOW)
    assert [each.kind for each in found] == ([SPIKE] if left == 59 else [])


async def test_fallbacks_and_a_low_pool_are_told_and_resolved(connections: Connections) -> None:
    await a_shop(connections)
    now = datetime.now(UTC)  # the look goes by the clock, and an hour back only
    coupon = {"kind": "coupon", "discount": {"percentage": 10}}
    await a_running(connections, now - timedelta(days=1), offer=coupon)
    campaign = (await get_campaign(connections, SHOP, "help")).campaign
    pool_id, terms = pool_of(campaign, "USD"), coupon_terms(campaign, "USD")
    assert pool_id is not None
    assert terms is not None
    rows: list[Any] = [CouponPoolRow(shop=SHOP, pool_id=pool_id, campaign_id="help", size=20,
                                     terms=msgspec.to_builtins(terms), updated_at=now)]  # fmt: skip
    rows += [
        DecisionRow(shop=SHOP, decision_id=f"d{n}", decided_at=now, surface="checkout", rung="static",
                    arm="personalised", fallback="redis" if n < 10 else None)
        for n in range(30)
    ]  # fmt: skip
    async with connections.write() as db:
        db.add_all(rows)
    await look_after_shop(connections, SHOP)
    found = {each.kind: each for each in await open_alerts(connections, SHOP)}
    assert set(found) == {COUPONS_LOW, FALLBACKS}
    assert found[COUPONS_LOW].says.startswith("0 of 20 codes are left for 'Help'")
    async with connections.write() as db:
        db.add_all(CouponRow(shop=SHOP, code=f"C{n}", pool_id=pool_id, status="pooled") for n in range(20))
    later = now + timedelta(hours=2)
    await look_for_alerts(connections, await the_shop(connections), later)
    assert await open_alerts(connections, SHOP) == []
