"""What the database adds up of sales, beside every line of every order taken one by one."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlmodel import select

from app.attribution.models import Model
from app.attribution.report import CreditTally, PeriodSales, Report
from app.attribution.sold import credited, sold_lines, sold_order, sold_parts
from app.attribution.touch_store import people_of, touches_of
from app.attribution.touches import WINDOW_DAYS, owed_lines
from app.connections import Connections
from app.experiments.assign import pseudonym
from app.experiments.refusal import Cause, Refusal
from app.tables import DecisionRow, EventRow, OrderLineRow, OrderRow, RefundRow
from tests.attribution.test_sold import SINCE, offering
from tests.attribution.test_store import NOW, SHOP, a_line, a_refund, a_shop, an_order, write

NOTHING_CAUSED = Refusal(Cause.NOBODY, "")
BROWSERS = {"u": pseudonym(SHOP, "client:browser")}


def a_months_sales(seed: int) -> list[Any]:
    """Return orders and offers of few people and products, so that many of them meet."""
    random = Random(seed)
    people = [{"customer_id": 1}, {"customer_id": 2}, {"checkout_token": "t"}, {"checkout_token": "u"}, {}]
    told = {"client_id": "browser", "checkout_token": "u", "happened_at": NOW, "recorded_at": NOW}
    rows: list[Any] = [EventRow(shop=SHOP, event_id="e", name="checkout_completed", **told)]
    for number in range(1, 41):
        at = NOW - timedelta(hours=random.uniform(0, 32 * 24))
        whose = random.choice(people)
        cancelled = NOW if random.random() < 0.1 else None
        currency = "JPY" if random.random() < 0.1 else "EUR"
        codes = [{"code": "ten"}] if random.random() < 0.3 else []
        placed = {"created_at": at, "cancelled_at": cancelled, "currency": currency, "discount_codes": codes}
        rows.append(an_order(number, **placed, **whose))
        for line in range(random.randint(0, 3)):
            added = random.random() < 0.2
            rows.append(
                a_line(
                    10 * number + line, number, product_id=random.randint(1, 4),
                    quantity=random.randint(1, 3), price_minor=random.randint(0, 900),
                    discount_minor=random.choice([0, 0, 50, 2_000]),
                    decision_id=f"d{random.randint(1, 40)}" if added else None,
                    offer_id="o" if added else None,
                )
            )  # fmt: skip
        if random.random() < 0.25:
            back = a_refund(number, random.randint(1, 700), line_id=random.choice([0, 10 * number]))
            back.order_id = number
            rows.append(back)
        offered = {
            "offer_id": "o", "kind": "upsell", "why": [],
            "product": {"product_id": f"gid://shopify/Product/{random.randint(1, 4)}"},
        }  # fmt: skip
        code = {"offer_id": "c", "kind": "coupon", "product": None, "discount": {"code": "TEN"}, "why": []}
        in_storefront = {"inputs": {"unit": BROWSERS["u"]}, "surface": "storefront"}
        made_to = {"checkout_token": None} | random.choice([*people, in_storefront])
        made = NOW - timedelta(hours=random.uniform(0, 45 * 24))
        rows.append(offering(f"d{number}", random.choice([offered, code]), decided_at=made, **made_to))
    return rows


async def one_by_one(connections: Connections, model: Model, since: datetime) -> Report:
    """Return the report of every line there is, with every offer there is."""
    async with connections.read() as db:
        orders = (await db.exec(select(OrderRow))).all()
        lines = (await db.exec(select(OrderLineRow))).all()
        refunds = (await db.exec(select(RefundRow))).all()
        decisions = (await db.exec(select(DecisionRow))).all()
    standing = [each for each in orders if since <= each.created_at <= NOW and each.cancelled_at is None]
    found = []
    for order in (each for each in standing if each.currency == "EUR"):
        back: dict[int, int] = defaultdict(int)
        for each in refunds:
            if each.order_id == order.order_id:
                back[each.line_id] += each.amount_minor
        theirs = [each for each in lines if each.order_id == order.order_id]
        people = people_of(order, BROWSERS.get(order.checkout_token or ""))
        found += sold_lines(sold_order(order, people, {}), theirs, back)
    touches = tuple(touch for each in decisions for touch in touches_of(each, each.inputs.get("unit")))
    foreign = sum(each.currency != "EUR" for each in standing)
    tally = CreditTally(model, WINDOW_DAYS)
    sold = PeriodSales("EUR", tuple(found), touches, foreign)
    tally.add(sold, owed_lines(sold.lines, sold.touches))
    return tally.report(NOTHING_CAUSED, since)


@pytest.mark.parametrize(("seed", "at_once"), [(1, 2_000), (2, 3)])
async def test_sums_of_the_database_are_those_of_every_line(
    on_both_databases: Connections, seed: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.attribution.sold._AT_ONCE", at_once)
    await write(on_both_databases, a_shop(), *a_months_sales(seed))
    parts = [each async for each in sold_parts(on_both_databases, SHOP, SINCE, None, NOW, WINDOW_DAYS)]
    assert (len(parts) > 5) == (at_once < 5)
    assert sum(each.other_orders for each in parts) > 0 < sum(len(each.lines) for each in parts)
    models: tuple[Model, ...] = ("last_touch", "linear", "time_decay", "position")
    later = NOW - timedelta(days=9)
    month, week = await credited(on_both_databases, SHOP, models, [SINCE, later], NOW)
    for number, model in enumerate(models):
        report = month[number].report(NOTHING_CAUSED, SINCE)
        assert report == await one_by_one(on_both_databases, model, SINCE)
        assert week[number].report(NOTHING_CAUSED, later) == await one_by_one(on_both_databases, model, later)
        assert report.credited_minor > 0


async def test_orders_of_one_moment_stay_together(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.attribution.sold._AT_ONCE", 2)
    moments = [NOW - timedelta(hours=hours) for hours in (9, 5, 5, 5, 5, 2)]
    orders = [an_order(number, created_at=at) for number, at in enumerate(moments, start=1)]
    lines = [a_line(number, number, decision_id=None) for number in range(1, 7)]
    await write(connections, a_shop(), *orders, *lines)
    parts = [each async for each in sold_parts(connections, SHOP, SINCE, None, NOW, WINDOW_DAYS)]
    assert [each.other_orders for each in parts] == [1, 4, 1]
