"""Decisions are found by the order that came of them, however a merchant names it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from app.admin.decisions_order import before_order
from app.connections import Connections
from app.experiments.assign import pseudonym
from app.shops.store import get_shop
from app.tables import EventRow, OrderLineRow, OrderRow
from tests.admin.factories import OTHER, SHOP, decision, keep, opened, shop_row

GRAPHQL = f"https://{SHOP}/admin/api/2026-07/graphql.json"
ORDER = 6_100_000_000_001
AT = datetime(2026, 11, 10, 12, tzinfo=UTC)
HIS = {"d1", "d2", "d3", "d5", "d6"}


def made(number: int, days: float, **whose: Any) -> Any:
    """Return a decision so many days after the order was placed."""
    return decision(number, decided_at=AT + timedelta(days=days), **whose)


async def keep_an_order(connections: Connections, **shop: Any) -> None:
    """Store an order of customer 5 and decisions, some of which came before it."""
    placed = {"created_at": AT, "updated_at": AT, "currency": "USD"}
    met = {"name": "checkout_started", "client_id": "b", "checkout_token": "t", "happened_at": AT}
    await keep(
        connections,
        shop_row(**shop),
        OrderRow(shop=SHOP, order_id=ORDER, customer_id=5, checkout_token="t", **placed),
        OrderLineRow(shop=SHOP, line_id=1, order_id=ORDER, quantity=1, price_minor=1, decision_id="d6"),
        EventRow(shop=SHOP, event_id="e", recorded_at=AT, **met),
        made(1, 0.1, checkout_token="t", surface="thank_you"),
        made(2, -3, customer_id=5),
        made(3, -3, inputs={"unit": pseudonym(SHOP, "client:b")}, arm="holdout"),
        made(4, -8, customer_id=5),  # longer ago than offers are credited for
        made(5, -8, checkout_token="t"),
        made(6, -40),  # its line says so
        made(7, 1, customer_id=5),  # after it
        made(8, -3, customer_id=6),
        made(9, -3),  # of nobody who may be known
    )


def listed(text: str) -> set[str]:
    return set(re.findall(r'decisions/one\?[^"]*&id=([^"&]+)"', text))


async def test_an_orders_decisions_are_its_checkouts_its_lines_and_its_persons(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    await keep_an_order(connections)
    await keep(connections, shop_row(OTHER))
    for shop, found in ((SHOP, HIS), (OTHER, set())):
        known = await get_shop(connections, shop)
        assert known is not None
        for rest in ("?link_source=search", "/", "#timeline", "/fulfillments/7100000000001/edit", "/refund"):
            named = f"https://admin.shopify.com/store/acme/orders/{ORDER}{rest}"
            assert await before_order(connections, known, named) == (found, ""), named


@pytest.mark.parametrize("typed", ["#1001", " 1001 ", '"#1001\\'])
async def test_an_order_is_named_as_shopify_names_it_and_the_rest_of_what_is_asked_holds(
    connections: Connections, browser: httpx.AsyncClient, typed: str
) -> None:
    await keep_an_order(connections)
    nodes = [{"id": f"gid://shopify/Order/{ORDER}"}]
    with respx.mock:
        shopify = respx.post(GRAPHQL).respond(json={"data": {"orders": {"nodes": nodes}}})
        text = await opened(browser, "/admin/decisions", order=typed)
        holdout = await opened(browser, "/admin/decisions", order=typed, arm="holdout")
    assert json.loads(shopify.calls[0].request.content)["variables"] == {"query": 'name:"1001"'}
    assert (listed(text), listed(holdout)) == (HIS, {"d3"})


@pytest.mark.parametrize(
    ("answer", "scopes", "says"),
    [
        ({"data": {"orders": {"nodes": []}}}, "", "No order of the last 60 days has this number."),
        ({"data": {"orders": {"nodes": []}}}, "read_all_orders", "No order has this number."),
        ({"errors": [{"message": "denied"}]}, "", "Shopify can&#39;t be reached just now"),
    ],
)
async def test_an_order_that_is_not_known_leads_to_no_decision_and_why_is_said_at_its_field(
    connections: Connections, browser: httpx.AsyncClient, answer: Any, scopes: str, says: str
) -> None:
    await keep_an_order(connections, scopes=scopes)
    with respx.mock:
        respx.post(GRAPHQL).respond(json=answer)
        text = await opened(browser, "/admin/decisions", order="1001")
    assert f'error="{says}' in text
    assert "No decision is like that" in text
    assert listed(text) == set()


async def test_a_sign_before_no_number_is_no_order_and_shopify_is_not_asked_for_any(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_an_order(connections)
    with respx.mock:
        assert 'error="No order of the last 60 days' in await opened(browser, "/admin/decisions", order="#")
