"""A dozen orders as webhooks tell them: every report has, to the cent, what is worked out by hand."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import timedelta
from io import TextIOWrapper
from typing import Any

from app.admin.credited_file import Month, credited_file
from app.attribution.kpi_facts import read_facts
from app.attribution.kpis import kpis
from app.attribution.overall import overall
from app.attribution.sold import attribution
from app.attribution.store import attributed_revenue
from app.connections import Connections
from app.experiments.design import standing_design
from app.experiments.store import observed_since
from app.orders.store import record_orders, record_refunds
from app.shops.store import get_shop
from tests.attribution.test_sold import of_product
from tests.attribution.test_store import NOW, SHOP, a_decision, a_shop, write
from tests.webhooks.test_translate import translated

PLACED, SINCE = NOW - timedelta(days=20), NOW - timedelta(days=30)
SHARES = "holdout=0.5 personalised=0.5"
OFFERED, TEA, OTHER, CARD = 10, 11, 12, 99
TIP = {"tip_payment_gateway": "shopify_payments"}


def amount(minor: int) -> str:
    return f"{minor / 100:.2f}"


def both(minor: int, paid_minor: int | None) -> dict[str, Any]:
    """Return an amount in the shop's euros and in what the shopper paid: dollars, where they are told."""
    paid = (minor, "EUR") if paid_minor is None else (paid_minor, "USD")
    sides = {"shop_money": (minor, "EUR"), "presentment_money": paid}
    return {name: {"amount": amount(of), "currency_code": in_} for name, (of, in_) in sides.items()}


def line(
    line_id: int, product: int | None, price: int, quantity: int = 1, off: int = 0, **more: Any
) -> dict[str, Any]:
    added = {"_tillwise_decision": f"d{line_id // 10}", "_tillwise_offer": "o"} if product == OFFERED else {}
    return {
        "id": line_id, "product_id": product, "variant_id": product, "quantity": quantity,
        "price": amount(price), "discount_allocations": [{"amount": amount(off)}],
        "properties": [{"name": name, "value": value} for name, value in added.items()],
    } | more  # fmt: skip


