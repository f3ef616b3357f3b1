"""What the database adds up of everybody, beside every decision and order taken one by one."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from app.attribution.kpi_facts import read_facts
from app.attribution.kpis import Kpi, kpis
from app.attribution.overall import overall
from app.connections import Connections
from app.errors import NotFound
from app.segment_tables import CustomerSegmentRow
from tests.attribution.test_kpis import an_event
from tests.attribution.test_store import NOW, SHOP, a_decision, a_line, a_refund, a_shop, an_order, write

SINCE = NOW - timedelta(days=30)
TOLD = ("checkout_conversion", "aov", "clv_realised", "clv_predicted_90d")


def a_month(seed: int) -> list[Any]:
    """Return what few people did, so that they meet in many ways, also outside the period."""
    random = Random(seed)
    rows: list[Any] = [
        CustomerSegmentRow(
            shop=SHOP, customer_id=n, segment="s", spend_ahead_minor=100 * n, changed_at=NOW
        )
        for n in (1, 2, 5)
    ]  # fmt: skip
    for number in range(1, 41):
        whose = {
            "checkout_token": random.choice([None, "", "t", "u", "v", f"w{number}"]),
            "customer_id": random.choice([None, None, 1, 2, 3]),
        }
        made = NOW - timedelta(hours=random.uniform(-24, 40 * 24))
        surface = random.choice(["checkout", "checkout", "thank_you", "order_status"])
        rows.append(a_decision(f"d{number}", decided_at=made, surface=surface, **whose))
    for number in range(1, 31):
        placed = {
            "checkout_token": random.choice([None, "", "t", "u", "v", f"w{number}"]),
            "customer_id": random.choice([None, 1, 2, 3, 4]),
            "cancelled_at": NOW if random.random() < 0.1 else None,
            "currency": "JPY" if random.random() < 0.1 else "EUR",
            "subtotal_minor": max(0, random.randint(-300, 900)),
        }
        rows += [a_line(number, number) for _ in range(random.randint(0, 1))]
        rows.append(an_order(number, created_at=NOW - timedelta(days=random.uniform(-1, 90)), **placed))
        for line in random.sample([0, 1, 2, -1, -2], random.choice([0, 0, 1, 2])):
            back = a_refund(number, random.randint(1, 700), line_id=line)
            back.order_id = number
            rows.append(back)
    return rows


async def one_by_one(connections: Connections) -> tuple[list[Kpi], str]:
    facts, currency = await read_facts(connections, SHOP, SINCE, NOW)
    return [each for each in kpis(facts, ("all",)) if each.name in TOLD], currency


@pytest.mark.parametrize("seed", range(8))
async def test_sums_of_the_database_are_those_of_every_decision(
    on_both_databases: Connections, seed: int
) -> None:
    await write(on_both_databases, a_shop(), *a_month(seed))
    told, currency = await overall(on_both_databases, SHOP, SINCE, NOW)
    assert [each.name for each in told] == [*TOLD]
    assert (told, currency) == await one_by_one(on_both_databases)
    assert all(each.over for each in told)


async def test_nothing_is_told_of_a_shop_where_nothing_happened(connections: Connections) -> None:
    with pytest.raises(NotFound):
        await overall(connections, SHOP, SINCE, NOW)
    old = a_decision("a", decided_at=SINCE - timedelta(days=1))
    await write(connections, a_shop(), old, an_event("c", "product_viewed", "x"))
    assert await overall(connections, SHOP, SINCE, NOW) == await one_by_one(connections) == ([], "EUR")


async def test_a_cart_alone_says_why_there_is_no_figure(connections: Connections) -> None:
    await write(connections, a_shop(), an_event("c", "product_added_to_cart", "x"))
    told = await overall(connections, SHOP, SINCE, NOW)
    assert told == await one_by_one(connections)
    assert len(told[0]) == len(TOLD)
