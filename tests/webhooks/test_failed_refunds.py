"""Refunds whose payment failed: nobody got the money, whatever went back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, func, select

from app.connections import Connections
from app.events.kinds import RefundCreated
from app.tables import RefundRow
from devstore.schema import MODULES
from devstore.shop import refund as give_back
from tests.devstore.conftest import past_order
from tests.webhooks.shopfront import Shopfront, installed
from tests.webhooks.test_missed import look
from tests.webhooks.test_odd_orders import AT, TEA, as_kept, money, the_shop
from tests.webhooks.test_translate import both, paid_back, refund, translated
from webhooks.missed_refunds import FAILS_WITHIN, read_refund
from webhooks.payload import Payload


def told_by_webhook(
    transactions: list[tuple[str, int]], adjusted: int = 0, shipping: int = 0, duties: int = 0, tip: int = 0
) -> RefundCreated:
    """Return the refund of 10.00 of tea with 1.00 of tax, as it waits in the database. Amounts in cents."""
    body = refund(
        refund_line_items=[{
            "line_item_id": TEA, "quantity": 1, "subtotal": "10.00",
            "total_tax_set": {"shop_money": {"amount": "1.00"}},
        }, {
            "line_item_id": 99, "quantity": 1, "subtotal": f"{tip / 100:.2f}",
            "line_item": {"tip_payment_gateway": "shopify_payments"},
        }],
        total_duties_set={"shop_money": {"amount": f"{duties / 100:.2f}"}},
        refund_shipping_lines=[{"subtotal_amount_set": {"shop_money": {"amount": f"{shipping / 100:.2f}"}}}],
        order_adjustments=[{"amount": f"{adjusted / 100:.2f}", "kind": "refund_discrepancy"}],
        transactions=[paid_back(f"{minor / 100:.2f}", status=status) for status, minor in transactions],
    )  # fmt: skip
    return told(translated("refunds/create", as_kept("refunds/create", body)))


def told_by_admin(
    transactions: list[tuple[str, int]], adjusted: int = 0, shipping: int = 0, duties: int = 0, tip: int = 0
) -> RefundCreated:
    """Return the same, as the Admin API tells it."""
    line = {"quantity": 1, "lineItem": {"id": f"gid://shopify/LineItem/{TEA}", "vendor": "The tea house"}}
    of_tip = {"quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/99"}}
    return read_refund(the_shop(), "gid://shopify/Order/11", Payload({
        "id": "gid://shopify/Refund/7", "createdAt": AT,
        "refundLineItems": {"pageInfo": {"hasNextPage": False}, "nodes": [
            line | {"subtotalSet": money(1_000), "totalTaxSet": money(100)},
            of_tip | {"subtotalSet": money(tip), "totalTaxSet": money(0)},
        ]},
        "duties": [{"amountSet": money(duties)}],
        "refundShippingLines": {"nodes": [{"subtotalAmountSet": money(shipping)}]},
        "orderAdjustments": {"nodes": [{"amountSet": money(adjusted)}]},
        "transactions": {"nodes": [
            {"kind": "REFUND", "status": status.upper(), "amountSet": money(minor)}
            for status, minor in transactions
        ]},
    }), tip)  # fmt: skip


def told(event: object) -> RefundCreated:
    assert isinstance(event, RefundCreated)
    return event


@pytest.mark.parametrize("read", [told_by_webhook, told_by_admin])
@pytest.mark.parametrize(
    ("transactions", "more", "goods", "beside"),
    [
        ([("success", 1_100)], {}, 1_000, 100),
        ([("pending", 1_100)], {}, 1_000, 100),  # it is on its way
        ([("failure", 1_100)], {}, 0, 0),
        ([("error", 1_590)], {"shipping": 490}, 0, 0),
        ([("failure", 1_100), ("success", 1_100)], {}, 1_000, 100),  # the second attempt
        ([("failure", 700), ("success", 400)], {}, 400, 0),  # a gift card had paid 4.00 of it
        ([("failure", 700), ("success", 1_200)], {"shipping": 490}, 710, 490),
        ([("failure", 1_100)], {"adjusted": 1_000}, 0, 0),  # told by Shopify as kept already
        ([("failure", 1_100)], {"adjusted": 200}, 0, 0),
        ([], {}, 1_000, 0),  # taken out of the order before it was paid
        ([], {"adjusted": 1_000}, 0, 0),  # put back on the shelf, and nothing paid for it
        ([("success", 1_300)], {"duties": 200}, 1_000, 300),
        ([("success", 1_200)], {"duties": 200}, 1_000, 200),  # prices include tax
        ([("failure", 1_300)], {"duties": 200}, 0, 0),
        ([("success", 1_600)], {"tip": 500}, 1_000, 600),
        ([("failure", 1_600)], {"tip": 500}, 0, 0),
        ([("failure", 1_100), ("success", 500)], {"tip": 500}, 0, 500),
        ([], {"tip": 500, "adjusted": 1_300}, 0, 200),  # of the tip too, what was kept
    ],
)
def test_what_was_not_paid_back_is_not_given_back(
    read: Any, transactions: list[tuple[str, int]], more: dict[str, int], goods: int, beside: int
) -> None:
    event = read(transactions, **more)
    assert event.lines[0].quantity == 1, "it came back all the same"
    assert sum(line.amount_minor for line in event.lines) + event.other_minor == goods
    assert event.shipping_minor + event.tax_minor == beside


@pytest.mark.parametrize(
    ("transactions", "goods"),
    [
        ([paid_back("1500", currency="JPY", status="failure")], 0),
        ([paid_back("900", currency="JPY", status="failure"), paid_back("600", currency="JPY")], 400),
        ([paid_back("1500", currency="JPY")], 1_000),
    ],
)
def test_what_failed_in_another_currency_is_not_given_back(
    transactions: list[dict[str, Any]], goods: int
) -> None:
    line = {"line_item_id": TEA, "quantity": 1, "subtotal": "10.00", "subtotal_set": both("10.00", "1500")}
    event = told(translated("refunds/create", refund(refund_line_items=[line], transactions=transactions)))
    assert event.lines[0].amount_minor + event.other_minor == goods


def test_shipping_and_a_sum_of_no_line_that_failed_are_not_given_back() -> None:
    shipping = {"refund_shipping_lines": [{"subtotal_amount_set": {"shop_money": {"amount": "4.90"}}}]}
    goodwill = {"order_adjustments": [{"amount": "-4.90", "kind": "refund_discrepancy"}]}
    for given in (shipping, goodwill):
        body = refund(refund_line_items=[], transactions=[paid_back("4.90", status="failure")], **given)
        event = told(translated("refunds/create", body))
        assert (event.other_minor, event.shipping_minor) == (0, 0)


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    """A shop with one order, known as it stands."""
    async with installed(connections) as made:
        order = past_order(made.shop, 0)
        order.created_at = order.updated_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=2)
        await look(made)
        yield made


@pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
async def test_a_refund_that_failed_after_it_was_told_is_found(front: Shopfront) -> None:
    (order,) = front.shop.orders.values()
    made = give_back(front.shop, order, {order.lines[0].id: 1}, order.updated_at)
    await look(front)
    assert await given(front) == (1, made.total_minor)
    order.refunds[0] = replace(made, failed=True)
    assert await look(front) == 1
    assert await given(front) == (1, 0), "the unit is back, and its money was never paid"
    assert await look(front) == 0
    again = give_back(front.shop, order, {order.lines[0].id: 1}, order.updated_at)
    await look(front)
    assert await given(front) == (2, again.total_minor)


@pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
async def test_refunds_of_long_ago_are_not_all_read_again(front: Shopfront) -> None:
    (order,) = front.shop.orders.values()
    made = give_back(front.shop, order, {order.lines[0].id: 1}, order.updated_at)
    await look(front)
    order.refunds[0] = replace(made, failed=True, created_at=made.created_at - FAILS_WITHIN)
    assert await look(front) == 0


async def given(front: Shopfront) -> tuple[int, int]:
    """Return the units that went back, and the money."""
    query = select(func.sum(RefundRow.quantity), func.sum(col(RefundRow.amount_minor)))
    async with front.connections.read() as db:
        units, minor = (await db.exec(query)).one()
    return int(units), int(minor)