def order(order_id: int, subtotal: int, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an order with a tenth of tax on top and 4.90 of shipping."""
    return {
        "id": order_id, "created_at": PLACED.isoformat(), "updated_at": PLACED.isoformat(), "currency": "EUR",
        "subtotal_price": amount(subtotal), "total_price": amount(subtotal + subtotal // 10 + 490),
        "checkout_token": f"t{order_id}", "customer": {"id": order_id}, "line_items": lines,
    } | more  # fmt: skip


def back(
    line_id: int, quantity: int, minor: int, tax: int, paid: int | None = None, **item: Any
) -> dict[str, Any]:
    """Return units that went back. paid: what was paid for them in dollars, with a tenth of tax on top."""
    return {
        "line_item_id": line_id, "quantity": quantity, "subtotal": minor / 100, "line_item": item,
        "subtotal_set": both(minor, paid), "total_tax_set": both(tax, paid and paid // 10),
    }  # fmt: skip


def refund(
    order_id: int, *lines: dict[str, Any], paid: int = 0, currency: str = "EUR", shipping: int = 0,
    adjusted: Sequence[int] = (),
) -> dict[str, Any]:  # fmt: skip
    """Return a refund. adjusted: what was kept of what was owed, below 0 what was given on top."""
    sent = {"kind": "refund", "status": "success", "amount": amount(paid), "currency": currency}
    return {
        "id": 100 * order_id + len(lines), "order_id": order_id,
        "created_at": (PLACED + timedelta(days=2)).isoformat(),
        "refund_line_items": lines, "transactions": [sent] if paid else [],
        "refund_shipping_lines": [{"subtotal_amount_set": both(shipping, None)}] if shipping else [],
        "order_adjustments": [
            {"amount": amount(each), "amount_set": both(each, None), "kind": "refund_discrepancy"}
            for each in adjusted
        ],
    }  # fmt: skip


ORDERS = (
    order(1, 3_013, line(10, OFFERED, 1_299, 2, 260), line(11, TEA, 750, 1, 75)),  # a tenth off all of it
    order(2, 2_897, line(20, OFFERED, 999, 3, 100)),  # one of three came back
    order(3, 2_500, line(30, OFFERED, 2_000), line(31, TEA, 500)),  # edited: the second in place of the first
    order(4, 6_000, line(40, OFFERED, 1_000), line(41, CARD, 5_000, gift_card=True)),
    order(5, 2_500, line(51, CARD, 2_500, gift_card=True)),
    order(6, 3_000, line(60, OFFERED, 1_500, 2)),  # paid in dollars
    order(7, 800, line(70, OFFERED, 800), line(71, None, 200), total_tip_received="2.00"),
    order(8, 8_500, line(80, OFFERED, 4_000), line(81, OTHER, 4_500)),  # the second in exchange for the first
    order(9, 6_000, line(90, OFFERED, 3_000, 2)),  # came back, less a fee of 10.00
    order(10, 1_000, line(100, OFFERED, 1_000)),  # came back, and nothing was paid for it
    order(11, 9_900, line(110, OFFERED, 9_900), cancelled_at=(PLACED + timedelta(days=1)).isoformat()),
    order(12, 1_600, line(120, OFFERED, 1_600)),  # shipping given back, and 3.00 for the trouble
)
REFUNDS = (
    refund(2, back(20, 1, 966, 97), paid=1_063),
    refund(3, back(30, 1, 2_000, 200), adjusted=(2_200, -2_200)),  # is yet to be paid
    refund(6, back(60, 1, 1_500, 150, paid=1_650), paid=1_815, currency="USD"),
    refund(7, back(71, 1, 200, 0, **TIP), paid=200),
    refund(8, back(80, 1, 4_000, 400)),
    refund(9, back(90, 2, 6_000, 600), paid=5_600, adjusted=(1_000,)),
    refund(10, back(100, 1, 1_000, 100), shipping=490, adjusted=(1_590,)),
    refund(11, back(110, 1, 9_900, 990), paid=10_890),
    refund(12, shipping=490, paid=839, adjusted=(-300,)),
)
# What the shop has of each order's goods. Of the fifth, gift cards alone, there are none.
KEPT = {1: 3_013, 2: 1_931, 3: 500, 4: 1_000, 6: 1_500, 7: 800, 8: 4_500, 9: 1_000, 10: 1_000, 12: 1_300}
OF_OFFERS = {1: 2_338, 2: 1_931, 4: 1_000, 6: 1_500, 7: 800, 9: 1_000, 10: 1_000, 12: 1_300}


def decided(order_id: int) -> Any:
    inputs = {"unit": f"u{order_id}", "experiments": {"standing": [SHARES, "personalised"]}}
    return a_decision(
        f"d{order_id}", decided_at=PLACED - timedelta(hours=1), checkout_token=f"t{order_id}",
        customer_id=order_id, inputs=inputs, answer={"offers": [of_product(OFFERED)]},
    )  # fmt: skip


async def keep_books(connections: Connections) -> None:
    await write(connections, a_shop(), *(decided(each["id"]) for each in ORDERS))
    await record_orders(connections, [translated("orders/create", each, "EUR") for each in ORDERS])
    await record_refunds(connections, [translated("refunds/create", each, "EUR") for each in REFUNDS])


async def test_every_report_has_of_each_order_what_the_shop_has_of_its_goods(
    on_both_databases: Connections,
) -> None:
    connections, whole = on_both_databases, sum(KEPT.values())
    await keep_books(connections)
    sold = await attribution(connections, SHOP, "last_touch", SINCE, NOW)
    assert (sold.orders, sold.sold_minor) == (10, whole)
    assert (sold.credited_orders, sold.credited_minor) == (len(OF_OFFERS), sum(OF_OFFERS.values()))
    assert {group: share.orders for group, share in sold.groups["kind"].items()} == {"upsell": len(OF_OFFERS)}
    assert (await attributed_revenue(connections, SHOP, SINCE)).net_minor == sum(OF_OFFERS.values())

    facts, _ = await read_facts(connections, SHOP, SINCE, NOW)
    assert {int(token[1:]): minor for token, (minor,) in facts.orders.items() if minor is not None} == KEPT
    told = [kpis(facts, ("all",)), (await overall(connections, SHOP, SINCE, NOW))[0]]
    for figures in told:
        values = {each.name: (each.value, each.over) for each in figures}
        assert values["checkout_conversion"] == (11 / 12, 12)
        assert (values["aov"], values["clv_realised"]) == ((whole / 10, 10), (whole / 12, 12))

    units = (await observed_since(connections, SHOP, {SINCE: standing_design(SHARES)}, SHARES, NOW))[
        SINCE
    ].units
    assert (units.revenue.sum(), units.orders.sum(), units.bought.sum()) == (whole, 10, 11)
    assert (units.placed.sum(), units.given_back.sum()) == (12, 9)


async def test_a_months_file_has_of_each_order_what_the_report_credits(connections: Connections) -> None:
    await keep_books(connections)
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    file = await credited_file(connections, shop, Month("2026-10", SINCE, NOW), "last_touch", {}, NOW)
    rows = csv.DictReader(TextIOWrapper(file, "utf-8"))
    assert {int(row["order"]): round(100 * float(row["credited"])) for row in rows} == OF_OFFERS
