"""What offers are credited with in a calendar month, as a table."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import QueuePool
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from app.admin.credited_file import COLUMNS, credited_file, months
from app.admin.routes import routes
from app.attribution.sold import credited
from app.connections import Connections
from app.experiments.refusal import Cause, Refusal
from app.shops.store import Shop, get_shop
from app.tables import DecisionRow, OrderLineRow, OrderRow
from app.values import ShopDomain
from tests.admin.factories import SHOP, bearer, keep, opened, product, shop_row

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
OFFERS = {
    "offers": [
        {
            "offer_id": "u",
            "kind": "upsell",
            "product": {"product_id": "gid://shopify/Product/2"},
            "why": [{"reason": "popular", "weight": 1}],
        },
        {
            "offer_id": "c",
            "kind": "coupon",
            "campaign": "ten",
            "discount": {"code": "TEN", "percentage": 10},
            "why": [],
        },
    ]
}


def sold(order_id: int, at: datetime, minor: int = 999) -> list[Any]:
    """Return an order that used the code, of its own customer, and the decision that was made just before."""
    times = {"created_at": at, "updated_at": at}
    whose = {"shop": SHOP, "customer_id": order_id}
    made = at - timedelta(minutes=1)
    return [
        OrderRow(order_id=order_id, currency="USD", discount_codes=[{"code": "TEN"}], **whose, **times),
        OrderLineRow(
            shop=SHOP, line_id=order_id, order_id=order_id, product_id=2, quantity=1, price_minor=minor
        ),
        DecisionRow(
            decision_id=f"d{order_id}", decided_at=made, surface="checkout", rung="personal", answer=OFFERS,
            arm="personalised", **whose,
        ),
    ]  # fmt: skip


async def the_shop(connections: Connections, **changes: Any) -> Shop:
    await keep(connections, shop_row(**changes))
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    return shop


@pytest.mark.parametrize(
    ("now", "zone", "days", "found"),
    [
        # The decisions of 180 days reach back to May 30: of June the week before it is lacking.
        (NOW, "UTC", 180, ["2026-11", "2026-10", "2026-09", "2026-08", "2026-07"]),
        (NOW, "UTC", 20, ["2026-11"]),
        (datetime(2026, 11, 30, 20, tzinfo=UTC), "Asia/Tokyo", 20, ["2026-12"]),
        (datetime(2026, 12, 1, 3, tzinfo=UTC), "America/New_York", 20, ["2026-11"]),
        (datetime(2027, 1, 9, tzinfo=UTC), "UTC", 50, ["2027-01", "2026-12"]),
    ],
)
async def test_the_months_are_the_shops_own_as_far_back_as_decisions_are_kept(
    connections: Connections, now: datetime, zone: str, days: int, found: list[str]
) -> None:
    shop = await the_shop(connections, time_zone=zone, settings={"retention": {"decisions_days": days}})
    listed = months(shop, now)
    assert [each.name for each in listed] == found
    assert all(later.begin == each.end for later, each in pairwise(listed))


async def test_no_month_is_offered_of_which_it_is_no_longer_known_whose_browser_a_checkout_was_in(
    connections: Connections,
) -> None:
    shop = await the_shop(connections, settings={"retention": {"events_days": 60}})
    assert [each.name for each in months(shop, NOW)] == ["2026-11", "2026-10"]


async def test_a_months_credits_are_lines_that_sum_to_what_is_credited(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    shop = await the_shop(connections)  # in New York, where November ends at five in UTC
    month = next(each for each in months(shop, datetime(2026, 12, 9, tzinfo=UTC)) if each.name == "2026-11")
    last = month.end - timedelta(seconds=1)
    rows = [*sold(1, last), *sold(2, month.end), *sold(3, month.begin), *sold(4, month.begin, minor=1)]
    await keep(connections, *product(2, "@Rye, cut"), *rows)
    told, now = {"ten": "=1+1"}, month.end + timedelta(days=1)
    with await credited_file(connections, shop, month, "linear", told, now) as file:
        text = file.read()
    assert text.endswith(b"\r\n")
    read = list(csv.DictReader(text.decode().splitlines()))
    assert [each["order"] for each in read] == ["3", "3", "4", "4", "1", "1"]
    assert sum(float(each["credited"]) for each in read) == pytest.approx(9.99 + 9.99 + 0.01)
    upsell, coupon = sorted(read[-2:], key=lambda each: each["kind"], reverse=True)
    assert upsell == {
        "order": "1", "placed_at": "2026-11-30T23:59:59-05:00", "line": "1", "product": "2",
        "title": "'@Rye, cut", "currency": "USD", "credited": "4.995", "kind": "upsell", "campaign": "",
        "campaign_name": "", "code": "", "reason": "popular", "surface": "checkout",
        "offered_at": "2026-11-30T23:58:59-05:00", "decision": "d1",
    }  # fmt: skip
    assert (coupon["campaign"], coupon["campaign_name"], coupon["code"]) == ("ten", "'=1+1", "TEN")
    ((tally,),) = await credited(connections, ShopDomain(SHOP), ["linear"], [month.begin], last)
    shown = tally.report(Refusal(Cause.NOBODY, ""), month.begin).credited_minor
    assert round(sum(float(each["credited"]) for each in read) * 100) == shown


async def test_a_merchant_takes_a_month_that_the_page_offers(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await the_shop(connections)
    page = await opened(browser, "/admin/experiments/earned", model="position")
    assert 'data-do="export-credited" data-model="position"' in page
    named = page.partition("<s-select data-month")[2].partition('value="')[2][:7]
    asked = {"month": named, "model": "position"}
    answer = await browser.post("/admin/api/experiments/credited", json=asked, headers=bearer())
    assert answer.headers["content-disposition"] == f'attachment; filename="credited-{named}.csv"'
    assert answer.text == ",".join(COLUMNS) + "\r\n"


async def test_who_takes_a_month_slowly_holds_no_connection_to_the_database(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    shop = await the_shop(connections)
    web = Starlette(routes=routes)
    web.state.connections = connections
    held = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            held.append(cast("QueuePool", connections.engine.pool).checkedout())
            await send(message)

        await web(scope, receive, sent)

    asked = {"month": months(shop, datetime.now(UTC))[0].name, "model": "linear"}
    url = connections.settings.app_url
    async with httpx.AsyncClient(transport=httpx.ASGITransport(noting), base_url=url) as browser:
        answer = await browser.post("/admin/api/experiments/credited", json=asked, headers=bearer())
    assert answer.text == ",".join(COLUMNS) + "\r\n"
    assert set(held) == {0}
