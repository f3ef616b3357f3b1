from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.connections import Connections
from app.orders.returns import UNKNOWN, rates_of, return_rates
from app.tables import OrderLineRow, OrderRow, RefundRow

SHOP = "acme.myshopify.com"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_product_that_comes_back_often_has_a_higher_share_than_the_shop() -> None:
    rates = return_rates({1: 80, 2: 100, 3: 20}, {1: 20})
    # of the shop 20 / 200 = 10 %; of 1 (20 + .1 * 20) / (80 + 20) = 22 %; of 2 (0 + 2) / 120 = 2 %
    assert (rates.usual, rates.of(1), rates.of(2)) == (0.1, 0.22, 0.02)
    # a product that sold 20 is half its own, half the shop's: (0 + 2) / 40 = 5 %
    assert rates.of(3) == 0.05


def test_a_product_that_never_sold_is_taken_to_be_like_the_others() -> None:
    assert return_rates({1: 200}, {1: 20}).of(9) == 0.1


def test_a_shop_that_sold_little_or_got_nothing_back_knows_nothing() -> None:
    assert return_rates({1: 99}, {1: 9}) == UNKNOWN
    assert return_rates({1: 200}, {}) == UNKNOWN
    assert UNKNOWN.of(1) is None


def test_more_units_back_than_sold_are_all_of_them() -> None:
    rates = return_rates({1: 100}, {1: 300})
    assert (rates.usual, rates.of(1)) == (1.0, 1.0)


async def test_cancelled_orders_and_refunds_without_a_line_do_not_count(connections: Connections) -> None:
    await keep(connections, order(1), order(2, cancelled_at=NOW), order(3, shop="other.myshopify.com"))
    await keep(connections, line(1, 60), line(2, 60), line(3, 60, shop="other.myshopify.com"))
    await keep(connections, order(4), line(4, 60, product_id=8))
    await keep(connections, refund(1, 12), refund(2, 60), refund(3, 60, shop="other.myshopify.com"))
    await keep(
        connections, RefundRow(shop=SHOP, refund_id=9, line_id=0, order_id=1, quantity=0, created_at=NOW)
    )
    rates = await rates_of(connections, SHOP)
    # 120 sold, 12 back: 10 %; of 7 (12 + 2) / 80 = 17.5 %; of 8 (0 + 2) / 80 = 2.5 %
    assert (rates.usual, rates.of(7), rates.of(8)) == (0.1, 0.17, 0.03)


async def keep(connections: Connections, *rows: Any) -> None:
    async with connections.write() as db:
        for row in rows:
            db.add(row)


def order(order_id: int, shop: str = SHOP, **changes: Any) -> OrderRow:
    return OrderRow(shop=shop, order_id=order_id, currency="USD", created_at=NOW, updated_at=NOW, **changes)


def line(order_id: int, quantity: int, shop: str = SHOP, product_id: int = 7) -> OrderLineRow:
    return OrderLineRow(
        shop=shop,
        line_id=order_id,
        order_id=order_id,
        product_id=product_id,
        quantity=quantity,
        price_minor=1,
    )


def refund(order_id: int, quantity: int, shop: str = SHOP) -> RefundRow:
    return RefundRow(
        shop=shop, refund_id=order_id, line_id=order_id, order_id=order_id, quantity=quantity, created_at=NOW
    )
